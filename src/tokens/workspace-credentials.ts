import type { Kysely } from 'kysely';
import { type ChangeMeta, lockMembership, type User } from '../accounts/index.ts';
import type { Actor } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import { cutPage, pageCursor } from '../http/index.ts';
import type { Resource } from '../resources/index.ts';
import { isUseStale } from './personal-access-tokens-policy.ts';
import type { EndReason } from './workspace-credentials-events.ts';
import {
  changedBy,
  end,
  type Making,
  make,
  type NewCredential,
} from './workspace-credentials-making.ts';
import { checkLabel } from './workspace-credentials-policy.ts';
import {
  markCredentialUsed,
  selectCredential,
  selectCredentials,
} from './workspace-credentials-queries.ts';
import { toCredential, type WorkspaceCredential } from './workspace-credentials-rows.ts';

/** A credential for one client. */
export interface ConnectorRequest extends Omit<Making, 'kind'> {
  /** Where it belongs to a larger change. */
  trx?: Kysely<Tables> | undefined;
}

/** Workspace credentials: made, listed and ended. They never expire by themselves. */
export function createWorkspaceCredentials({ db }: { db: Database }) {
  return {
    /**
     * Makes the default credential of a workspace at a resource. The one that was there dies in the same
     * transaction, on every replica, with everything that was exchanged from it.
     *
     * @param request.by an admin of the workspace, whom it acts for
     * @param request.meta without an actor it is that admin
     * @throws CredentialRefusal with the field to correct
     */
    regenerateDefault: ({
      by,
      ...request
    }: {
      workspaceId: string;
      resource: Resource;
      by: Pick<User, 'id'>;
      meta: ChangeMeta;
    }): Promise<NewCredential> =>
      db.kysely
        .transaction()
        .execute((trx) =>
          make(trx, { ...request, userId: by.id, kind: 'default', label: 'Default' }),
        ),

    /**
     * Makes one for a single client, and leaves the default alone.
     *
     * @throws CredentialRefusal with the field to correct
     */
    async create({ trx, ...request }: ConnectorRequest): Promise<NewCredential> {
      const label = checkLabel(request.label);
      const work = (own: Kysely<Tables>) => make(own, { ...request, label, kind: 'connector' });
      return trx ? work(trx) : db.kysely.transaction().execute(work);
    },

    /** The live ones of a workspace, newest first; 500 at most. */
    async list({ workspaceId }: { workspaceId: string }): Promise<WorkspaceCredential[]> {
      const rows = await selectCredentials(db.kysely, {
        ...{ workspaceId, status: 'active', limit: 500 },
      });
      return rows.map(toCredential);
    },

    /**
     * One page, newest first.
     *
     * @param query.status absent: ended ones too, as long as their records are kept
     * @param query.limit 1 to 200
     * @throws OAuthError invalid_request where the cursor is not ours
     */
    async page({
      workspaceId,
      status,
      cursor,
      limit,
    }: {
      workspaceId: string;
      status?: 'active' | 'revoked' | undefined;
      cursor?: string | undefined;
      limit: number;
    }): Promise<{ items: WorkspaceCredential[]; next_cursor?: string }> {
      const cursors = pageCursor(`credentials ${workspaceId}`);
      const after = cursor === undefined ? undefined : cursors.read(cursor);
      const asked = { workspaceId, status, after, limit: limit + 1 };
      const rows = await selectCredentials(db.kysely, asked);
      const { items, next } = cutPage(rows, limit, ({ created_at: at, jti: id }) => ({ at, id }));
      return { items: items.map(toCredential), ...(next && { next_cursor: cursors.write(next) }) };
    },

    /** @param id the part before the dot */
    async find(id: string): Promise<WorkspaceCredential | undefined> {
      const row = await selectCredential(db.kysely, id);
      return row && toCredential(row);
    },

    /**
     * Ends a credential, and everything that was exchanged from it, at once. Ending it again changes nothing.
     *
     * @param request.by who made it, or an admin of its workspace now: to everybody else it is as unknown as one
     *   that never was
     * @param request.workspaceId where it is looked for; any of theirs without it
     * @returns undefined where there is no such credential
     */
    revoke: ({
      id,
      by,
      workspaceId,
      meta,
    }: {
      id: string;
      by: Pick<User, 'id'>;
      workspaceId?: string | undefined;
      meta: ChangeMeta;
    }): Promise<WorkspaceCredential | undefined> =>
      db.kysely.transaction().execute(async (trx) => {
        const row = await selectCredential(trx, id);
        if (!row || (workspaceId !== undefined && row.workspace_id !== workspaceId))
          return undefined;
        const key = { workspaceId: row.workspace_id, userId: by.id };
        const role = await lockMembership(trx, key);
        if (role === undefined || (role !== 'admin' && row.user_id !== by.id)) return undefined;
        return end(trx, toCredential(row), { reason: 'member', meta: changedBy({ meta, by }) });
      }),

    /**
     * The same for who is no member: an operator, or the resource server that reports it as leaked.
     *
     * @returns undefined where there is no such credential
     */
    end: (
      id: string,
      why: { reason: EndReason; meta: ChangeMeta & { actor: Actor } },
    ): Promise<WorkspaceCredential | undefined> =>
      db.kysely.transaction().execute(async (trx) => {
        const row = await selectCredential(trx, id);
        return row && end(trx, toCredential(row), why);
      }),

    /**
     * Notes when a credential was last used, and through whom; at most once a minute and credential, on all
     * replicas. Call it beside the answer: it is no reason to fail.
     *
     * @param use.from address of the caller that presented it
     * @param use.lastUsedAt as last read: a fresh one saves the statement
     */
    async touch(
      jti: string,
      { at, from, lastUsedAt }: { at: Date; from?: string; lastUsedAt?: Date | null },
    ): Promise<void> {
      if (isUseStale(lastUsedAt, at)) await markCredentialUsed(db, { jti, at, from });
    },
  };
}

export type WorkspaceCredentials = ReturnType<typeof createWorkspaceCredentials>;
