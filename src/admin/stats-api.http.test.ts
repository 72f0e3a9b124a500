import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countEvents } from '../audit/index.ts';
import { authorize, code, good, redeem, refresh, tokens } from '../provider/flow.testing.ts';
import { alice } from '../provider/server.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { stats } from './contract/index.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  const second = api.server.now().getTime() / 1000;
  api.server.advance(86_400 - (second % 86_400) + 300); // far from the end of an hour and a day
});
afterAll(() => api.close());

const overview = (query: object = {}) => api.client.call(stats.overview, { query });
const countAll = async () => {
  const now = api.server.now();
  while (await countEvents(api.server.db, now));
};
const rows = () =>
  api.server.db.kysely
    .selectFrom('stats_hourly')
    .selectAll()
    .orderBy('hour')
    .orderBy('metric')
    .orderBy('label')
    .execute();

test('before the first token the steps towards it are shown', async () => {
  const { getting_started: start, tokens_issued: issued, attention } = await overview();
  expect(start.done).toBe(false);
  expect(Object.fromEntries(start.steps.map(({ id, done }) => [id, done]))).toEqual({
    owner: false,
    resource: true,
    person: true,
    client: true,
    token: false,
  });
  expect(issued).toEqual({ total: 0, previous: 0, series: [] });
  expect(attention).toMatchObject([{ id: 'owner_missing', severity: 'warning' }]);
});

test('after traffic the charts are equal to what really happened (roll-ups)', async () => {
  const { server } = api;
  const first = await tokens(server);
  const second = await refresh(server, first.refresh_token);
  expect(second.status).toBe(200);
  expect((await refresh(server, first.refresh_token)).status).toBe(200); // absorbed overlap
  const flow = good();
  await redeem(server, flow, await code(server, flow), { code_verifier: 'x'.repeat(43) });
  await authorize(server, good({ scope: 'mcp:write' }), { decision: 'deny' });
  await authorize(server, good(), { person: { ...alice, password: 'wrong wrong wrong' } });
  await redeem(server, good(), 'not-a-code');
  await redeem(server, good(), 'not-a-code');
  server.advance(30);
  await server.app.scheduler.runDue();
  const shown = await overview();
  expect(shown.tokens_issued).toMatchObject({
    total: 3,
    previous: 0,
    series: [
      { label: 'refresh_token', total: 2 },
      { label: 'authorization_code', total: 1 },
    ],
  });
  expect(shown.tokens_issued.series[0]?.values.at(-1)).toBe(2);
  expect(shown.refresh_overlaps.total).toBe(1);
  expect(labels(shown.sign_ins)).toMatchObject({ succeeded: 3, failed: 3 });
  expect(labels(shown.failures)).toMatchObject({ 'token invalid_grant': 3, 'consent denied': 1 });
  expect(shown.active_clients).toMatchObject({ total: 1 });
  expect(shown.active_people.total).toBe(1);
  expect(shown.active_people.values.at(-1)).toBe(1);
  expect(shown.times).toHaveLength(24);
  expect(shown.getting_started).toMatchObject({ done: true });
  const raw = await server.db.kysely
    .selectFrom('audit_events')
    .select('type')
    .where('type', 'in', ['token_issued', 'token_refreshed', 'user_login'])
    .execute();
  const ofType = (type: string) => raw.filter((event) => event.type === type).length;
  expect(shown.tokens_issued.total).toBe(ofType('token_issued') + ofType('token_refreshed'));
  expect(labels(shown.sign_ins).succeeded).toBe(ofType('user_login'));
});

test('counting again, and after the hour is over, MUST change nothing', async () => {
  const { server } = api;
  const before = await rows();
  await countAll();
  await Promise.all([countAll(), countAll(), countAll()]);
  expect(await rows()).toEqual(before);
  server.advance(3 * 3600);
  await countAll();
  expect(await rows()).toEqual(before);
  expect((await overview()).tokens_issued.total).toBe(3);
});

test('an event that came late is in its hour once that is closed', async () => {
  const { server } = api;
  await countAll();
  const at = server.now();
  server.advance(60);
  await countAll();
  await sql`INSERT INTO audit_events (at, type, actor_kind, detail)
    VALUES (${at}, 'user_login', 'user', '{}')`.execute(server.db.kysely);
  await countAll();
  const signIns = async () => (await overview()).sign_ins.total;
  const early = await signIns();
  server.advance(3600 + 600);
  await countAll();
  expect(await signIns()).toBe(early + 1);
});

test('steps are summed up by day, and another day begins anew', async () => {
  const { server } = api;
  server.advance(86_400);
  await tokens(server);
  server.advance(60);
  await server.app.scheduler.runDue();
  const {
    tokens_issued: issued,
    active_people: people,
    ...shown
  } = await overview({ step: 'day' });
  expect(shown.times).toHaveLength(24);
  expect(shown.times.every((time) => time.endsWith('T00:00:00.000Z'))).toBe(true);
  expect(issued.total).toBe(4);
  const values = issued.series.find(({ label }) => label === 'authorization_code')?.values;
  expect(values?.at(-1)).toBe(1);
  expect(people.values.at(-1)).toBe(1);
  expect(people.values.reduce((sum, value) => sum + value, 0)).toBe(2);
  const today = await overview({ from: server.now().toISOString() });
  expect(today.active_people.total).toBe(1);
});

test('what was counted before a restart is there after it, refusals too', async () => {
  const { server } = api;
  await redeem(server, good(), 'not-a-code');
  const { refusalCounts } = server.app.rooms;
  const before = labels((await overview({ step: 'day' })).failures);
  await refusalCounts.flush(server.now());
  await refusalCounts.flush(server.now());
  const after = labels((await overview({ step: 'day' })).failures);
  expect(after['token invalid_grant']).toBe((before['token invalid_grant'] ?? 0) + 1);
});

test.each([
  [{ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }, 'from has to be before to.'],
  [{ from: '2020-01-01T00:00:00Z' }, 'hours apart; 336 are shown at most'],
  [{ from: '2020-01-01T00:00:00Z', step: 'day' }, 'days apart; 100 are shown at most'],
  [{ from: 'yesterday' }, 'from in the query is not valid'],
  [{ step: 'week' }, 'step in the query is not valid'],
])('%j is refused with what is wrong', async (query, words) => {
  const path = `/admin/api/stats/overview?${new URLSearchParams(query)}`;
  const { status, json } = await api.get(path);
  expect({ status, json }).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
  expect(json.error_description).toContain(words);
});

test('a job that fails and a theft need attention', async () => {
  const { server } = api;
  await server.db.kysely
    .updateTable('job_runs')
    .set({ failures: 7, error: 'the disk is full' })
    .where('name', '=', 'expired-tokens')
    .execute();
  await sql`INSERT INTO audit_events (at, type, actor_kind, detail)
    VALUES (${server.now()}, 'refresh_token_reused', 'client', '{"verdict":"possible_theft"}')`.execute(
    server.db.kysely,
  );
  server.advance(60);
  await countAll();
  const { attention } = await overview();
  expect(attention).toMatchObject([
    {
      id: 'job_failing:expired-tokens',
      severity: 'critical',
      detail: expect.stringContaining('disk is full'),
    },
    { id: 'possible_theft', severity: 'critical' },
    expect.anything(),
  ]);
});

function labels({ series }: { series: { label: string; total: number }[] }) {
  return Object.fromEntries(series.map(({ label, total }) => [label, total]));
}
