import { expect, test } from 'vitest';
import { newOpaqueToken, readOpaqueToken } from './opaque.ts';

test('an opaque token has the prefix, its kind, 256 random bits and a checksum', () => {
  const token = newOpaqueToken('cp', 'oat');
  expect(token).toMatch(/^cp_oat_[0-9A-Za-z]{49}$/);
  expect(readOpaqueToken(token)).toEqual({ prefix: 'cp', kind: 'oat' });
  expect(newOpaqueToken('cp', 'oat')).not.toBe(token);
});

test('every single wrong character MUST be caught offline', () => {
  const token = newOpaqueToken('as', 'pat');
  for (let at = 0; at < token.length; at += 1) {
    const wrong = token.charAt(at) === 'x' ? 'y' : 'x';
    expect(readOpaqueToken(token.slice(0, at) + wrong + token.slice(at + 1))).toBeUndefined();
  }
});

test.each([
  ['truncated', (token: string) => token.slice(0, -1)],
  ['extended', (token: string) => `${token}0`],
  ['in another case', (token: string) => token.toUpperCase()],
  ['with a trailing space', (token: string) => `${token} `],
  ['with a line break', (token: string) => `${token}\n`],
])('a token that is %s MUST NOT be read', (_what, change) => {
  expect(readOpaqueToken(change(newOpaqueToken('as', 'oat')))).toBeUndefined();
});
