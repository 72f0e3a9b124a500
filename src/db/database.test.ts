import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from './database.testing.ts';
import { type Database, hashId, statement } from './index.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

test('a stray query MUST NOT join an open transaction of the embedded database', async () => {
  const now = new Date();
  const rolledBack = db.kysely.transaction().execute(async (trx) => {
    await trx
      .insertInto('settings')
      .values({ name: 'inside', value: '1', updated_at: now })
      .execute();
    await new Promise((resolve) => setTimeout(resolve, 50));
    throw new Error('roll back');
  });
  const stray = db.kysely
    .insertInto('settings')
    .values({ name: 'stray', value: '1', updated_at: now })
    .execute();
  await expect(rolledBack).rejects.toThrow('roll back');
  await stray;
  const names = await db.kysely.selectFrom('settings').select('name').execute();
  expect(names.map((row) => row.name)).toEqual(['stray']);
});

test('the audit log MUST refuse UPDATE, DELETE and TRUNCATE', async () => {
  await db.kysely
    .insertInto('audit_events')
    .values({ at: new Date(), type: 'user_login', actor_kind: 'system', detail: '{}' })
    .execute();
  await expect(db.kysely.deleteFrom('audit_events').execute()).rejects.toThrow('append-only');
  await expect(db.kysely.updateTable('audit_events').set({ type: 'x' }).execute()).rejects.toThrow(
    'append-only',
  );
  await expect(db.run(statement('t', 'TRUNCATE audit_events'), [])).rejects.toThrow('append-only');
});

test('a listener hears what is notified', async () => {
  const heard: string[] = [];
  const stop = await db.listen('channel', (payload) => heard.push(payload));
  await db.notify('channel', 'hello');
  await expect.poll(() => heard).toEqual(['hello']);
  await stop();
});

test('secrets are keyed by their hash', () => {
  expect(hashId('secret')).toHaveLength(43);
  expect(hashId('secret')).not.toContain('secret');
});
