import { expect, test } from 'vitest';
import { migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { ada, testUpstream } from './connections.testing.ts';
import { mostServers } from './server-policy.ts';

test('a workspace MUST NOT have more servers than it may, however many are added at once (T28)', async () => {
  const db = await openDatabase({
    ...{ driver: 'postgres' as const, dsn: await createTestDatabase('servers'), maxConnections: 8 },
    ...{ statementTimeout: 20_000, connectTimeout: 10_000 },
  });
  try {
    await migrate(db);
    const up = await testUpstream(db);
    const by = { actor: { kind: 'user', id: ada } as const, meta: up.meta() };
    const input = { name: 'One', url: 'https://a.example/mcp' };
    const add = () => up.servers.create({ workspaceId: 'ws_one', userId: ada, input }, by);
    for (let count = 0; count < mostServers - 2; count += 1) await add();
    const late = await Promise.allSettled(Array.from({ length: 8 }, add));
    expect(late.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  } finally {
    await db.close();
  }
}, 120_000);
