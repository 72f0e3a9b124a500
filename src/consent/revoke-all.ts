import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';

/** Forgets every answer that people gave: they are asked again. Does NOT end tokens. */
export async function revokeAllGrants(trx: Kysely<Tables>, now: Date): Promise<void> {
  await trx
    .updateTable('grants')
    .set({ revoked_at: now })
    .where('revoked_at', 'is', null)
    .execute();
}
