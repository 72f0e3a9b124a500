import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSecretBox, loadOrCreateLocalSecrets } from './index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'secrets-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('the first start makes secrets that only this user can read; later starts read the same', () => {
  const data = join(dir, 'data');
  const made = loadOrCreateLocalSecrets(data);
  expect(statSync(join(data, 'secrets.json')).mode & 0o777).toBe(0o600);
  expect(readdirSync(data)).toEqual(['secrets.json']);
  expect(loadOrCreateLocalSecrets(data)).toEqual(made);
  expect(made.sessionSecret.length).toBeGreaterThanOrEqual(32);
  expect(() => createSecretBox(made.dataEncryptionKey)).not.toThrow();
  expect(JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8'))).toEqual({
    session_secret: made.sessionSecret,
    data_encryption_key: made.dataEncryptionKey.toString('base64'),
  });
});

test('two directories get different secrets', () => {
  const one = loadOrCreateLocalSecrets(join(dir, 'one'));
  const other = loadOrCreateLocalSecrets(join(dir, 'other'));
  expect(one.sessionSecret).not.toBe(other.sessionSecret);
  expect(one.dataEncryptionKey).not.toEqual(other.dataEncryptionKey);
});

test.each([0o640, 0o604, 0o666])(
  'a file of mode %o is refused with the command that mends it',
  (mode) => {
    loadOrCreateLocalSecrets(dir);
    chmodSync(join(dir, 'secrets.json'), mode);
    expect(() => loadOrCreateLocalSecrets(dir)).toThrow(/run chmod 600 .*secrets\.json/);
  },
);

test.each([
  ['empty', ''],
  ['cut off', '{"session_secret":"0123456789012345678901234567890123456789","data_encr'],
  ['of another shape', '{"session_secret":"short"}'],
  [
    'with a short key',
    JSON.stringify({ session_secret: 's'.repeat(40), data_encryption_key: 'c2hvcnRzZWNyZXQ=' }),
  ],
])('a file that is %s is never overwritten, and no secret of it is quoted', (_, content) => {
  const file = join(dir, 'secrets.json');
  writeFileSync(file, content, { mode: 0o600 });
  let message = '';
  try {
    loadOrCreateLocalSecrets(dir);
  } catch (error) {
    message = String(error) + String(error instanceof Error && error.cause);
  }
  expect(message).toContain('is damaged');
  expect(message).not.toMatch(/0123456|ssss|c2hvcnR/);
  expect(readFileSync(file, 'utf8')).toBe(content);
});

test('a directory in the way is a clear error', () => {
  mkdirSync(join(dir, 'secrets.json'), { mode: 0o700 });
  expect(() => loadOrCreateLocalSecrets(dir)).toThrow(/secrets\.json is in the way/);
});
