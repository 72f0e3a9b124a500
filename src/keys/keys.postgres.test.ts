import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { createKeys, createSecretBox, type Keys } from './index.ts';

const replicas: Database[] = [];
const settings = {
  algorithm: 'ES256' as const,
  rotateEvery: 3600,
  publishBefore: 600,
  keepRetiredFor: 600,
};
const box = createSecretBox(randomBytes(32));
const log = { info() {}, error() {} };
let clock = new Date();

beforeAll(async () => {
  const dsn = await createTestDatabase('keys');
  for (let count = 0; count < 5; count += 1) {
    replicas.push(
      await openDatabase({
        driver: 'postgres',
        dsn,
        maxConnections: 3,
        statementTimeout: 5000,
        connectTimeout: 5000,
      }),
    );
  }
  await Promise.all(replicas.map((db) => migrate(db)));
});
afterAll(() => Promise.all(replicas.map((db) => db.close())));

test('five replicas that start at once MUST end up with one key, and with one next key when all of them rotate', async () => {
  const all: Keys[] = await Promise.all(
    replicas.map((db) => createKeys({ db, box, now: () => clock, log }, settings)),
  );
  const first = all.map((keys) => keys.current().kid);
  expect(new Set(first).size).toBe(1);
  expect(all.every((keys) => keys.publicJwks().keys.length === 1)).toBe(true);

  clock = new Date(clock.getTime() + (settings.rotateEvery - settings.publishBefore + 1) * 1000);
  await Promise.all(all.map((keys) => keys.tick(clock)));
  const published = all.map((keys) =>
    keys
      .publicJwks()
      .keys.map((key) => key.kid)
      .sort(),
  );
  expect(new Set(published.map(String)).size).toBe(1);
  expect(published[0]).toHaveLength(2);
  expect(all[0]?.current().kid, 'published before it signs').toBe(first[0]);

  clock = new Date(clock.getTime() + settings.publishBefore * 1000);
  await Promise.all(all.map((keys) => keys.tick(clock)));
  const second = new Set(all.map((keys) => keys.current().kid));
  expect(second.size).toBe(1);
  expect(second.has(first[0] ?? '')).toBe(false);
  await Promise.all(all.map((keys) => keys.close()));
});
