import { expect, test } from 'vitest';
import {
  newOpaqueToken,
  newWorkspaceCredential,
  readOpaqueToken,
  readWorkspaceCredential,
  workspaceCredentialPattern,
} from './index.ts';

test('a credential is a short id, one dot, and a secret of 256 random bits with a checksum', () => {
  const { id, value } = newWorkspaceCredential();
  expect(id).toMatch(/^wsc_[0-9a-hjkmnp-tv-z]{12}$/);
  expect(value).toMatch(/^wsc_[0-9a-hjkmnp-tv-z]{12}\.[0-9A-Za-z]{49}$/);
  expect(value).toMatch(workspaceCredentialPattern);
  expect(value.startsWith(`${id}.`)).toBe(true);
  expect(readWorkspaceCredential(value)).toEqual({ id });
  expect(readOpaqueToken(value)).toBeUndefined();
});

test('no two credentials are alike, nor their ids', () => {
  const made = Array.from({ length: 1000 }, newWorkspaceCredential);
  expect(new Set(made.map(({ id }) => id)).size).toBe(1000);
  expect(new Set(made.map(({ value }) => value.split('.')[1])).size).toBe(1000);
});

test('a checksum MUST catch every single wrong, missing, doubled or swapped character', () => {
  const { value } = newWorkspaceCredential();
  for (let place = 0; place < value.length; place++) {
    const [before, here, after] = [value.slice(0, place), value[place], value.slice(place + 1)];
    const wrong = [`${before}${here === 'a' ? 'b' : 'a'}${after}`, before + after];
    const changed = [...wrong, `${before}${here}${here}${after}`, value.slice(0, place)];
    if (after !== '' && after[0] !== here) changed.push(before + after[0] + here + after.slice(1));
    for (const one of changed)
      expect([one, readWorkspaceCredential(one)]).toEqual([one, undefined]);
  }
});

test.each([
  '',
  '.',
  'wsc_.x',
  'x'.repeat(8192),
  `${'wsc_0'.repeat(2000)}.`,
  'eyJhbGciOiJFUzI1NiJ9.e30.c2ln',
  newOpaqueToken('as', 'oat'),
  newOpaqueToken('wsc', 'pat'),
])('%.40s is none', (text) => {
  expect(readWorkspaceCredential(text)).toBeUndefined();
});
