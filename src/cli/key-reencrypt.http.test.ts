import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createPlace } from './process.testing.ts';

vi.setConfig({ testTimeout: 240_000 });

it('key reencrypt MUST let a server start under another key, and nothing else', async () => {
  const place = createPlace();
  onTestFinished(() => place[Symbol.asyncDispose]());
  const data = join(place.directory, 'data/authserver');
  const file = join(place.directory, 'config.yaml');
  const storage = `storage: { pglite: { path: ${data} } }\n`;
  place.write('config.yaml', storage);
  const list = ['key', 'list', '--json', '--config', file];
  const before = await place.run(list);
  expect(before.code).toBe(0);
  const kids = JSON.parse(before.stdout).map(({ kid }: { kid: string }) => kid);
  expect(kids.length).toBeGreaterThan(0);

  const key = randomBytes(32).toString('base64');
  place.write('config.yaml', `${storage}data_encryption: { key: "${key}" }\n`);
  expect(await place.run(list)).toMatchObject({ code: 1 });
  const reencrypt = ['key', 'reencrypt', '--json', '--config', file];
  expect(await place.run(reencrypt)).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining('--old-key-file') },
  });
  place.write('wrong.txt', randomBytes(32).toString('base64'));
  const wrong = join(place.directory, 'wrong.txt');
  const refused = await place.run([...reencrypt, '--old-key-file', wrong]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('do not open') });

  const secrets = join(place.directory, 'data/secrets.json');
  expect(existsSync(secrets)).toBe(true);
  const done = await place.run([...reencrypt, '--old-key-file', secrets]);
  expect(done).toMatchObject({ code: 0 });
  expect(JSON.parse(done.stdout)).toEqual({ resealed: kids.length, unreadable: 0, removed: 0 });
  const after = await place.run(list);
  expect(JSON.parse(after.stdout).map(({ kid }: { kid: string }) => kid)).toEqual(kids);
});
