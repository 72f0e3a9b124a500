import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Database, migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { createFlows, type FlowQuery, listFlowsPage } from './index.ts';

const now = new Date('2026-11-21T12:00:00Z');
const crowd = 60_000;
/** Rows that one step of a plan may read: as many as a page may examine, and one lookup for each. */
const most = 11_000;

let db: Database;
let explainer: pg.Client;
beforeAll(async () => {
  const dsn = await createTestDatabase('flows');
  db = await openDatabase({
    driver: 'postgres',
    dsn,
    maxConnections: 2,
    statementTimeout: 20_000,
    connectTimeout: 5000,
  });
  await migrate(db);
  explainer = new pg.Client({ connectionString: dsn });
  await explainer.connect();
  await explainer.query(
    `INSERT INTO flows SELECT 'flow_' || n, CASE n % 3 WHEN 0 THEN 'failed' ELSE 'succeeded' END,
       CASE n % 3 WHEN 0 THEN 'authorize' END, CASE n % 3 WHEN 0 THEN 'invalid_target' END, NULL,
       'client_' || n % 5000, 'App ' || n % 5000, 'dcr', NULL, 'https://mcp.test/' || n % 50,
       'host' || n % 1000 || '.test', NULL, 'fam_' || n, 1, 'F' || n, 'T' || n, ARRAY['F' || n, 'T' || n],
       '{}', $1::timestamptz - make_interval(secs => n), $1, $1::timestamptz + interval '14 days'
     FROM generate_series(1, $2::int) n`,
    [now, crowd],
  );
  await explainer.query('ANALYZE flows');
});
afterAll(async () => {
  await explainer.end();
  await db.close();
});

interface Plan {
  'Relation Name'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
}

function mostRead(plan: Plan): number {
  const removed =
    (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0);
  const read = ((plan['Actual Rows'] ?? 0) + removed) * (plan['Actual Loops'] ?? 1);
  const own = plan['Relation Name'] === undefined ? 0 : read;
  return Math.max(own, ...(plan.Plans ?? []).map(mostRead));
}

async function sentBy(work: () => Promise<unknown>): Promise<[string, unknown[]][]> {
  const spy = vi.spyOn(pg.Client.prototype, 'query');
  try {
    await work();
    return spy.mock.calls.map(([text, values]) => [String(text), Object(values)]);
  } finally {
    spy.mockRestore();
  }
}

const queries: [string, Partial<FlowQuery>, number][] = [
  ['all', {}, 50],
  ['oldest first', { sort: 'created_at' }, 50],
  ['of a client', { clientId: 'client_7' }, 12],
  ['of a client that failed', { clientId: 'client_6', status: 'failed' }, 4],
  ['of a resource', { resource: 'https://mcp.test/7' }, 50],
  [
    'of a resource that failed in a way',
    { resource: 'https://mcp.test/9', error: 'invalid_target' },
    50,
  ],
  ['in a way that none has', { error: 'nothing' }, 0],
  ['that failed at a step', { failedStep: 'authorize' }, 50],
  ['by a trace id', { traceId: 't777' }, 1],
  ['by a prefix of few', { q: 'CLIENT_4999' }, 12],
  ['by a prefix of many', { q: 'app' }, 50],
  ['by a prefix of none', { q: 'zzz' }, 0],
  [
    'of a time',
    { from: new Date(now.getTime() - 40_000_000), to: new Date(now.getTime() - 30_000_000) },
    50,
  ],
];

describe('a page of flows MUST NOT read the whole table', () => {
  test.each(queries)('%s', async (_what, query, count) => {
    let found = 0;
    const sent = await sentBy(async () => {
      const { items } = await listFlowsPage(db.kysely, { limit: 50, ...query }, now);
      found = items.length;
    });
    expect(found).toBe(count);
    expect(sent).not.toEqual([]);
    for (const [text, values] of sent) {
      const { rows } = await explainer.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
      const plan: Plan = rows[0]['QUERY PLAN'][0].Plan;
      expect(mostRead(plan), `${text}\n${JSON.stringify(plan, null, 1)}`).toBeLessThan(most);
    }
  });
});

test('pages follow each other without a gap', async () => {
  const query = { clientId: 'client_7', limit: 5 };
  const first = await listFlowsPage(db.kysely, query, now);
  const second = await listFlowsPage(db.kysely, { ...query, cursor: first.next_cursor }, now);
  const ids = [...first.items, ...second.items].map(({ id }) => Number(id.slice('flow_'.length)));
  expect(ids).toEqual([7, 5007, 10_007, 15_007, 20_007, 25_007, 30_007, 35_007, 40_007, 45_007]);
});

describe('what is told of a flow', () => {
  const report = { address: '192.0.2.1', at: now, steps: [], outcome: 'open' } as const;
  const flowOf = async (id: string) =>
    db.kysely.selectFrom('flows').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

  test('is added to its row, and what succeeded has not failed', async () => {
    const config = { retention: { flows: 14 * 86_400 } };
    const replicas = [1, 2].map(() => createFlows({ db, log: { warn() {} } }, config));
    const [one, two] = replicas;
    const step = { name: 'token', at: now } as const;
    const own = { ...report, flowId: 'flow_new', userId: 'usr_1' };
    one?.tell({ ...own, traceId: 'A', begins: true, clientId: 'PUB' });
    await one?.flush();
    const ok = { ...step, state: 'ok', traceId: 'B' } as const;
    two?.tell({ ...own, traceId: 'B', outcome: 'succeeded', steps: [ok] });
    await two?.flush();
    const failed = { ...step, state: 'failed', error: 'invalid_grant', traceId: 'C' } as const;
    one?.tell({ ...own, traceId: 'C', outcome: 'failed', steps: [failed] });
    await one?.flush();
    expect(await flowOf('flow_new')).toMatchObject({
      status: 'succeeded',
      error: null,
      failed_step: null,
      client_id: 'PUB',
      attempts: 1,
      trace_ids: ['A', 'B', 'C'],
      first_trace: 'A',
      last_trace: 'C',
      steps: { token: { state: 'ok' } },
    });
  });

  test('by many strangers is cut, and nobody who signed in with it', async () => {
    const config = { retention: { flows: 60 } };
    const flows = createFlows({ db, log: { warn() {} } }, config);
    const tell = (n: number, more: object) =>
      flows.tell({
        ...report,
        address: `192.0.2.${n}`,
        flowId: `flow_many_${n}`,
        traceId: `M${n}`,
        begins: true,
        ...more,
      });
    for (let n = 0; n < 700; n += 1) tell(n, {});
    tell(1000, { userId: 'usr_2' });
    await flows.flush();
    const { rows } = await explainer.query("SELECT id FROM flows WHERE id LIKE 'flow_many_%'");
    expect(rows).toHaveLength(601);
    expect(await flowOf('flow_many_1000')).toMatchObject({ user_id: 'usr_2' });
  });
});
