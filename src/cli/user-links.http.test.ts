import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { createLogger } from '../http/index.ts';
import { openRooms, type Rooms } from '../rooms.ts';
import { run } from './index.ts';
import { createPlace } from './process.testing.ts';

vi.setConfig({ testTimeout: 240_000 });

let file = '';
let directory = '';
beforeEach(() => {
  const place = createPlace({ database: 'migrated' });
  onTestFinished(() => place[Symbol.asyncDispose]());
  directory = place.directory;
  file = join(directory, 'config.yaml');
  place.write(
    'config.yaml',
    `storage: { pglite: { path: ${join(directory, 'data/authserver')} } }`,
  );
});

/** Runs a command in this process. */
async function command(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const stdout = vi
    .spyOn(process.stdout, 'write')
    .mockImplementation((part) => out.push(`${part}`) > 0);
  const stderr = vi
    .spyOn(process.stderr, 'write')
    .mockImplementation((part) => err.push(`${part}`) > 0);
  try {
    const code = await run([...args, '--config', file]);
    return { code, stdout: out.join(''), stderr: err.join('') };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

async function inspect<T>(work: (rooms: Rooms) => Promise<T>): Promise<T> {
  const { config } = loadConfig({ file, env: {}, cwd: directory });
  const rooms = await openRooms(config, { log: createLogger({ level: 'silent' }) });
  try {
    return await work(rooms);
  } finally {
    await rooms.close();
  }
}

it('invites people and prints links with which they set a password, once each', async () => {
  const invited = await command('user', 'invite', 'ada@example.test', '--role', 'operator');
  expect(invited).toMatchObject({ code: 0 });
  expect(invited.stdout).toMatch(/^http:\/\/localhost:9000\/account\/password#[\w-]{43}\n$/);
  expect(invited.stderr).toContain('It works once.');

  const again = await command('user', 'invite', 'ADA@example.test', '--json');
  const { url, expires_at } = JSON.parse(again.stdout);
  expect(Date.parse(expires_at)).toBeGreaterThan(Date.now() + 71 * 3_600_000);
  expect(url).not.toBe(invited.stdout.trim());

  const password = 'a long enough password';
  await inspect(async ({ accounts, now }) => {
    const redeem = (link: string) =>
      accounts.passwordLinks.redeem({ token: link.split('#')[1] ?? '', password }, { at: now() });
    await expect(redeem(invited.stdout.trim())).rejects.toMatchObject({ field: 'token' });
    await redeem(url);
    expect(await accounts.findByEmail('ada@example.test')).toMatchObject({ role: 'operator' });
  });

  expect(await command('user', 'invite', 'ada@example.test')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('make a reset link'),
  });
  const reset = await command('user', 'reset-link', 'ada@example.test');
  expect(reset.stdout).toMatch(/\/account\/password#[\w-]{43}\n$/);
  expect(await command('user', 'reset-link', 'nobody@example.test')).toMatchObject({ code: 1 });
});
