import type { Insertable, Kysely, Selectable } from 'kysely';
import type { ProviderSignInsTable, Tables } from '../db/index.ts';

/** A browser that was sent to a provider, and has not come back yet. */
export type PendingSignIn = Omit<
  Selectable<ProviderSignInsTable>,
  'state_hash' | 'browser_hash' | 'created_at'
>;

export async function insertProviderSignIn(
  db: Kysely<Tables>,
  row: Insertable<ProviderSignInsTable>,
): Promise<void> {
  await db.insertInto('provider_sign_ins').values(row).execute();
}

/**
 * Takes one by its state, once. Does NOT look at its expiry, its provider or its browser: whoever brings a
 * state back has used it up.
 */
export function takeProviderSignIn(
  db: Kysely<Tables>,
  stateHash: string,
): Promise<(PendingSignIn & { browser_hash: string }) | undefined> {
  return db
    .deleteFrom('provider_sign_ins')
    .where('state_hash', '=', stateHash)
    .returning([
      'provider',
      'browser_hash',
      'nonce',
      'verifier_sealed',
      'purpose',
      'interaction_uid',
      'origin',
      'return_to',
      'expires_at',
    ])
    .executeTakeFirst();
}

export async function purgeProviderSignIns(db: Kysely<Tables>, now: Date): Promise<void> {
  await db.deleteFrom('provider_sign_ins').where('expires_at', '<=', now).execute();
}
