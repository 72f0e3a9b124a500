import { type Kysely, sql } from 'kysely';
import type { Tables, WorkspaceInvitationsTable } from '../db/index.ts';
import type { WorkspaceRole } from './workspaces-policy.ts';

/** An invitation as whoever has the link sees it. */
export interface OpenInvitation {
  workspace: { id: string; slug: string; name: string };
  email: string;
  emailKey: string;
  role: WorkspaceRole;
  source: WorkspaceInvitationsTable['source'];
  /** Name or e-mail address. */
  invitedBy?: string;
  expiresAt: Date;
}

export interface InvitationClaim {
  tokenHash: string;
  now: Date;
}

/** By whom an invitation was made, which decides how long it stands. */
export interface Inviter {
  source: WorkspaceInvitationsTable['source'];
  invitedBy: string | null;
  workspaceId: string;
}

export interface ClaimedInvitation {
  id: string;
  workspaceId: string;
  role: WorkspaceRole;
  source: WorkspaceInvitationsTable['source'];
}

export async function insertInvitation(
  trx: Kysely<Tables>,
  row: Omit<WorkspaceInvitationsTable, 'created_at' | 'expires_at' | 'used_at' | 'revoked_at'> & {
    created_at: Date;
    expires_at: Date;
  },
): Promise<void> {
  await trx.insertInto('workspace_invitations').values(row).execute();
}

/** What a link leads to now; only {@link claimInvitation} uses it. */
export async function findOpenInvitation(
  db: Kysely<Tables>,
  { tokenHash, now }: InvitationClaim,
): Promise<OpenInvitation | undefined> {
  const row = await db
    .selectFrom('workspace_invitations as i')
    .innerJoin('workspaces as w', 'w.id', 'i.workspace_id')
    .leftJoin('users as u', 'u.id', 'i.invited_by')
    .select(['w.id', 'w.slug', 'w.name', 'i.email', 'i.email_key', 'i.role', 'i.source'])
    .select('i.expires_at')
    .select((row) => row.fn.coalesce('u.name', 'u.email').as('inviter'))
    .where('i.token_hash', '=', tokenHash)
    .where(isOpen(now))
    .executeTakeFirst();
  if (!row) return undefined;
  const { id, slug, name, email, email_key: emailKey, role, source, inviter } = row;
  const invitedBy = inviter ?? undefined;
  const workspace = { id, slug, name };
  const expiresAt = row.expires_at;
  return { workspace, email, emailKey, role, source, expiresAt, ...(invitedBy && { invitedBy }) };
}

/**
 * Uses an invitation up, once, for the account with its address.
 *
 * @returns undefined when it was used or revoked, has expired, is for another address, or never existed
 */
export async function claimInvitation(
  trx: Kysely<Tables>,
  { tokenHash, emailKey, now }: InvitationClaim & { emailKey: string },
): Promise<ClaimedInvitation | undefined> {
  const row = await trx
    .updateTable('workspace_invitations')
    .set({ used_at: now })
    .where('token_hash', '=', tokenHash)
    .where('email_key', '=', emailKey)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['id', 'workspace_id', 'role', 'source'])
    .executeTakeFirst();
  if (!row) return undefined;
  const { id, workspace_id: workspaceId, role, source } = row;
  return { id, workspaceId, role, source };
}

/** By whom the invitation of a link was made. */
export async function findInviter(
  db: Kysely<Tables>,
  tokenHash: string,
): Promise<Inviter | undefined> {
  const row = await db
    .selectFrom('workspace_invitations')
    .select(['workspace_id', 'source', 'invited_by'])
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst();
  return row && { workspaceId: row.workspace_id, source: row.source, invitedBy: row.invited_by };
}

/**
 * Whether who invited might still do so; if so, until the end of the transaction. Whoever takes their role
 * away at the same moment either comes first, or waits.
 */
export async function lockInviter(
  trx: Kysely<Tables>,
  { source, invitedBy, workspaceId }: Inviter,
): Promise<boolean> {
  if (invitedBy === null) return true;
  const user = await trx
    .selectFrom('users')
    .select(['role', 'status'])
    .where('id', '=', invitedBy)
    .forShare()
    .executeTakeFirst();
  if (user?.status !== 'active') return false;
  if (source !== 'account') return user.role === 'operator' || user.role === 'owner';
  const member = await trx
    .selectFrom('workspace_members')
    .select('role')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', invitedBy)
    .forShare()
    .executeTakeFirst();
  return member?.role === 'admin';
}

/** Takes back what still works. @returns what it was */
export async function revokeInvitations(
  trx: Kysely<Tables>,
  which: { workspaceId: string; now: Date } & ({ id: string } | { emailKey: string }),
): Promise<{ id: string; email: string }[]> {
  return trx
    .updateTable('workspace_invitations')
    .set({ revoked_at: which.now })
    .where('workspace_id', '=', which.workspaceId)
    .$if('id' in which, (update) => update.where('id', '=', 'id' in which ? which.id : ''))
    .$if('emailKey' in which, (update) =>
      update.where('email_key', '=', 'emailKey' in which ? which.emailKey : ''),
    )
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', which.now)
    .returning(['id', 'email'])
    .execute();
}

/** @returns how many */
export async function purgeInvitations(db: Kysely<Tables>, now: Date): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('workspace_invitations')
    .where('expires_at', '<=', now)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** Of a row `i`: nobody used it or took it back, it is in time, and who made it might still do so. */
export function isOpen(now: Date) {
  return sql<boolean>`(i.used_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > ${now}
    AND (i.invited_by IS NULL
      OR i.source = 'account' AND EXISTS (
        SELECT FROM workspace_members m JOIN users a ON a.id = m.user_id
         WHERE m.workspace_id = i.workspace_id AND m.user_id = i.invited_by
           AND m.role = 'admin' AND a.status = 'active')
      OR i.source <> 'account' AND EXISTS (
        SELECT FROM users a WHERE a.id = i.invited_by
           AND a.status = 'active' AND a.role IN ('operator', 'owner'))))`;
}
