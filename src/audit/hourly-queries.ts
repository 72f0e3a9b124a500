import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';
import { dayOf, hourOf } from './hourly-policy.ts';

/** Metrics that come from audit events; `failures` comes from counters. */
const fromEvents = [
  'tokens_issued',
  'refresh_overlaps',
  'sign_ins',
  'denials',
  'registrations',
  'reuses',
  'lockouts',
];

/** Whoever got a token was active; a person who signed in, too. */
const tokenEvents = sql`('token_issued', 'token_refreshed', 'token_exchanged')`;

/** What each event counts as; most count as nothing. */
const meanings = sql`(VALUES
  ('tokens_issued', CASE e.type
     WHEN 'token_issued' THEN CASE WHEN e.detail->>'kind' = 'personal_access_token'
       THEN 'personal_access_token' ELSE regexp_replace(e.detail->>'grant_type', '^.*:', '') END
     WHEN 'token_refreshed' THEN 'refresh_token'
     WHEN 'token_exchanged' THEN 'token-exchange' END),
  ('refresh_overlaps', CASE WHEN e.type = 'token_refreshed' AND e.detail->>'overlap' = 'true' THEN '' END),
  ('sign_ins', CASE e.type WHEN 'user_login' THEN 'succeeded' WHEN 'user_login_failed' THEN 'failed' END),
  ('denials', CASE e.type WHEN 'consent_denied' THEN '' END),
  ('registrations', CASE e.type WHEN 'client_registered' THEN coalesce(e.detail->>'kind', 'other') END),
  ('reuses', CASE e.type WHEN 'refresh_token_reused' THEN coalesce(e.detail->>'verdict', 'other') END),
  ('lockouts', CASE e.type WHEN 'user_locked_out' THEN '' END)
)`;

export interface Window {
  readonly from: Date;
  /** Exclusive, and at most the end of the hour of `from`. */
  readonly to: Date;
}

/** Adds the events of a window to the counts of its hour. */
export async function addEvents(trx: Kysely<Tables>, { from, to }: Window): Promise<void> {
  await sql`INSERT INTO stats_hourly AS s (hour, metric, label, count)
    SELECT ${hourOf(from)}::timestamptz, m.metric, left(m.label, 100), count(*)
      FROM audit_events e CROSS JOIN LATERAL ${meanings} AS m(metric, label)
     WHERE e.at >= ${from} AND e.at < ${to} AND m.label IS NOT NULL
     GROUP BY m.metric, left(m.label, 100)
    ON CONFLICT (hour, metric, label) DO UPDATE SET count = s.count + excluded.count`.execute(trx);
}

/** Forgets what events counted as in an hour, so that it is counted anew. */
export async function clearEvents(trx: Kysely<Tables>, hour: Date): Promise<void> {
  await trx
    .deleteFrom('stats_hourly')
    .where('hour', '=', hour)
    .where('metric', 'in', fromEvents)
    .execute();
}

/**
 * Marks who was active in a window, and counts those who had not been in this hour, or on this day, before:
 * summed up, the counts of a day are distinct.
 */
export async function addActive(trx: Kysely<Tables>, { from, to }: Window): Promise<void> {
  await sql`WITH seen AS (
      SELECT v.kind, v.id, max(e.at) AS at
        FROM audit_events e CROSS JOIN LATERAL (VALUES
          ('client', CASE WHEN e.type IN ${tokenEvents} THEN e.client_id END),
          ('person', CASE WHEN e.type IN ${tokenEvents} OR e.type = 'user_login' THEN e.user_id END)
        ) AS v(kind, id)
       WHERE e.at >= ${from} AND e.at < ${to} AND v.id IS NOT NULL
       GROUP BY v.kind, v.id
    ), known AS (
      SELECT s.kind, a.last_at FROM seen s LEFT JOIN stats_active a ON a.kind = s.kind AND a.id = s.id
    ), marked AS (
      INSERT INTO stats_active AS a (kind, id, last_at) SELECT kind, id, at FROM seen
      ON CONFLICT (kind, id) DO UPDATE SET last_at = greatest(a.last_at, excluded.last_at)
    )
    INSERT INTO stats_hourly AS s (hour, metric, label, count)
    SELECT ${hourOf(from)}::timestamptz, metric, '', count(*) FROM (
      SELECT 'active_' || kind AS metric FROM known
       WHERE last_at IS NULL OR last_at < ${hourOf(from)}
      UNION ALL
      SELECT 'active_' || kind || '_day' FROM known
       WHERE last_at IS NULL OR last_at < ${dayOf(from)}
    ) AS newly GROUP BY metric
    ON CONFLICT (hour, metric, label) DO UPDATE SET count = s.count + excluded.count`.execute(trx);
}

/** The time of the first event there is. */
export async function firstEvent(trx: Kysely<Tables>, after: Date): Promise<Date | undefined> {
  const row = await trx
    .selectFrom('audit_events')
    .select('at')
    .where('at', '>=', after)
    .orderBy('at')
    .limit(1)
    .executeTakeFirst();
  return row?.at;
}
