import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { startStrangeServer } from './authorization-server.testing.ts';
import { ada, browserOf, testUpstream } from './connections.testing.ts';

test('replicas that refresh one token at once send one refresh, and a strict server keeps the connection (U11)', async () => {
  const dsn = await createTestDatabase('upstream');
  const open = () =>
    openDatabase({
      ...{ driver: 'postgres' as const, dsn, maxConnections: 2 },
      ...{ statementTimeout: 20_000, connectTimeout: 10_000 },
    });
  const databases = await Promise.all([open(), open(), open()]);
  const [first] = databases;
  if (!first) throw new Error('no database');
  await migrate(first);
  const strange = await startStrangeServer();
  const key = randomBytes(32);
  const replicas = [];
  for (const db of databases) {
    replicas.push(await testUpstream(db, { key, timeoutMs: 5000, fresh: db === first }));
  }
  const [one] = replicas;
  if (!one) throw new Error('no replica');
  try {
    const server = await one.add(strange.url);
    const browser = browserOf('ada');
    const back = strange.allow(await one.connections.begin(server, ada, browser));
    await one.connections.accept(
      { uuid: server.uuid, query: back.search, userId: ada, browser },
      one.meta(),
    );
    for (let round = 1; round <= 5; round += 1) {
      for (const replica of replicas) replica.advance(400); // it has ended: nobody can go on with the old one
      // What lives shorter than we look ahead is refreshed once, too.
      strange.manners.token = round > 3 ? { expires_in: 30 } : {};
      strange.manners.delay = 300; // longer than any of them needs to look
      const all = await Promise.all(
        replicas.flatMap((replica) =>
          Array.from({ length: 10 }, () => replica.connections.accessFor(server, ada)),
        ),
      );
      const tokens = new Set(
        all.map((access) => (access.ok ? access.headers.authorization : 'none')),
      );
      expect([...tokens]).toEqual([expect.stringMatching(/^Bearer access-/)]);
      expect(strange).toMatchObject({ refreshed: round, reused: 0 });
    }
    expect(await one.connections.statusOf(server, ada)).toBe('connected');
  } finally {
    await strange.close();
    for (const db of databases) await db.close();
  }
}, 60_000);
