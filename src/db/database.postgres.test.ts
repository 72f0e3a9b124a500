import { afterEach, expect, test } from 'vitest';
import {
  type Database,
  DatabaseStartError,
  migrate,
  openDatabase,
  pendingMigrations,
} from './index.ts';
import { createTestDatabase } from './postgres.testing.ts';

const opened: Database[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.close()));
});

async function open(dsn: string): Promise<Database> {
  const db = await openDatabase({
    driver: 'postgres',
    dsn,
    maxConnections: 4,
    statementTimeout: 5000,
    connectTimeout: 5000,
  });
  opened.push(db);
  return db;
}

test('five replicas that start on an empty database at once MUST migrate it exactly once', async () => {
  const dsn = await createTestDatabase('replicas');
  const replicas = await Promise.all(Array.from({ length: 5 }, () => open(dsn)));
  const runs = await Promise.all(replicas.map((db) => migrate(db)));
  expect(runs.filter((names) => names.length > 0)).toHaveLength(1);
  const [first] = replicas;
  expect(first && (await pendingMigrations(first))).toEqual([]);
});

test('a listener MUST hear notifications of another replica, also after its connection was lost', async () => {
  const dsn = await createTestDatabase('listen');
  const [one, two] = [await open(dsn), await open(dsn)];
  const heard: string[] = [];
  await one.listen('news', (payload) => heard.push(payload));
  await two.notify('news', 'first');
  await expect.poll(() => heard).toEqual(['first']);
  await two.run(
    {
      name: 'kill',
      text: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'authserver listener'",
    },
    [],
  );
  await expect.poll(() => heard, { timeout: 5000 }).toEqual(['first', '']);
  await two.notify('news', 'second');
  await expect.poll(() => heard).toEqual(['first', '', 'second']);
});

test('an advisory lock MUST let one replica in at a time', async () => {
  const dsn = await createTestDatabase('lock');
  const [one, two] = [await open(dsn), await open(dsn)];
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside -= 1;
  };
  await Promise.all([one, two, one, two].map((db) => db.withLock('job', work)));
  expect(most).toBe(1);
});

test('a wrong port is refused with the reason, not hung', async () => {
  const refused = openDatabase({
    driver: 'postgres',
    dsn: 'postgres://nobody@127.0.0.1:1/none',
    maxConnections: 1,
    statementTimeout: 1000,
    connectTimeout: 1000,
  });
  await expect(refused).rejects.toThrow('ECONNREFUSED');
  expect(DatabaseStartError.name).toBe('DatabaseStartError');
});
