import { expect, test } from 'vitest';
import { createGuardedCache } from './guarded-cache.ts';
import { GuardedFetchError } from './guarded-error.ts';

function setUp() {
  let at = 0;
  let answer: () => number = () => 1;
  let loads = 0;
  const get = createGuardedCache<number>({
    now: () => new Date(at),
    async load() {
      loads += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return answer();
    },
  });
  return {
    get: (least = 0) => get('key', (value) => value >= least),
    get loads() {
      return loads;
    },
    answer(next: () => number) {
      answer = next;
    },
    advance(seconds: number) {
      at += seconds * 1000;
    },
  };
}

const down = () => {
  throw new GuardedFetchError({ kind: 'timeout' });
};

test('what was fetched is kept for ten minutes, and fetched once for all who ask', async () => {
  const cache = setUp();
  expect(await Promise.all([cache.get(), cache.get(), cache.get()])).toEqual([1, 1, 1]);
  cache.advance(599);
  await cache.get();
  expect(cache.loads).toBe(1);
  cache.advance(2);
  await cache.get();
  expect(cache.loads).toBe(2);
});

test('what is not enough is asked for again, at most once a minute', async () => {
  const cache = setUp();
  await cache.get();
  cache.answer(() => 2);
  expect(await cache.get(2)).toBe(1);
  cache.advance(60);
  expect(await cache.get(2)).toBe(2);
  for (let n = 0; n < 100; n += 1) expect(await cache.get(3)).toBe(2);
  expect(cache.loads).toBe(2);
});

test('what cannot be had is asked for every 15 seconds, and fails as it last did', async () => {
  const cache = setUp();
  cache.answer(down);
  for (let n = 0; n < 3; n += 1) {
    await expect(cache.get()).rejects.toMatchObject({ reason: { kind: 'timeout' } });
  }
  expect(cache.loads).toBe(1);
  cache.answer(() => 5);
  cache.advance(15);
  expect(await cache.get()).toBe(5);
});

test('what cannot be had again stays good for an hour, and comes back soon after that', async () => {
  const cache = setUp();
  await cache.get();
  cache.answer(down);
  cache.advance(3590);
  expect(await cache.get()).toBe(1);
  cache.advance(61);
  await expect(cache.get()).rejects.toThrow(GuardedFetchError);
  cache.answer(() => 2);
  cache.advance(15);
  expect(await cache.get()).toBe(2);
});

test('our own refusal is no failure of the host: it is asked again at once (CI14)', async () => {
  const cache = setUp();
  const busy = () => {
    throw new GuardedFetchError({ kind: 'busy', scope: 'host' });
  };
  cache.answer(busy);
  await expect(cache.get()).rejects.toMatchObject({ reason: { kind: 'busy' } });
  cache.answer(() => 1);
  expect(await cache.get()).toBe(1);
  cache.advance(61);
  cache.answer(busy);
  expect(await cache.get(2)).toBe(1);
  cache.answer(() => 2);
  expect(await cache.get(2)).toBe(2);
});

test('our own refusal does not end the pause after a failure, and is not told in its place', async () => {
  const cache = setUp();
  cache.answer(down);
  await expect(cache.get()).rejects.toMatchObject({ reason: { kind: 'timeout' } });
  cache.advance(15);
  cache.answer(() => {
    throw new GuardedFetchError({ kind: 'busy', scope: 'global' });
  });
  await expect(cache.get()).rejects.toMatchObject({ reason: { kind: 'timeout' } });
  expect(cache.loads).toBe(2);
});

test('a fault of our own is not hidden', async () => {
  const cache = setUp();
  cache.answer(() => {
    throw new TypeError('ours');
  });
  await expect(cache.get()).rejects.toThrow(TypeError);
});
