import { type Database, statement } from '../db/index.ts';
import { mostTraces, type PendingFlow } from './pending.ts';

const columns = `id text, status text, failed_step text, error text, sentence text, client_id text,
    client_name text, client_kind text, user_id text, resource text, redirect_host text, scope text,
    family_id text, attempts integer, trace_ids text[], steps jsonb, earlier jsonb,
    created_at timestamptz, updated_at timestamptz`;

/**
 * Everything that a batch has learnt, in one statement. What a row knows is kept, later steps replace
 * earlier ones of the same name, and what has succeeded once has not failed: neither a step nor the whole. $1 rows, $2 seconds kept.
 */
const writeFlowsStatement = statement(
  'write_flows',
  `WITH n AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(${columns}))
   INSERT INTO flows AS f (id, status, failed_step, error, sentence, client_id, client_name, client_kind,
       user_id, resource, redirect_host, scope, family_id, attempts, first_trace, last_trace, trace_ids,
       steps, created_at, updated_at, expires_at)
   SELECT n.id, n.status, n.failed_step, n.error, n.sentence, n.client_id, n.client_name, n.client_kind,
       n.user_id, n.resource, n.redirect_host, n.scope, n.family_id, greatest(n.attempts, 1),
       n.trace_ids[1], n.trace_ids[cardinality(n.trace_ids)], n.trace_ids, n.earlier || n.steps,
       n.created_at, n.updated_at, n.created_at + make_interval(secs => $2)
     FROM n
   ON CONFLICT (id) DO UPDATE SET
       status = CASE WHEN f.status = 'succeeded' OR excluded.status = 'succeeded' THEN 'succeeded'
                     WHEN f.status = 'failed' OR excluded.status = 'failed' THEN 'failed'
                     ELSE 'open' END,
       failed_step = CASE WHEN f.status = 'succeeded' OR excluded.status = 'succeeded' THEN NULL
                          ELSE coalesce(excluded.failed_step, f.failed_step) END,
       error = CASE WHEN f.status = 'succeeded' OR excluded.status = 'succeeded' THEN NULL
                    ELSE coalesce(excluded.error, f.error) END,
       sentence = CASE WHEN f.status = 'succeeded' OR excluded.status = 'succeeded' THEN NULL
                       ELSE coalesce(excluded.sentence, f.sentence) END,
       client_id = coalesce(excluded.client_id, f.client_id),
       client_name = coalesce(excluded.client_name, f.client_name),
       client_kind = coalesce(excluded.client_kind, f.client_kind),
       user_id = coalesce(excluded.user_id, f.user_id),
       resource = coalesce(excluded.resource, f.resource),
       redirect_host = coalesce(excluded.redirect_host, f.redirect_host),
       scope = coalesce(excluded.scope, f.scope),
       family_id = coalesce(excluded.family_id, f.family_id),
       attempts = f.attempts + (SELECT n.attempts FROM n WHERE n.id = f.id),
       last_trace = excluded.last_trace,
       trace_ids = (SELECT array_agg(t ORDER BY place) FROM (
                      SELECT t, min(place) AS place FROM unnest(f.trace_ids || excluded.trace_ids)
                        WITH ORDINALITY AS all_traces(t, place) GROUP BY t ORDER BY min(place) DESC
                       LIMIT ${mostTraces}) AS kept),
       steps = (SELECT n.earlier || f.steps || coalesce((
                      SELECT jsonb_object_agg(s.key, s.value) FROM jsonb_each(n.steps) s
                       WHERE s.value ->> 'state' = 'ok'
                          OR f.steps -> s.key ->> 'state' IS DISTINCT FROM 'ok'), '{}'::jsonb)
                  FROM n WHERE n.id = f.id),
       updated_at = greatest(f.updated_at, excluded.updated_at)`,
);

export async function writeFlows(
  db: Database,
  flows: readonly PendingFlow[],
  keptFor: number,
): Promise<void> {
  await db.run(writeFlowsStatement, [JSON.stringify(flows), keptFor]);
}

/** The first call at a resource server with a token of an attempt. $1 `{family_id, step}` rows */
const writeFirstCallsStatement = statement(
  'write_first_calls',
  `UPDATE flows f SET steps = f.steps || jsonb_build_object('first_call', n.step)
     FROM jsonb_to_recordset($1::jsonb) AS n(family_id text, step jsonb)
    WHERE f.family_id = n.family_id AND f.steps -> 'first_call' ->> 'state' IS DISTINCT FROM 'ok'`,
);

export async function writeFirstCalls(
  db: Database,
  calls: readonly { family_id: string; step: object }[],
): Promise<void> {
  await db.run(writeFirstCallsStatement, [JSON.stringify(calls)]);
}

const removeExpiredStatement = statement(
  'remove_expired_flows',
  `DELETE FROM flows WHERE id IN (
     SELECT id FROM flows WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
   RETURNING id`,
);

/** One small batch. @returns how many went */
export async function removeExpiredFlows(db: Database, now: Date, atMost: number): Promise<number> {
  return (await db.run(removeExpiredStatement, [now, atMost])).length;
}
