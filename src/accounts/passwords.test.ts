import { parseOptions } from '@node-rs/argon2';
import { describe, expect, it } from 'vitest';
import { argon2id, createPasswords, nobodysHash } from './passwords.ts';

const password = 'correct horse battery';

describe('argon2id', () => {
  it('MUST use at least 19 MiB, 2 passes and 1 lane, also for the hash of nobody', async () => {
    const hash = await argon2id.hash(password);
    const { memoryCost, timeCost, parallelism, algorithm, outputLen } = parseOptions(hash);
    expect({ memoryCost, timeCost, parallelism, algorithm }).toEqual({
      memoryCost: 19_456,
      timeCost: 2,
      parallelism: 1,
      algorithm: 2,
    });
    expect(parseOptions(nobodysHash)).toMatchObject({
      memoryCost,
      timeCost,
      parallelism,
      outputLen,
    });
  });

  it('tells the right password from a wrong one', async () => {
    const passwords = createPasswords();
    const hash = await passwords.hash(password);
    expect(await passwords.attempt((verify) => verify(hash, password))).toBe(true);
    expect(await passwords.attempt((verify) => verify(hash, `${password}!`))).toBe(false);
    expect(await passwords.attempt((verify) => verify(null, password))).toBe(false);
  });
});

describe('an account without a password', () => {
  it('MUST cost one verification like any other, and fails even when that succeeds', async () => {
    const seen: string[] = [];
    const passwords = createPasswords({
      hash: async () => 'hash',
      verify: async (hash) => seen.push(hash) > 0,
    });
    expect(await passwords.attempt((verify) => verify(null, password))).toBe(false);
    expect(await passwords.attempt((verify) => verify('hash', password))).toBe(true);
    expect(seen).toEqual([nobodysHash, 'hash']);
  });
});

describe('many sign-ins at once', () => {
  it('verifies two at a time and refuses with 503 and Retry-After when too many wait', async () => {
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    const passwords = createPasswords({
      hash: async () => 'hash',
      verify: async () => {
        most = Math.max(most, ++running);
        await opened;
        running -= 1;
        return true;
      },
    });
    const attempts = Array.from({ length: 43 }, () =>
      passwords.attempt((verify) => verify('hash', password)),
    );
    const last = await attempts.at(-1)?.catch((error) => error);
    expect(last).toMatchObject({
      error: 'temporarily_unavailable',
      status: 503,
      headers: { 'Retry-After': expect.stringMatching(/^\d+$/) },
    });
    open();
    expect(await Promise.all(attempts.slice(0, 42))).not.toContain(false);
    expect(most).toBe(2);
  });

  it('lets the next one in when an attempt throws', async () => {
    const passwords = createPasswords();
    const failing = () => Promise.reject(new Error('database is down'));
    const attempts = [1, 2, 3].map(() => passwords.attempt(failing));
    expect(await Promise.allSettled(attempts)).toMatchObject(
      attempts.map(() => ({ status: 'rejected' })),
    );
    expect(await passwords.attempt(async () => 'in')).toBe('in');
  });
});
