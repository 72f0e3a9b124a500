import { sql } from 'kysely';
import type { Database } from './database.ts';

/** Tables whose rows come and go; the others only grow, or hardly change. */
const busy = [
  'artifacts',
  'families',
  'replay_claims',
  'sessions',
  'issuances',
  'login_attempts',
  'clients',
  'grants',
  'job_runs',
  'replicas',
  'settings',
  'stats_hourly',
  'stats_active',
] as const;

/**
 * Makes the space of removed rows usable again: the embedded engine has no autovacuum. One table after the
 * other, so that requests get their turn in between.
 *
 * @returns how many tables were looked at
 */
export async function vacuum({ kysely }: Database, signal: AbortSignal): Promise<number> {
  let done = 0;
  for (const table of busy) {
    if (signal.aborted) break;
    await sql`VACUUM (ANALYZE) ${sql.table(table)}`.execute(kysely);
    done += 1;
  }
  return done;
}
