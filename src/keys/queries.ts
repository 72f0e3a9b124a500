import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';
import type { KeyTimes } from './policy.ts';

/** NOTIFY channel on which replicas tell each other that the keys changed. */
export const keysChannel = 'signing_keys';

export interface StoredKey extends KeyTimes {
  readonly privateSealed: string;
}

export interface NewKey extends StoredKey {
  readonly publicJwk: object;
}

export async function selectKeys(db: Kysely<Tables>): Promise<StoredKey[]> {
  const rows = await db
    .selectFrom('signing_keys')
    .select([
      'kid',
      'alg',
      'private_sealed',
      'created_at',
      'signs_from',
      'retired_at',
      'expires_at',
    ])
    .orderBy('signs_from')
    .execute();
  return rows.map((row) => ({
    kid: row.kid,
    alg: row.alg,
    privateSealed: row.private_sealed,
    createdAt: row.created_at,
    signsFrom: row.signs_from,
    retiredAt: row.retired_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
  }));
}

export async function insertKey(db: Kysely<Tables>, key: NewKey): Promise<void> {
  await db
    .insertInto('signing_keys')
    .values({
      kid: key.kid,
      alg: key.alg,
      public_jwk: JSON.stringify(key.publicJwk),
      private_sealed: key.privateSealed,
      created_at: key.createdAt,
      signs_from: key.signsFrom,
    })
    .execute();
}

export async function setSignsFrom(
  db: Kysely<Tables>,
  kid: string,
  signsFrom: Date,
): Promise<void> {
  await db
    .updateTable('signing_keys')
    .set({ signs_from: signsFrom })
    .where('kid', '=', kid)
    .execute();
}

export async function retireKey(
  db: Kysely<Tables>,
  kid: string,
  { retiredAt, expiresAt }: { retiredAt: Date; expiresAt: Date },
): Promise<void> {
  await db
    .updateTable('signing_keys')
    .set({ retired_at: retiredAt, expires_at: expiresAt })
    .where('kid', '=', kid)
    .execute();
}

export async function deleteKey(db: Kysely<Tables>, kid: string): Promise<void> {
  await db.deleteFrom('signing_keys').where('kid', '=', kid).execute();
}

/** Until the end of the transaction no other replica changes keys. */
export async function lockKeys(trx: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('authserver:signing_keys', 0))`.execute(
    trx,
  );
}

/** Heard by every replica when the transaction commits. */
export async function announceKeys(trx: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_notify(${keysChannel}, '')`.execute(trx);
}
