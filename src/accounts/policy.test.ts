import { describe, expect, it } from 'vitest';
import {
  attemptLimits,
  checkEmail,
  checkName,
  checkNewPassword,
  emailKey,
  judgeAttempt,
  readPassword,
} from './policy.ts';

describe('emailKey', () => {
  it.each([
    ['Alice@Example.COM', 'alice@example.com'],
    ['  alice@example.com ', 'alice@example.com'],
    ['ａlice@example.com', 'alice@example.com'], // full-width a
    ['A\u030Angstrom@x.test', '\u00E5ngstrom@x.test'],
  ])('compares %j as %j', (email, key) => {
    expect(emailKey(email)).toBe(key);
  });
});

describe('checkEmail', () => {
  it.each(['alice@example.com', ' bob@localhost ', 'o’neil+tag@xn--bcher-kva.example'])(
    'takes %j',
    (email) => {
      expect(checkEmail(email)).toEqual({ ok: true, value: email.trim() });
    },
  );

  it.each(['', 'alice', '@x', 'a@', 'a@b@c', 'a b@c', 'a@b\0', 'a\u202E@b', 'a@\uD800', 'a\r\n@b'])(
    'refuses %j',
    (email) => {
      expect(checkEmail(email).ok).toBe(false);
    },
  );

  it('refuses more than 254 characters', () => {
    expect(checkEmail(`${'a'.repeat(250)}@b.c`).ok).toBe(true);
    expect(checkEmail(`${'a'.repeat(251)}@b.c`).ok).toBe(false);
  });
});

describe('checkName', () => {
  it.each([
    [undefined, undefined],
    ['  ', undefined],
    [' Alice ', 'Alice'],
  ])('reads %j as %j', (name, value) => {
    expect(checkName(name)).toEqual({ ok: true, value });
  });

  it.each(['a\0b', 'a\nb', '\uDC00', 'x'.repeat(201)])('refuses %j', (name) => {
    expect(checkName(name).ok).toBe(false);
  });
});

describe('a chosen password', () => {
  it.each([
    ['nine char', false],
    ['ten chars!', true],
    ['😀'.repeat(9), false], // counted in characters, not in UTF-16 units
    ['😀'.repeat(10), true],
    ['x'.repeat(1024), true],
    ['x'.repeat(1025), false],
    ['é'.repeat(513), false], // 1,026 bytes
    ['ten chars!\0', false],
    ['ten chars!\uD800', false],
  ])('%j is taken: %j', (password, taken) => {
    expect(checkNewPassword(password).ok).toBe(taken);
  });

  it('keeps spaces at its ends', () => {
    expect(checkNewPassword(' ten chars ')).toEqual({ ok: true, value: ' ten chars ' });
  });
});

describe('readPassword', () => {
  it('reads the two normalisation forms of one password alike (BF07)', () => {
    expect(readPassword('cafe\u0301 au lait')).toBe(readPassword('caf\u00E9 au lait'));
    expect(readPassword('ｐａｓｓword')).toBe('password');
  });

  it.each([['x'.repeat(1_000_000)], ['\0'], ['a\0'], ['\uD800']])(
    'gives no password to hash for %.10j',
    (password) => {
      expect(readPassword(password)).toBeUndefined();
    },
  );

  it('does not apply the rules of choosing, so that they may change', () => {
    expect(readPassword('short')).toBe('short');
  });
});

describe('judgeAttempt', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
  const counter = { windowEndsAt: later(60), lockedUntil: null };

  it('admits as many attempts as the limit says and no more', () => {
    expect(judgeAttempt({ ...counter, failures: 10 }, 10, now)).toEqual({ ok: true });
    expect(judgeAttempt({ ...counter, failures: 11 }, 10, now)).toEqual({
      ok: false,
      retryAfter: 60,
    });
  });

  it('tells when the lock ends, rounded up to whole seconds', () => {
    const locked = { ...counter, failures: 11, lockedUntil: later(899.2) };
    expect(judgeAttempt(locked, 10, now)).toEqual({ ok: false, retryAfter: 900 });
  });

  it('gives an address more attempts than an account', () => {
    expect(attemptLimits({ failures: 10, window: 600, lockout: 900 })).toEqual({
      account: 10,
      address: 50,
    });
  });
});
