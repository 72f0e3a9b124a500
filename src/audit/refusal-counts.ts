import { type Database, statement } from '../db/index.ts';
import { hourOf } from './hourly-policy.ts';
import type { Metrics } from './metrics.ts';

const add = statement(
  'add_failures',
  `INSERT INTO stats_hourly AS s (hour, metric, label, count)
   SELECT $1, 'failures', x.label, x.count FROM jsonb_to_recordset($2::jsonb) AS x(label text, count bigint)
   ON CONFLICT (hour, metric, label) DO UPDATE SET count = s.count + excluded.count`,
);

/** Refusals that belong to every good flow. */
const expected = new Set([
  'authorization_pending',
  'slow_down',
  'use_dpop_nonce',
  'login_required',
  'interaction_required',
  'consent_required',
]);

/** A person who refuses consent is counted by the audit log. */
const refusedByPerson = new Set(['authorization access_denied', 'resume access_denied']);

/**
 * Refused requests are in no table, since anybody can make them: each replica counts them, and adds what
 * was new to the hourly counts now and then.
 */
export function createRefusalCounts(db: Pick<Database, 'run'>, metrics: Pick<Metrics, 'refusals'>) {
  let written = new Map<string, number>();

  return {
    /** Call it every minute, one call after the other, and before the process ends. */
    async flush(now: Date): Promise<number> {
      const counts = await currentCounts(metrics);
      const added = [...counts].flatMap(([label, count]) => {
        const more = count - (written.get(label) ?? 0);
        return more > 0 ? [{ label, count: more }] : [];
      });
      if (added.length > 0) await db.run(add, [hourOf(now), JSON.stringify(added)]);
      written = counts;
      return added.length;
    },
  };
}

async function currentCounts(metrics: Pick<Metrics, 'refusals'>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { endpoint, error, count } of await metrics.refusals()) {
    const label = `${endpoint} ${error}`;
    if (!expected.has(error) && !refusedByPerson.has(label)) counts.set(label, count);
  }
  return counts;
}
