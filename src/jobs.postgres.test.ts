import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countEvents } from './audit/index.ts';
import { activeQuery, countsQuery, sumsQuery } from './audit/stats.ts';
import { type Database, migrate, openDatabase } from './db/index.ts';
import { createTestDatabase } from './db/postgres.testing.ts';
import { createScheduler, inBatches, type Job } from './scheduler/index.ts';
import { createTokens } from './tokens/index.ts';

/** What jobs must hold where several replicas share one database. */

let one: Database;
let two: Database;
beforeAll(async () => {
  const dsn = await createTestDatabase('jobs');
  const open = () =>
    openDatabase({
      ...{ driver: 'postgres', dsn, maxConnections: 4 },
      ...{ statementTimeout: 20_000, connectTimeout: 5000 },
    });
  one = await open();
  two = await open();
  await migrate(one);
});
afterAll(async () => {
  await one.close();
  await two.close();
});

const log = { info() {}, error: (line: object) => logged.push(line) };
const logged: object[] = [];
const now = () => new Date();
const replica = (db: Database, name: string, jobs: Job[]) =>
  createScheduler({ db, now, log, replica: name }, jobs);

test('of two replicas that start at once one MUST do the work, and each batch once', async () => {
  await sql`INSERT INTO replay_claims (id, expires_at)
    SELECT 'claim' || n, now() - interval '1 hour' FROM generate_series(1, 20000) AS n`.execute(
    one.kysely,
  );
  const removed: Record<string, number> = { one: 0, two: 0 };
  const sweep = (db: Database, name: string): Job => ({
    ...{ name: 'sweep', title: 'Sweep', interval: 600 },
    async run(run) {
      const tokens = createTokens(db, { tokens: { personal_access_max_ttl: 1 } });
      const gone = await inBatches(run, () => tokens.sweep.removeExpired(now(), 500));
      removed[name] = (removed[name] ?? 0) + gone;
      return gone;
    },
  });
  const replicas = [
    replica(one, 'one', [sweep(one, 'one')]),
    replica(two, 'two', [sweep(two, 'two')]),
  ];
  await Promise.all(replicas.map((each) => each.runDue()));
  expect(logged).toEqual([]);
  expect(Object.values(removed).toSorted((a, b) => a - b)).toEqual([0, 20_000]);
  expect(await replicas[0]?.states()).toMatchObject([{ status: 'ok', rows: 20_000 }]);
});

test('a job that runs on one replica is not begun on another, whatever the clock says', async () => {
  const { promise: finished, resolve: finish } = Promise.withResolvers<number>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  let runs = 0;
  const long: Job = {
    ...{ name: 'long', title: 'Long', interval: 0.001 },
    async run() {
      runs += 1;
      begin();
      return finished;
    },
  };
  const [first, second] = [replica(one, 'one', [long]), replica(two, 'two', [long])];
  const running = first.runDue();
  await begun;
  await second.runDue();
  expect(runs).toBe(1);
  expect(await second.states()).toMatchObject([{ status: 'running', runningOn: 'one' }]);
  finish(1);
  await running;
  await second.runDue();
  expect(runs).toBe(2);
});

test('when a replica dies, its jobs are free: the lock ends with its connection', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const work = one.tryLock('job:dying', async () => {
    begin();
    await new Promise((resolve) => setTimeout(resolve, 2000));
  });
  await begun;
  expect(await two.tryLock('job:dying', async () => 'mine')).toBeUndefined();
  await sql`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`.execute(
    two.kysely,
  );
  await expect.poll(() => two.tryLock('job:dying', async () => 'mine')).toBe('mine');
  await work;
  expect(await one.tryLock('job:dying', async () => 'again')).toBe('again');
});

test('events are counted once although four replicas count at once', async () => {
  await sql`INSERT INTO audit_events (at, type, actor_kind, client_id, user_id, detail)
    SELECT now() - interval '90 minutes' - n * interval '1 second', 'token_issued', 'client',
           'C' || n % 70, 'usr_' || n % 50, '{"grant_type":"authorization_code"}'
      FROM generate_series(1, 20000) AS n`.execute(one.kysely);
  const at = now();
  const count = async (db: Database) => {
    while (await countEvents(db, at));
  };
  await Promise.all([count(one), count(two), count(one), count(two)]);
  const sum = async (metric: string) => {
    const { rows } = await sql<{ sum: string }>`
      SELECT sum(count) AS sum FROM stats_hourly WHERE metric = ${metric}`.execute(one.kysely);
    return Number(rows[0]?.sum);
  };
  expect(await sum('tokens_issued')).toBe(20_000);
  const { rows } = await sql<{ hours: string; days: string }>`
    SELECT count(DISTINCT (date_trunc('hour', at), client_id)) AS hours,
           count(DISTINCT (date_trunc('day', at, 'UTC'), client_id)) AS days FROM audit_events`.execute(
    one.kysely,
  );
  expect(await sum('active_client')).toBe(Number(rows[0]?.hours));
  expect(await sum('active_client_day')).toBe(Number(rows[0]?.days));
});

test('what the charts ask is read along an index, and no table is scanned', async () => {
  await sql`INSERT INTO stats_hourly (hour, metric, label, count)
    SELECT date_trunc('hour', now()) - n / 30 * interval '1 hour', 'tokens_issued', 'label' || n % 30, n
      FROM generate_series(1000, 200000) AS n ON CONFLICT DO NOTHING`.execute(one.kysely);
  await sql`INSERT INTO stats_active (kind, id, last_at)
    SELECT CASE n % 2 WHEN 0 THEN 'client' ELSE 'person' END, 'A' || n, now() - n * interval '1 minute'
      FROM generate_series(1, 100000) AS n`.execute(one.kysely);
  await sql`ANALYZE stats_hourly, stats_active`.execute(one.kysely);
  const period = { from: new Date(Date.now() - 86_400_000), to: now() };
  for (const query of [
    countsQuery(one.kysely, period, 'hour'),
    countsQuery(one.kysely, period, 'day'),
    sumsQuery(one.kysely, period),
    activeQuery(one.kysely, 'client', period.from),
  ]) {
    const plan = JSON.stringify(await query.explain('text'));
    expect(plan).toContain('Index');
    expect(plan).not.toContain('Seq Scan');
  }
});
