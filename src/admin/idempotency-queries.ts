import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';

export interface Claim {
  id: string;
  digest: string;
  expiresAt: Date;
  now: Date;
}

/** One conditional write: of any number that arrive at once, on any replica, one gets it. */
export async function claimRequest(
  db: Kysely<Tables>,
  { id, digest, expiresAt, now }: Claim,
): Promise<boolean> {
  const { rows } = await sql`
    INSERT INTO idempotent_requests AS r (key_hash, body_digest, expires_at)
    VALUES (${id}, ${digest}, ${expiresAt})
    ON CONFLICT (key_hash) DO UPDATE
      SET body_digest = excluded.body_digest, answer_sealed = NULL, expires_at = excluded.expires_at
      WHERE r.expires_at <= ${now}
    RETURNING key_hash`.execute(db);
  return rows.length > 0;
}

export function findRequest(
  db: Kysely<Tables>,
  id: string,
): Promise<{ body_digest: string; answer_sealed: string | null } | undefined> {
  return db
    .selectFrom('idempotent_requests')
    .select(['body_digest', 'answer_sealed'])
    .where('key_hash', '=', id)
    .executeTakeFirst();
}

export async function storeAnswer(db: Kysely<Tables>, id: string, sealed: string): Promise<void> {
  await db
    .updateTable('idempotent_requests')
    .set({ answer_sealed: sealed })
    .where('key_hash', '=', id)
    .execute();
}

export async function releaseRequest(db: Kysely<Tables>, id: string): Promise<void> {
  await db
    .deleteFrom('idempotent_requests')
    .where('key_hash', '=', id)
    .where('answer_sealed', 'is', null)
    .execute();
}

/** Forgets at most `limit` requests that have expired. @returns how many went */
export async function removeExpiredRequests(
  db: Kysely<Tables>,
  now: Date,
  limit: number,
): Promise<number> {
  const { rows } = await sql`
    WITH gone AS (SELECT key_hash FROM idempotent_requests WHERE expires_at < ${now}
                   LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    DELETE FROM idempotent_requests r USING gone WHERE r.key_hash = gone.key_hash
    RETURNING 1 AS one`.execute(db);
  return rows.length;
}
