import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';

/**
 * Takes back what an admin of a workspace has invited to, when they are no admin any more. It stays taken back
 * when they become one again.
 */
export async function endInvitationsOf(
  trx: Kysely<Tables>,
  { workspaceId, userId, now }: { workspaceId: string; userId: string; now: Date },
): Promise<void> {
  await trx
    .updateTable('workspace_invitations')
    .set({ revoked_at: now })
    .where('workspace_id', '=', workspaceId)
    .where('invited_by', '=', userId)
    .where('source', '=', 'account')
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute();
}
