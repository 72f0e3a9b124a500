import { type Database, statement } from '../db/index.ts';

const claim = statement(
  'claim_replay',
  'INSERT INTO replay_claims (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING id',
);

/**
 * Claims a proof's or assertion's `jti` at once, for endpoints without a unit of work
 * (RFC 9449 §11.1, RFC 7523 §3).
 *
 * @returns false when it was seen before, on any replica
 */
export function claimReplay(db: Database) {
  return async (id: string, expiresAt: Date): Promise<boolean> => {
    const rows = await db.run(claim, [id, expiresAt]);
    return rows.length === 1;
  };
}
