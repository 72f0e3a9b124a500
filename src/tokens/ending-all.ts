import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';

/** Ends everything that was ever issued, and what could still be exchanged for a token. */
export async function endAllIssued(trx: Kysely<Tables>, now: Date): Promise<void> {
  for (const table of ['families', 'issuances'] as const) {
    await trx.updateTable(table).set({ revoked_at: now }).where('revoked_at', 'is', null).execute();
  }
  await trx.deleteFrom('artifacts').execute();
}
