import type { Kysely } from 'kysely';
import { findMembership, lockMembership, type Membership } from '../accounts/index.ts';
import { type Actor, type AuditMeta, auditRow, recordAudit } from '../audit/index.ts';
import { type Database, hashId, type Tables } from '../db/index.ts';
import type { Resource } from '../resources/index.ts';
import type { Exchange } from './exchange.ts';
import { newOpaqueToken } from './opaque.ts';
import {
  checkTokenLife,
  checkTokenName,
  checkTokenScopes,
  checkTokenWorkspace,
  isUseStale,
  mostPersonalTokens,
  noSuchWorkspace,
  PersonalTokenRefusal,
  refusedResource,
} from './personal-access-tokens-policy.ts';
import {
  countLive,
  insertIssuance,
  insertPersonalToken,
  lockPerson,
  lockResource,
  markUsed,
  type PersonalTokenRow,
  selectPersonalToken,
  selectPersonalTokens,
} from './personal-access-tokens-queries.ts';
import {
  type PersonalToken,
  readCursor,
  toPersonalToken,
  writeCursor,
} from './personal-access-tokens-rows.ts';

/** Who does it, when and from where. */
export interface By {
  actor: Actor;
  meta: AuditMeta;
}

export interface NewPersonalToken {
  userId: string;
  resource: Resource;
  /** One of the person's, where the resource is workspace-scoped. */
  workspaceId?: string | undefined;
  scopes: readonly string[];
  name: string;
  /** Seconds; absent means 90 days, or the maximum where that is shorter. */
  expiresIn?: number | undefined;
}

export interface PersonalTokensConfig {
  tokens: {
    /** Seconds. */
    personal_access_max_ttl: number;
  };
}

const grantType = 'personal_access_token';

/** Personal access tokens: made, listed and ended by their owner or an operator. */
export function createPersonalTokens(
  { db, exchange }: { db: Database; exchange: Pick<Exchange, 'end'> },
  { tokens: { personal_access_max_ttl: maximum } }: PersonalTokensConfig,
) {
  return {
    /** Longest life of a token, in seconds. */
    maximum,

    /**
     * Makes a token. Its value is returned this once; only its hash is kept.
     *
     * @throws PersonalTokenRefusal with the field to correct
     */
    async create(request: NewPersonalToken, by: By): Promise<PersonalToken & { value: string }> {
      const checked = {
        name: checkTokenName(request.name),
        life: checkTokenLife(request.expiresIn, maximum),
        workspaceId: checkTokenWorkspace(request.workspaceId, request.resource),
      };
      const refused = refusedResource(request.resource);
      if (refused) throw new PersonalTokenRefusal('resource', refused);
      const value = newOpaqueToken(request.resource.tokenPrefix, 'pat');
      const row = await db.kysely
        .transaction()
        .execute((trx) => insert(trx, { ...request, ...checked, jti: hashId(value) }, by));
      return { ...toPersonalToken(row, by.meta.at), value };
    },

    /**
     * One page, newest first; expired and revoked ones too, as long as their records are kept.
     *
     * @param limit 1 to 200; default 50
     * @throws OAuthError invalid_request where the cursor is not ours
     */
    async list({
      cursor,
      limit = 50,
      ...which
    }: {
      userId?: string | undefined;
      workspaceIds?: readonly string[] | undefined;
      status?: PersonalToken['status'] | undefined;
      cursor?: string | undefined;
      limit?: number;
      now: Date;
    }): Promise<{ items: PersonalToken[]; next_cursor?: string }> {
      const size = Math.min(200, Math.max(1, Math.trunc(limit)));
      const after = cursor === undefined ? undefined : readCursor(cursor);
      const rows = await selectPersonalTokens(db.kysely, { ...which, after, limit: size + 1 });
      const items = rows.slice(0, size).map((row) => toPersonalToken(row, which.now));
      const last = items.at(-1);
      if (rows.length <= size || !last) return { items };
      return { items, next_cursor: writeCursor(last) };
    },

    async find(id: string, now: Date): Promise<PersonalToken | undefined> {
      const row = await selectPersonalToken(db.kysely, id);
      return row && toPersonalToken(row, now);
    },

    /**
     * Ends a token, and everything that was exchanged from it, at once. Ending it again changes nothing.
     *
     * @param by.ownedBy id of a person: somebody else's token is as unknown as one that never was (AD07)
     * @param by.reason for the audit log
     * @returns undefined where there is no such token
     */
    async revoke(
      id: string,
      by: By & { ownedBy?: string | undefined; reason: string },
    ): Promise<PersonalToken | undefined> {
      const row = await selectPersonalToken(db.kysely, id);
      if (!row || (by.ownedBy !== undefined && row.user_id !== by.ownedBy)) return undefined;
      const { at } = by.meta;
      const ended = await exchange.end(id, [auditRow(revoked(row, by), by.meta)], at);
      return toPersonalToken(ended.includes(id) ? { ...row, revoked_at: at } : row, at);
    },

    /**
     * Notes when a token was last used, and through whom; at most once a minute and token, on all replicas.
     * Call it beside the answer: it is no reason to fail.
     *
     * @param use.from address of the caller that presented it
     * @param use.lastUsedAt as last read: a fresh one saves the statement
     */
    async touch(
      jti: string,
      { at, from, lastUsedAt }: { at: Date; from?: string; lastUsedAt?: Date | null },
    ): Promise<void> {
      if (isUseStale(lastUsedAt, at)) await markUsed(db, { jti, at, from });
    },
  };
}

