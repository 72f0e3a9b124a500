import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { createGuesses, type GuessRequest } from './guesses.ts';

let db: Database;
let at = new Date('2026-01-01T00:00:00Z');
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const lockout = { failures: 10, window: 600, lockout: 900 };
const request = (ip: string, userId?: string): GuessRequest => ({
  what: 'user_code',
  userId,
  meta: { at, ip },
});
/** Another replica: nothing is shared but the database. */
const replica = () => createGuesses({ db, now: () => at }, lockout);

/** How many of so many wrong guesses are looked at. */
async function looked(tries: number, { ip, userId }: { ip: string; userId?: string }) {
  const replicas = [replica(), replica()];
  let count = 0;
  for (let n = 0; n < tries; n += 1) {
    const guess = await replicas[n % 2]?.begin(request(ip, userId));
    if (!guess?.ok) continue;
    count += 1;
    await guess.wrong();
  }
  return count;
}

test('of 10,000 guesses from one address 50 MUST be looked at, over all replicas (DV01)', async () => {
  expect(await looked(10_000, { ip: '192.0.2.1' })).toBe(50);
}, 120_000);

test('of the guesses of one account ten MUST be looked at, from whatever addresses', async () => {
  let count = 0;
  for (let n = 0; n < 30; n += 1)
    count += await looked(1, { ip: `198.51.100.${n}`, userId: 'usr_a' });
  expect(count).toBe(10);
});

test('one IPv6 /64 MUST be one address', async () => {
  let count = 0;
  for (let n = 0; n < 60; n += 1) count += await looked(1, { ip: `2001:db8::${n.toString(16)}` });
  expect(count).toBe(50);
});

test('guesses at once MUST share the limit', async () => {
  const guesses = await Promise.all(
    Array.from({ length: 60 }, () => replica().begin(request('192.0.2.2', 'usr_b'))),
  );
  expect(guesses.filter(({ ok }) => ok)).toHaveLength(10);
});

test('right ones are taken back, and a lock ends', async () => {
  const ip = '192.0.2.3';
  for (let n = 0; n < 100; n += 1) {
    const guess = await replica().begin(request(ip, 'usr_c'));
    if (!guess.ok) throw new Error('locked by right guesses');
    await guess.right();
  }
  expect(await looked(20, { ip, userId: 'usr_c' })).toBe(10);
  const locked = await replica().begin(request(ip, 'usr_c'));
  expect(locked).toEqual({ ok: false, retryAfter: 900 });
  at = new Date(at.getTime() + 901_000);
  expect((await replica().begin(request(ip, 'usr_c'))).ok).toBe(true);
});
