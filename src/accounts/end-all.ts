import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';

/** Signs everybody out everywhere, administrators too, and makes every link that was sent worthless. */
export async function endAllSignIns(trx: Kysely<Tables>): Promise<void> {
  const tables = ['sessions', 'admin_sessions', 'one_time_links', 'workspace_invitations'] as const;
  for (const table of tables) {
    await trx.deleteFrom(table).execute();
  }
}