export type PersonalTokens = ReturnType<typeof createPersonalTokens>;

type Checked = NewPersonalToken & { jti: string; life: number };

async function insert(trx: Kysely<Tables>, token: Checked, by: By): Promise<PersonalTokenRow> {
  const { jti, name, resource, userId } = token;
  const now = by.meta.at;
  const person = await lockPerson(trx, userId);
  if (person?.status !== 'active') {
    throw new PersonalTokenRefusal('account', 'This account is disabled: it can have no tokens.');
  }
  if (!(await lockResource(trx, resource.uri))) {
    throw new PersonalTokenRefusal('resource', `There is no resource ${resource.uri} any more.`);
  }
  const workspace = await workspaceFor(trx, token);
  const workspaceRoles = workspace && [workspace.role];
  const scope = checkTokenScopes(token.scopes, resource, { ...person, workspaceRoles }).join(' ');
  if ((await countLive(trx, userId, now)) >= mostPersonalTokens) {
    throw new PersonalTokenRefusal(
      'account',
      `There are ${mostPersonalTokens} live tokens, which is the most that one person can have. Revoke one first.`,
      409,
    );
  }
  const expires_at = new Date(now.getTime() + token.life * 1000);
  const workspace_id = workspace?.id ?? null;
  const issued = { jti, scope, expires_at, resource: resource.uri, workspace_id };
  await insertIssuance(trx, {
    ...issued,
    kind: 'personal_access_token',
    grant_type: grantType,
    sub: userId,
    token_type: 'Bearer',
    root_jti: jti,
    issued_at: now,
  });
  await insertPersonalToken(trx, { jti, user_id: userId, name, created_at: now });
  await recordAudit(trx, issuedEvent({ ...issued, userId }, by), by.meta);
  return {
    ...issued,
    ...{ user_id: userId, email: person.email, name, created_at: now },
    workspace_name: workspace?.name ?? null,
    ...{ revoked_at: null, last_used_at: null, last_used_from: null },
  };
}

/** The membership that the token hangs on; nobody ends it until the end of the transaction. */
async function workspaceFor(
  trx: Kysely<Tables>,
  { workspaceId, userId }: Pick<Checked, 'workspaceId' | 'userId'>,
): Promise<Membership | undefined> {
  if (workspaceId === undefined) return undefined;
  const role = await lockMembership(trx, { workspaceId, userId });
  const found = role && (await findMembership(trx, { workspaceId, userId }));
  if (!found) throw noSuchWorkspace();
  return found;
}

function issuedEvent(
  token: Pick<PersonalTokenRow, 'jti' | 'scope' | 'expires_at' | 'resource' | 'workspace_id'> & {
    userId: string;
  },
  { actor }: By,
) {
  const { jti, scope, expires_at, resource, workspace_id, userId } = token;
  return {
    type: 'token_issued' as const,
    ...{ actor, userId, resource },
    detail: {
      grant_type: grantType,
      token_type: 'Bearer',
      kind: 'personal_access_token',
      format: 'opaque',
      ...{ scope, jti, expires_at },
      workspace_id: workspace_id ?? undefined,
    },
  };
}

function revoked(row: PersonalTokenRow, { actor, reason }: By & { reason: string }) {
  const { jti, user_id: userId, resource } = row;
  return { type: 'token_revoked' as const, actor, userId, resource, detail: { reason, jti } };
}
