import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { createLogger } from '../http/index.ts';
import { openRooms, reconcile } from '../rooms.ts';
import { run } from './index.ts';
import { createPlace, type Place } from './process.testing.ts';

vi.setConfig({ testTimeout: 240_000 });

const issuer = 'https://login.example.com';
let place: Place;
let file = '';

beforeEach(async () => {
  place = createPlace({ database: 'migrated' });
  onTestFinished(() => place[Symbol.asyncDispose]());
  file = join(place.directory, 'config.yaml');
  const path = join(place.directory, 'data/authserver');
  place.write(
    'config.yaml',
    `storage: { pglite: { path: ${path} } }\ntrusted_issuers: [{ issuer: ${issuer}, scopes: [a], subject: strict }]`,
  );
  const { config } = loadConfig({ file, env: {}, cwd: place.directory });
  const rooms = await openRooms(config, { log: createLogger({ level: 'silent' }) });
  await reconcile(config, rooms);
  const meta = { at: new Date() };
  await rooms.accounts.create({ email: 'ada@example.com', source: 'cli' }, meta);
  await rooms.close();
});

async function command(...args: string[]) {
  const out: string[] = [];
  const take = (part: string | Uint8Array) => out.push(String(part)) > 0;
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation(take);
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(take);
  try {
    return { code: await run([...args, '--config', file]), text: out.join('') };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

async function json(...args: string[]) {
  const { code, text } = await command(...args, '--json');
  expect(code).toBe(0);
  return JSON.parse(text);
}

it('lists, shows, disables and enables trusted issuers', async () => {
  const row = { issuer, subject: 'strict', scopes: ['a'], enabled: true, source: 'config' };
  expect(await json('trusted-issuer', 'list')).toEqual([row]);
  expect((await command('trusted-issuer', 'show', issuer)).text).toMatch(/keys +by discovery/);
  expect((await command('trusted-issuer', 'disable', issuer)).code).toBe(0);
  expect(await json('trusted-issuer', 'show', issuer)).toEqual({ ...row, enabled: false });
  expect((await command('trusted-issuer', 'enable', issuer)).code).toBe(0);
  expect(await json('trusted-issuer', 'show', issuer)).toEqual(row);
  const other = await command('trusted-issuer', 'disable', `${issuer}/`);
  expect(other).toMatchObject({ code: 1, text: expect.stringContaining('no trusted issuer') });
});

it('links an account to an identity, shows it, and unlinks it', async () => {
  const key = ['--issuer', issuer, '--subject', '00u1'];
  const linked = await command('user', 'link', 'ada@example.com', ...key);
  expect(linked).toEqual({ code: 0, text: `ada@example.com is 00u1 at ${issuer} from now on.\n` });
  const again = await command('user', 'link', 'ada@example.com', ...key);
  expect(again).toMatchObject({ code: 1, text: expect.stringContaining('linked') });
  const { identities } = await json('user', 'show', 'ada@example.com');
  expect(identities).toEqual([{ issuer, subject: '00u1', created_at: expect.any(String) }]);
  expect((await command('user', 'show', 'ada@example.com')).text).toContain(`00u1 at ${issuer}`);
  expect((await command('user', 'unlink', 'ada@example.com', ...key)).code).toBe(0);
  expect((await command('user', 'unlink', 'ada@example.com', ...key)).code).toBe(1);
  expect((await json('user', 'show', 'ada@example.com')).identities).toEqual([]);
});

it.each([
  ['has a slash too many', `${issuer}/`],
  ['is disabled', issuer],
])('a link to an issuer that %s is made, with a warning', async (_what, url) => {
  await command('trusted-issuer', 'disable', issuer);
  const key = ['--issuer', url, '--subject', '00u1'];
  const { code, text } = await command('user', 'link', 'ada@example.com', ...key);
  expect(code).toBe(0);
  expect(text).toMatch(
    /from now on\.\nWarning: .* is not trusted.* authserver trusted-issuer list/,
  );
});
