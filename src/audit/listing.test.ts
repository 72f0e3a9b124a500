import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { exportEvents } from './export.ts';
import { type EventQuery, listEvents } from './listing.ts';

/** A page looks at a bounded number of events, and still every event is on one; exports have flat memory. */

const many = 12_000;
let db: Database;
beforeAll(async () => {
  db = await testDatabase();
  await sql`
    INSERT INTO audit_events (at, type, actor_kind, client_id, user_id, ip, trace_id, detail)
    SELECT '2026-03-01T00:00:00Z'::timestamptz + (n / 4) * interval '1 second', 'token_issued', 'client',
           'client-' || (n % 3), 'usr_' || (n % 5), CASE n WHEN 7 THEN '192.0.2.9' ELSE '192.0.2.1' END,
           'T' || lpad(n::text, 9, '0'), '{}'
      FROM generate_series(1, ${many}) n`.execute(db.kysely);
}, 60_000);
afterAll(() => db.close());

async function all(query: Partial<EventQuery>) {
  const traces: string[] = [];
  let pages = 0;
  let after: EventQuery['after'];
  do {
    const page = await listEvents(db.kysely, { limit: 200, ...query, after });
    traces.push(...page.items.map(({ trace_id }) => trace_id ?? ''));
    after = page.next;
    pages += 1;
  } while (after);
  return { traces, pages };
}

const trace = (n: number) => `T${String(n).padStart(9, '0')}`;

test.each(['at', '-at'] as const)('a filter that one event matches finds it (%s)', async (sort) => {
  const { traces, pages } = await all({ ip: '192.0.2.9', sort });
  expect(traces).toEqual([trace(7)]);
  expect(pages).toBe(3); // 5,000 events each
});

test('equal times do not lose rows between pages', async () => {
  const { traces } = await all({ client_id: 'client-1', user_id: 'usr_2', limit: 7 });
  expect(new Set(traces).size).toBe(traces.length);
  expect(traces).toHaveLength(many / 15);
});

test('a search that matches people and clients, narrowed by a rare filter, finds all of it once', async () => {
  const { traces } = await all({ q: 'client-1', ip: '192.0.2.9' });
  expect(traces).toEqual([trace(7)]);
  expect((await all({ q: 'usr_2' })).traces).toHaveLength(many / 5);
  expect((await all({ q: 't00000123' })).traces).toEqual(
    [1239, 1238, 1237, 1236, 1235, 1234, 1233, 1232, 1231, 1230].map(trace),
  );
});

test('an export of many events comes in pieces of a few hundred, in order, as lines of JSON', async () => {
  let count = 0;
  let last = '';
  for await (const piece of exportEvents(db.kysely, 'ndjson', {})) {
    const rows: { at: string }[] = piece
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.length).toBeLessThanOrEqual(500);
    for (const { at } of rows) {
      expect(at >= last).toBe(true);
      last = at;
    }
    count += rows.length;
  }
  expect(count).toBe(many);
}, 60_000);

test('what a spreadsheet would take for a formula MUST stay text in a CSV', async () => {
  const hostile = ['=cmd|"/c calc"!A1', '+1', '-1', '@SUM(A1)', '\t=1', ' =1', '＝1', 'a"b\r\n,c'];
  for (const [index, name] of hostile.entries()) {
    await sql`INSERT INTO audit_events (at, type, actor_kind, actor_id, user_agent, detail)
      VALUES ('2026-04-01T00:00:00Z', 'client_updated', 'client', ${name}, ${name},
        ${JSON.stringify({ name, index })}::jsonb)`.execute(db.kysely);
  }
  let text = '';
  for await (const piece of exportEvents(db.kysely, 'csv', { type: ['client_updated'] }))
    text += piece;
  const fields = [...text.matchAll(/"((?:[^"]|"")*)"/g)].map(([, field = '']) => field);
  expect(fields.length % 13).toBe(0);
  expect(fields.filter((field) => /^\s*[=+\-@＝\t\r]/.test(field))).toEqual([]);
  expect(fields).toContain('\'=cmd|""/c calc""!A1');
  expect(fields).toContain('a""b\r\n,c');
  expect(text.split('"\r\n"')).toHaveLength(hostile.length + 1);
});
