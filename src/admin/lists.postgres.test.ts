import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Database, migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { seedCrowd } from '../db/seed.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { pages } from './list-pages.testing.ts';

/**
 * No page of the console reads a whole table: every statement that a list, filter or search sends is explained
 * on a database of a size where a scan shows.
 */
const crowd = {
  clients: 30_000,
  people: 30_000,
  grants: 40_000,
  issuances: 60_000,
  events: 60_000,
};
/** Rows that one step of a plan may read: as many as a page may examine, and one lookup for each. */
const most = 11_000;

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
}

interface Sent {
  text: string;
  values: unknown[];
}

let api: TestApi;
let explainer: pg.Client;

beforeAll(async () => {
  const dsn = await createTestDatabase('lists');
  const db: Database = await openDatabase({
    driver: 'postgres',
    dsn,
    maxConnections: 4,
    statementTimeout: 10_000,
    connectTimeout: 5000,
  });
  await migrate(db);
  api = await startApi({ db });
  await api.server.app.scheduler.stop(); // its statements are no page's
  await seedCrowd(dsn, crowd);
  explainer = new pg.Client({ connectionString: dsn });
  await explainer.connect();
});

afterAll(async () => {
  await explainer.end();
  await api.close();
});

describe('a page MUST NOT read a whole table', () => {
  test.each(pages)('%s', async (_name, path) => {
    const sent = await statementsOf(`/admin/api${path(1)}`);
    expect(sent).not.toEqual([]);
    for (const { text, values } of sent) {
      const { rows } = await explainer.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
      const plan: Plan = rows[0]['QUERY PLAN'][0].Plan;
      expect(mostRead(plan), `${text}\n${JSON.stringify(plan, null, 1)}`).toBeLessThan(most);
    }
  });
});

/** What the server asks the database while it answers, as the driver sends it. */
async function statementsOf(path: string): Promise<Sent[]> {
  const spy = vi.spyOn(pg.Client.prototype, 'query');
  try {
    expect(await api.get(path)).toMatchObject({ status: 200 });
    return spy.mock.calls
      .map(([query, values]) => asSent(query, values))
      .filter(({ text }) => /^\s*(select|with)\b/i.test(text));
  } finally {
    spy.mockRestore();
  }
}

/** The driver takes a text with values, or an object with both. */
function asSent(query: unknown, values: unknown): Sent {
  if (typeof query === 'string')
    return { text: query, values: Array.isArray(values) ? values : [] };
  const { text = '', values: own = [] }: Partial<Sent> = { ...Object(query) };
  return { text, values: own };
}

/** The most rows that one step of a plan has read from a table. */
function mostRead(plan: Plan): number {
  const loops = plan['Actual Loops'] ?? 1;
  const passed = plan['Actual Rows'] ?? 0;
  const removed =
    (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0);
  const own = plan['Relation Name'] === undefined ? 0 : (passed + removed) * loops;
  return Math.max(own, ...(plan.Plans ?? []).map(mostRead));
}
