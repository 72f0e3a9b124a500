import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';
import type { MemberKey } from './workspaces-members-queries.ts';

/**
 * Takes back what an admin of a workspace has invited to, when they are no admin any more. It stays taken back
 * when they become one again.
 */
export async function endInvitationsOf(
  trx: Kysely<Tables>,
  { workspaceId, userId, now }: MemberKey & { now: Date },
): Promise<void> {
  await ending(trx, now)
    .where('workspace_id', '=', workspaceId)
    .where('invited_by', '=', userId)
    .where('source', '=', 'account')
    .execute();
}

/**
 * The same for everything that somebody has invited to, as an operator only or, with a disabled account, in any
 * way.
 */
export async function endInvitationsBy(
  trx: Kysely<Tables>,
  { userId, now, as }: { userId: string; now: Date; as: 'operator' | 'anything' },
): Promise<void> {
  await ending(trx, now)
    .where('invited_by', '=', userId)
    .$if(as === 'operator', (update) => update.where('source', '<>', 'account'))
    .execute();
}

/** Attack: a member who kept an invitation that they never needed, and comes back by it after they were removed. */
export async function endInvitationsFor(
  trx: Kysely<Tables>,
  { workspaceId, userId, now }: MemberKey & { now: Date },
): Promise<void> {
  await ending(trx, now)
    .where('workspace_id', '=', workspaceId)
    .where('email_key', '=', (row) =>
      row.selectFrom('users').select('email_key').where('id', '=', userId),
    )
    .execute();
}

function ending(trx: Kysely<Tables>, now: Date) {
  return trx
    .updateTable('workspace_invitations')
    .set({ revoked_at: now })
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null);
}
