import type { Kysely } from 'kysely';
import type { Tables, WorkspaceInvitationsTable } from '../db/index.ts';
import { cutPage, pageCursor } from '../http/index.ts';
import { isOpen } from './workspaces-invitations-queries.ts';
import type { WorkspaceRole } from './workspaces-policy.ts';

/** An invitation as those who manage the workspace see it. Never holds its token. */
export interface Invitation {
  id: string;
  workspaceId: string;
  email: string;
  role: WorkspaceRole;
  source: WorkspaceInvitationsTable['source'];
  /** E-mail address of the person who made it; absent for a program. */
  invitedBy?: string;
  createdAt: Date;
  expiresAt: Date;
}

export interface InvitationQuery {
  workspaceId: string;
  cursor?: string | undefined;
  /** 1 to 200. */
  limit: number;
}

/**
 * One page of those that still work, the latest first.
 *
 * @throws OAuthError invalid_request where the cursor is not ours
 */
export async function listInvitations(
  db: Kysely<Tables>,
  { workspaceId, cursor, limit }: InvitationQuery,
  now: Date,
): Promise<{ items: Invitation[]; next_cursor?: string }> {
  const cursors = pageCursor(`invitations ${workspaceId}`);
  const after = cursor === undefined ? undefined : cursors.read(cursor);
  const rows = await invitations(db, workspaceId)
    .where(isOpen(now))
    .$if(after !== undefined, (page) =>
      page.where((where) =>
        where(
          where.refTuple('i.created_at', 'i.id'),
          '<',
          where.tuple(after?.at ?? new Date(0), after?.id ?? ''),
        ),
      ),
    )
    .orderBy('i.created_at', 'desc')
    .orderBy('i.id', 'desc')
    .limit(limit + 1)
    .execute();
  const { items, next } = cutPage(rows, limit, ({ created_at: at, id }) => ({ at, id }));
  return { items: items.map(toInvitation), ...(next && { next_cursor: cursors.write(next) }) };
}

/** One of a workspace, whether it still works or not. */
export async function findInvitation(
  db: Kysely<Tables>,
  { workspaceId, id }: { workspaceId: string; id: string },
): Promise<Invitation | undefined> {
  const row = await invitations(db, workspaceId).where('i.id', '=', id).executeTakeFirst();
  return row && toInvitation(row);
}

/** How many still work, up to `atMost`. */
export async function countInvitations(
  trx: Kysely<Tables>,
  { workspaceId, now, atMost }: { workspaceId: string; now: Date; atMost: number },
): Promise<number> {
  const rows = await trx
    .selectFrom('workspace_invitations as i')
    .select('i.id')
    .where('i.workspace_id', '=', workspaceId)
    .where(isOpen(now))
    .limit(atMost)
    .execute();
  return rows.length;
}

function invitations(db: Kysely<Tables>, workspaceId: string) {
  return db
    .selectFrom('workspace_invitations as i')
    .leftJoin('users as u', 'u.id', 'i.invited_by')
    .select(['i.id', 'i.workspace_id', 'i.email', 'i.role', 'i.source', 'i.created_at'])
    .select(['i.expires_at', 'u.email as inviter'])
    .where('i.workspace_id', '=', workspaceId);
}

function toInvitation(row: {
  id: string;
  workspace_id: string;
  email: string;
  role: WorkspaceRole;
  source: Invitation['source'];
  inviter: string | null;
  created_at: Date;
  expires_at: Date;
}): Invitation {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    email: row.email,
    role: row.role,
    source: row.source,
    ...(row.inviter !== null && { invitedBy: row.inviter }),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
