import { type Database, statement } from '../db/index.ts';

const close = statement(
  'close_overlaps',
  `UPDATE artifacts SET successor_sealed = NULL
    WHERE successor_sealed IS NOT NULL AND consumed_at < $1 RETURNING 1 AS one`,
);

/** One statement a table, so that each is a batch of its own; rows of live families are never touched. */
const expired = ['artifacts', 'replay_claims', 'families'].map((table) => {
  const key = 'id';
  const time = 'expires_at';
  return statement(
    `remove_expired_${table}`,
    `WITH gone AS (SELECT ${key} FROM ${table} WHERE ${time} < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
     DELETE FROM ${table} t USING gone WHERE t.${key} = gone.${key} RETURNING 1 AS one`,
  );
});

const removeIssuances = statement(
  'remove_issuances',
  `WITH gone AS (
     SELECT jti FROM issuances WHERE issued_at < $1 AND expires_at < $2 LIMIT $3 FOR UPDATE SKIP LOCKED
   ) DELETE FROM issuances i USING gone WHERE i.jti = gone.jti RETURNING 1 AS one`,
);

const removeCredentials = statement(
  'remove_ended_credentials',
  `WITH gone AS (
     SELECT jti FROM issuances WHERE kind = 'workspace_credential' AND revoked_at < $1
      LIMIT $2 FOR UPDATE SKIP LOCKED
   ) DELETE FROM issuances i USING gone WHERE i.jti = gone.jti RETURNING 1 AS one`,
);

/** Clean-up of what the token path leaves behind. */
export function createSweep(db: Database) {
  return {
    /**
     * Erases the sealed successors of refresh tokens used before `usedBefore`: their window is over.
     *
     * @returns how many
     */
    async closeOverlaps(usedBefore: Date): Promise<number> {
      return (await db.run(close, [usedBefore])).length;
    },
    /**
     * Removes at most `limit` records of tokens that have expired and were issued before a time, and as many of
     * workspace credentials, which have no expiry, that ended before it.
     */
    async removeIssuances(issuedBefore: Date, now: Date, limit: number): Promise<number> {
      const expired = await db.run(removeIssuances, [issuedBefore, now, limit]);
      const ended = await db.run(removeCredentials, [issuedBefore, limit]);
      return expired.length + ended.length;
    },
    /** Removes at most `limit` expired rows of each kind. @returns how many went in all */
    async removeExpired(now: Date, limit: number): Promise<number> {
      let removed = 0;
      for (const statement of expired) removed += (await db.run(statement, [now, limit])).length;
      return removed;
    },
  };
}
