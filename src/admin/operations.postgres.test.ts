import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { clients, resources } from './contract/index.ts';

/** What two replicas on one database must agree on. */

const env = {
  AUTHPLANE_DATA_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  AUTHPLANE_SESSION_SECRET: 'the same for both replicas, 32 characters',
};

let replicas: [TestApi, TestApi];
beforeAll(async () => {
  const dsn = await createTestDatabase('admin_operations');
  const open = () =>
    openDatabase({
      ...{ driver: 'postgres', dsn, maxConnections: 6 },
      ...{ statementTimeout: 10_000, connectTimeout: 5000 },
    });
  const [one, other]: [Database, Database] = [await open(), await open()];
  await migrate(one);
  replicas = [await startApi({ db: one, env }), await startApi({ db: other, env })];
});
afterAll(async () => {
  for (const replica of replicas ?? []) await replica.close();
});

const body = {
  redirect_uris: ['https://app.test/cb'],
  token_endpoint_auth_method: 'client_secret_basic',
};

test('the same Idempotency-Key on two replicas at once MUST be done once, with one answer', async () => {
  const [{ server }] = replicas;
  const count = () =>
    server.db.kysely
      .selectFrom('clients')
      .select(sql<number>`count(*)::int`.as('n'))
      .executeTakeFirstOrThrow();
  for (let round = 0; round < 5; round += 1) {
    const before = (await count()).n;
    const headers = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(
      [...replicas, ...replicas].map((one) => one.post('/admin/api/clients', body, headers)),
    );
    expect(new Set(answers.map(({ status, body: text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.json.client_secret).toMatch(/^cs_/);
    expect((await count()).n).toBe(before + 1);
  }
});

test('of edits of one version on two replicas exactly one MUST win', async () => {
  const [{ client }] = replicas;
  const { id, version } = await client.call(clients.create, {
    body: { redirect_uris: ['https://app.test/cb'] },
  });
  const edits = [...replicas, ...replicas].map((one, n) =>
    one.client.call(clients.update, {
      ...{ params: { id }, body: { client_name: `by ${n}` } },
      ifMatch: version,
    }),
  );
  const outcomes = await Promise.allSettled(edits);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ status: 412 });
  }
});

test('a resource that one replica registers MUST be known to the other within a second', async () => {
  const [one, other] = replicas;
  await one.client.call(resources.create, {
    body: { slug: 'mine', uri: 'https://mine.test/mcp', scopes: [{ name: 'm:read' }] },
  });
  const known = () => other.server.app.rooms.resources.resolve('https://mine.test/mcp');
  await expect.poll(known, { timeout: 1000 }).toMatchObject({ slug: 'mine' });
  await other.client.call(resources.remove, { params: { id: 'mine' } });
  const gone = () => one.server.app.rooms.resources.resolve('https://mine.test/mcp');
  await expect.poll(gone, { timeout: 1000 }).toBeUndefined();
});
