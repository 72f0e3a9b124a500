import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, hashId, migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { createTokens } from './index.ts';
import { boards, by, day, later, personalTokens, start } from './personal-access-tokens.testing.ts';

let replicas: [Database, Database];
let room: Awaited<ReturnType<typeof personalTokens>>;

beforeAll(async () => {
  const dsn = await createTestDatabase('personal_tokens');
  const timeouts = { statementTimeout: 10_000, connectTimeout: 5000 };
  const open = () => openDatabase({ driver: 'postgres', dsn, maxConnections: 5, ...timeouts });
  replicas = [await open(), await open()];
  await migrate(replicas[0]);
});
beforeEach(async () => {
  room = await personalTokens(replicas[0]);
});
afterAll(() => Promise.all(replicas.map((db) => db.close())));

/** Makes a token on one of the two replicas. */
function makeOn(replica: number) {
  const db = replicas[replica % 2] ?? replicas[0];
  const { personal } = createTokens(db, { tokens: { personal_access_max_ttl: 365 * day } });
  const token = { userId: 'usr_alice', resource: boards, scopes: ['read'], name: 'CI' };
  return personal.create(token, by('usr_alice'));
}

test('a token goes through its life as on the embedded database', async () => {
  const made = await room.create();
  const { personal } = room;
  await personal.touch(made.id, { at: later(5), from: '192.0.2.7' });
  await personal.touch(made.id, { at: later(9), from: '192.0.2.8' });
  const page = await personal.list({ userId: 'usr_alice', status: 'active', now: later(10) });
  expect(page.items).toMatchObject([
    { id: made.id, lastUsedAt: later(5), lastUsedFrom: '192.0.2.7', createdAt: start },
  ]);
  for (let count = 0; count < 4; count++) await room.create();
  const first = await personal.list({ limit: 3, now: start });
  const rest = await personal.list({ limit: 3, cursor: first.next_cursor, now: start });
  expect(new Set([...first.items, ...rest.items].map(({ id }) => id)).size).toBe(5);
  await personal.revoke(made.id, { ...by('usr_alice', 20), reason: 'test' });
  expect((await room.exchange.issued(hashId(made.value)))?.alive).toBe(false);
  expect(await personal.find(made.id, later(20))).toMatchObject({ status: 'revoked' });
});

test('requests at once on two replicas MUST NOT get more than the most that one person can have', async () => {
  for (let count = 0; count < 98; count++) await room.create();
  const results = await Promise.allSettled(Array.from({ length: 10 }, (_, at) => makeOn(at)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
});

test('a token that is made while its owner is disabled MUST be dead', async () => {
  for (let round = 0; round < 20; round++) {
    room = await personalTokens(replicas[0]);
    const disabling = replicas[1].kysely.transaction().execute(async (trx) => {
      const where = trx.updateTable('users').set({ status: 'disabled' });
      await where.where('id', '=', 'usr_alice').execute();
      await room.families.endAllOf(trx, { user_id: 'usr_alice' }, later(1));
    });
    const [made] = await Promise.allSettled([makeOn(0), disabling]);
    await replicas[0].kysely.updateTable('users').set({ status: 'active' }).execute();
    if (made.status === 'rejected') continue;
    expect((await room.exchange.issued(made.value.id))?.alive).toBe(false);
  }
});
