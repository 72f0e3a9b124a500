import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSecretBox, openUnder, SecretBoxError, sealUnder } from './index.ts';

const key = randomBytes(32);
const box = createSecretBox(key);

test('what was sealed opens in its own context and reads nothing like the plain text', () => {
  const sealed = box.seal('grüße 🔑', 'signing_key:a');
  expect(sealed).toMatch(/^v1\.[\w-]{8}\.[\w-]{16}\.[\w-]+$/);
  expect(Buffer.from(sealed.split('.')[3] ?? '', 'base64url').toString()).not.toContain('gr');
  expect(box.open(sealed, 'signing_key:a')).toBe('grüße 🔑');
  expect(box.seal('grüße 🔑', 'signing_key:a')).not.toBe(sealed);
});

test('a sealed value that was copied to another row MUST NOT open', () => {
  const sealed = box.seal('secret', 'signing_key:a');
  expect(() => box.open(sealed, 'signing_key:b')).toThrow(SecretBoxError);
});

test('a changed sealed value MUST NOT open, whichever part was changed', () => {
  const sealed = box.seal('a secret that is long enough', 'c');
  for (const [index, part] of sealed.split('.').entries()) {
    const changed = sealed.split('.');
    changed[index] = (part[0] === 'A' ? 'B' : 'A') + part.slice(1);
    expect(() => box.open(changed.join('.'), 'c'), `part ${index}`).toThrow(SecretBoxError);
  }
  const shortTag = sealed.slice(0, -8);
  for (const bad of [
    '',
    'v1',
    'v1...',
    'v1.a.b.c',
    `${sealed}.x`,
    shortTag,
    `v2${sealed.slice(2)}`,
  ])
    expect(() => box.open(bad, 'c'), bad).toThrow(SecretBoxError);
});

test('a shortened authentication tag MUST NOT be accepted', () => {
  const [version, id, iv, tag = ''] = box.seal('', 'c').split('.');
  const short = Buffer.from(tag, 'base64url').subarray(0, 4).toString('base64url');
  expect(() => box.open([version, id, iv, short].join('.'), 'c')).toThrow(SecretBoxError);
});

test('another key says that it is another key; an older key still opens but never seals', () => {
  const fresh = randomBytes(32);
  const sealed = box.seal('secret', 'c');
  const other = createSecretBox(fresh);
  expect(() => other.open(sealed, 'c')).toThrow(/sealed with data-encryption key/);
  const both = createSecretBox(fresh, [key]);
  expect(both.open(sealed, 'c')).toBe('secret');
  expect(other.open(both.seal('secret', 'c'), 'c')).toBe('secret');
});

test.each([0, 16, 31, 33])('a data-encryption key of %i bytes is refused', (length) => {
  expect(() => createSecretBox(randomBytes(length))).toThrow(RangeError);
});

test('only the token under which a value was sealed opens it', () => {
  const sealed = sealUnder('rt_old', 'refresh:1', 'rt_new');
  expect(sealed).not.toContain('rt_new');
  expect(openUnder('rt_old', 'refresh:1', sealed)).toBe('rt_new');
  expect(openUnder('rt_other', 'refresh:1', sealed)).toBeUndefined();
  expect(openUnder('rt_old', 'refresh:2', sealed)).toBeUndefined();
  expect(openUnder('rt_old', 'refresh:1', `${sealed.slice(0, -1)}!`)).toBeUndefined();
  for (const bad of ['', 'v1.', 'v1.a.b', 'x'])
    expect(openUnder('rt_old', 'refresh:1', bad)).toBeUndefined();
});
