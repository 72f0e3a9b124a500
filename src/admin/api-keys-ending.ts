import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';

/** Ends every key that was made in the administration; `admin.api_key` is in the configuration. */
export async function revokeAllApiKeys(trx: Kysely<Tables>, now: Date): Promise<void> {
  await trx
    .updateTable('api_keys')
    .set({ revoked_at: now })
    .where('revoked_at', 'is', null)
    .execute();
}
