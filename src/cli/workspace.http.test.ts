import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { run } from './index.ts';
import { createPlace, type Place } from './process.testing.ts';

vi.setConfig({ testTimeout: 240_000 });

let place: Place;
let file = '';

beforeEach(async () => {
  place = createPlace({ database: 'migrated' });
  onTestFinished(() => place[Symbol.asyncDispose]());
  file = join(place.directory, 'config.yaml');
  place.write(
    'config.yaml',
    `storage: { pglite: { path: ${join(place.directory, 'data/authserver')} } }\n`,
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

async function json(...args: string[]) {
  const { code, stdout, stderr } = await command(...args, '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}

it('workspaces: made, listed and shown, with people who come and go', async () => {
  expect((await command('workspace', 'list')).stdout).toMatch(/^There is no workspace yet\./);
  const made = await json('workspace', 'create', 'acme', '--name', 'Acme Inc.');
  expect(made).toMatchObject({ slug: 'acme', name: 'Acme Inc.', source: 'cli' });
  expect(await json('workspace', 'list')).toEqual([made]);
  expect(await json('workspace', 'show', made.id)).toEqual(made);
  expect((await command('workspace', 'show', 'acme')).stdout).toContain('Acme Inc.');

  await command('user', 'create', 'ada@example.test', '--no-password');
  expect((await command('workspace', 'members', 'acme')).stdout).toMatch(/^Nobody is a member/);
  const add = ['workspace', 'add-member', 'acme', 'Ada@example.test'];
  expect((await command(...add)).stdout).toBe('ada@example.test is a member of acme.\n');
  expect((await command(...add, '--role', 'admin')).stdout).toContain('is an admin of acme');
  expect(await json('workspace', 'members', 'acme')).toMatchObject([
    { user: 'ada@example.test', role: 'admin', source: 'cli', workspace_id: made.id },
  ]);
  const remove = ['workspace', 'remove-member', 'acme', 'ada@example.test'];
  expect((await command(...remove)).stdout).toContain('no member of acme any more');
  expect(await json('workspace', 'members', 'acme')).toEqual([]);
});

it('what is wrong is said', async () => {
  const wrong: [string[], string][] = [
    [['create', 'Not-A-Slug'], 'lower-case letters'],
    [['show', 'nope'], 'there is no workspace nope. authserver workspace list shows all of them'],
    [['add-member', 'nope', 'ada@example.test'], 'there is no workspace nope'],
  ];
  for (const [args, said] of wrong) {
    const { code, stdout, stderr } = await command('workspace', ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(said);
  }
});

it('credentials: made, listed and ended; the default one takes the place of the one before it', async () => {
  await json('workspace', 'create', 'acme');
  await command('user', 'create', 'ada@example.test', '--no-password');
  await command('workspace', 'add-member', 'acme', 'ada@example.test', '--role', 'admin');
  const scoped = ['--workspace-scoped', '--scope', 'files:use=Use the files'];
  await json('resource', 'create', 'files', '--uri', 'https://files.test/mcp', ...scoped);
  const about = (verb: string) => ['workspace', 'credentials', verb, 'acme'];
  expect((await command(...about('list'))).stdout).toMatch(/^There is no credential\./);
  const whatFor = ['--user', 'ada@example.test', '--resource', 'files'];
  const made = await command(...about('regenerate'), ...whatFor);
  expect(made.stdout).toMatch(/^wsc_[0-9a-hjkmnp-tv-z]{12}\.[0-9A-Za-z]{49}\n$/);
  expect(made.stderr).toContain('shown only now');
  const shown = JSON.parse((await command('token', 'show', made.stdout.trim(), '--json')).stdout);
  expect(shown).toMatchObject({ kind: 'workspace_credential', status: 'active' });
  expect(shown).not.toHaveProperty('expires_at');
  const again = await json(...about('regenerate'), ...whatFor);
  const laptop = await json(...about('create'), ...whatFor, '--label', 'Laptop');
  expect(await json(...about('list'))).toMatchObject([
    { id: laptop.id, label: 'Laptop', kind: 'connector', user: 'ada@example.test' },
    { id: again.id, label: 'Default', kind: 'default', status: 'active' },
  ]);
  expect((await command(...about('revoke'), laptop.credential)).stdout).toBe(
    `${laptop.id} (Laptop) has ended.\n`,
  );
  const all = await json(...about('list'), '--all');
  expect(all.map(({ status }: { status: string }) => status)).toEqual([
    'revoked',
    'active',
    'revoked',
  ]);
  for (const { credential } of [again, laptop]) {
    expect(JSON.stringify(all)).not.toContain(credential);
  }
});

it('invitations: made with a link, listed and taken back', async () => {
  await json('workspace', 'create', 'acme');
  expect((await command('workspace', 'invitations', 'acme')).stdout).toMatch(/^No invitation/);
  const made = await command('workspace', 'invite', 'acme', 'ada@example.test', '--role', 'admin');
  expect(made.stdout).toMatch(/^http:\/\/localhost:9000\/account\/invitations\/[\w-]{43}\n$/);
  expect(made.stderr).toContain('It works once.');
  const [listed] = await json('workspace', 'invitations', 'acme');
  expect(listed).toMatchObject({ email: 'ada@example.test', role: 'admin', source: 'cli' });
  const revoke = ['workspace', 'revoke-invitation', 'acme', listed.id];
  expect((await command(...revoke)).stdout).toContain('ada@example.test does not work any more');
  expect(await json('workspace', 'invitations', 'acme')).toEqual([]);
});
