import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { createLogger } from '../http/index.ts';
import { openRooms, type Rooms } from '../rooms.ts';
import { run } from './index.ts';
import { createPlace, type Place } from './process.testing.ts';

vi.setConfig({ testTimeout: 240_000 });

let place: Place;
let file = '';

beforeEach(() => {
  place = createPlace({ database: 'migrated' });
  onTestFinished(() => place[Symbol.asyncDispose]());
  file = join(place.directory, 'config.yaml');
  place.write(
    'config.yaml',
    `storage: { pglite: { path: ${join(place.directory, 'data/authserver')} } }`,
  );
});

/** Runs a command in this process, which is faster; `place.run` gives it a standard input. */
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
  const { code, stdout } = await command(...args, '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

/** Looks into the database as the server does. */
async function inspect<T>(work: (rooms: Rooms) => Promise<T>): Promise<T> {
  const { config } = loadConfig({ file, env: {}, cwd: place.directory });
  const rooms = await openRooms(config, { log: createLogger({ level: 'silent' }) });
  try {
    return await work(rooms);
  } finally {
    await rooms.close();
  }
}

function audited(rooms: Rooms, types: string[]) {
  return rooms.db.kysely
    .selectFrom('audit_events')
    .select(['type', 'actor_kind', 'actor_id'])
    .where('type', 'in', types)
    .orderBy('id')
    .execute();
}

it('people: made, shown, disabled, enabled and given a password, each audited under the system user', async () => {
  const empty = await command('user', 'list');
  expect(empty.stdout).toMatch(
    /^There is no account yet\. .*authserver user create EMAIL --role owner\n$/,
  );

  const link = await command('setup-link');
  expect(link.stdout).toMatch(/^http:\/\/127\.0\.0\.1:9001\/admin\/setup#[\w-]{43}\n$/);

  const create = [
    'user',
    'create',
    'ada@example.com',
    '--role',
    'owner',
    '--group',
    'a',
    '--group',
    'b',
  ];
  const made = await place.run([...create, '--password-stdin', '--config', file], {
    input: 'correct horse battery\n',
  });
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(await command('setup-link')).toMatchObject({ code: 1, stdout: '' });

  const [ada] = await json('user', 'list');
  expect(ada).toMatchObject({
    email: 'ada@example.com',
    role: 'owner',
    groups: ['a', 'b'],
    source: 'cli',
  });
  expect(Object.keys(ada).join()).not.toContain('password');

  const last = await command('user', 'disable', 'ADA@example.com');
  expect(last).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^authserver: This is the last owner: .*\n$/),
  });
  expect((await command('user', 'create', 'bob@example.com', '--no-password')).code).toBe(0);
  expect((await command('user', 'disable', 'bob@example.com')).code).toBe(0);
  expect(await json('user', 'show', 'Bob@Example.com')).toMatchObject({
    status: 'disabled',
    sessions: 0,
  });
  expect((await command('user', 'enable', 'bob@example.com')).code).toBe(0);
  const reset = ['user', 'set-password', 'bob@example.com', '--password-stdin', '--config', file];
  expect((await place.run(reset, { input: 'another long password' })).code).toBe(0);
  expect((await command('user', 'sign-out', ada.id)).stdout).toBe(
    'ada@example.com is signed out: 0 sessions ended.\n',
  );
  expect((await command('user', 'show', 'eve@example.com')).code).toBe(1);

  await inspect(async (rooms) => {
    const bob = { email: 'bob@example.com', password: 'another long password' };
    const signedIn = await rooms.accounts.authenticate({
      ...bob,
      meta: { at: new Date(), ip: '::1' },
    });
    expect(signedIn.ok).toBe(true);
    const types = ['user_created', 'user_disabled', 'user_enabled', 'user_password_changed'];
    const events = await audited(rooms, types);
    expect(events.map(({ type }) => type)).toEqual(['user_created', ...types]);
    for (const event of events) {
      expect(event).toMatchObject({ actor_kind: 'cli', actor_id: userInfo().username });
    }
  });
});

it('clients: the secret is shown once, works, and ends with --now; removing one removes it', async () => {
  expect((await command('client', 'list')).stdout).toMatch(/^There is no client yet\. /);
  const made = await json(
    'client',
    'create',
    'svc',
    '--name',
    'Service',
    '--grant-type',
    'client_credentials',
  );
  expect(made).toMatchObject({
    client_id: 'svc',
    token_endpoint_auth_method: 'client_secret_basic',
  });
  expect(made.client_secret).toMatch(/^cs_/);

  const shown = await command('client', 'show', 'svc', '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({
    client_name: 'Service',
    secrets: 1,
    source: 'cli',
  });
  expect(shown.stdout).not.toContain(made.client_secret);

  const rotated = await command('client', 'rotate-secret', 'svc', '--now');
  await inspect(async ({ clients }) => {
    const client = await clients.find('svc', { refresh: false });
    if (!client) throw new Error('svc is gone');
    expect(clients.verifySecret(client, rotated.stdout.trim())).toBe(true);
    expect(clients.verifySecret(client, made.client_secret)).toBe(false);
  });

  const uri = 'http://127.0.0.1/callback';
  const app = await json('client', 'create', '--redirect-uri', uri, '--redirect-uri', `${uri}2`);
  expect(app).toMatchObject({
    redirect_uris: [uri, `${uri}2`],
    token_endpoint_auth_method: 'none',
  });
  expect(app.client_secret).toBeUndefined();
  expect((await command('client', 'rotate-secret', app.client_id)).stderr).toContain(
    'has no secret',
  );

  expect((await command('client', 'suspend', 'svc', '--reason', 'leaked')).code).toBe(0);
  const suspended = await json('client', 'list', '--status', 'suspended');
  expect(suspended.map((client: { client_id: string }) => client.client_id)).toEqual(['svc']);
  expect((await command('client', 'resume', 'svc')).code).toBe(0);
  const first = await command('client', 'list', '--limit', '1');
  expect(first.stdout.trim().split('\n')).toHaveLength(2);
  expect(first.stderr).toContain('There are more than 1');
  expect((await command('client', 'remove', 'svc')).code).toBe(0);
  for (const verb of ['show', 'suspend', 'resume', 'remove', 'rotate-secret']) {
    const gone = await command('client', verb, 'svc');
    expect(gone).toMatchObject({ code: 1, stdout: '' });
    expect(gone.stderr).toBe(
      'authserver: there is no client svc. authserver client list shows all of them.\n',
    );
  }
  const token = await command('client', 'initial-access-token', '--ttl', '30m');
  expect(token.stdout).toMatch(/^iat_[\w-]+\n$/);
  expect(token.stderr).toContain('dcr.mode is open');
});

it('resources: made, changed, disabled and removed, judged as the configuration is', async () => {
  const uri = 'https://mcp.example.com/mcp';
  const given = ['--uri', uri, '--scope', 'files:read=Read files', '--access-ttl', '10m'];
  expect(await json('resource', 'create', 'files', ...given)).toMatchObject({
    slug: 'files',
    uri,
    scopes: [{ name: 'files:read', description: 'Read files' }],
    access_ttl: 600,
    source: 'admin',
  });
  const again = await command('resource', 'create', 'other', ...given);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('both answer to');
  const changed = await json('resource', 'update', 'files', '--alias', 'https://old.example.com/');
  expect(changed).toMatchObject({ aliases: ['https://old.example.com/'], access_ttl: 600 });
  expect((await command('resource', 'disable', 'files')).stdout).toBe('files is disabled.\n');
  expect((await command('resource', 'list')).stdout).toContain('disabled');
  expect((await command('resource', 'enable', 'files')).stdout).toBe('files is enabled.\n');
  expect((await command('resource', 'remove', 'files')).code).toBe(0);
  expect((await command('resource', 'update', 'files', '--name', 'X')).stderr).toContain(
    'there is no resource files',
  );
});

it('keys, resources and the clean-up', async () => {
  expect((await command('resource', 'list')).stdout).toMatch(
    /^There is no resource yet\. Declare it/,
  );
  const [before] = await json('key', 'list');
  expect(before).toMatchObject({ state: 'current', alg: 'ES256' });
  const forced = await json('key', 'rotate', '--force');
  const keys = await json('key', 'list');
  expect(keys).toMatchObject([
    { kid: forced.kid, state: 'current' },
    { kid: before.kid, state: 'retired' },
  ]);
  expect((await command('key', 'rotate')).stdout).toMatch(
    /^Key \S+ is published and signs from 20/,
  );
  expect(await json('purge')).toMatchObject({
    'overlap-windows': 0,
    'expired-tokens': 0,
    'old-issuances': 0,
    'expired-sessions': 0,
    'unused-clients': 0,
    'old-statistics': 0,
  });
});

it.each([
  [['bogus']],
  [['user']],
  [['user', 'list', 'too-many']],
  [['user', 'create', 'a@example.com', '--role', 'king']],
  [['user', 'create', 'a@example.com', '--password', 'on-the-command-line']],
  [['client', 'create']],
  [['resource', 'create', 'files']],
  [['resource', 'create', 'files', '--uri', 'https://mcp.example.com/mcp']],
  [['client', 'create', '--grant-type', 'password', '--redirect-uri', 'http://127.0.0.1/']],
  [['client', 'list', '--limit', 'all']],
  [['client', 'initial-access-token', '--ttl', 'soon']],
  [['config', 'check', '--bogus']],
])('%j is a wrong call: 2, with nothing on standard output', async (args) => {
  const { code, stdout, stderr } = await command(...args);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).not.toBe('');
});

it('help is not a failure', async () => {
  expect(await run(['client', 'create', '--help'])).toBe(0);
});

it('a password from nowhere, an empty one and one of several lines are wrong calls', async () => {
  const create = ['user', 'create', 'a@example.com', '--config', file];
  expect((await place.run(create)).code).toBe(2);
  expect((await place.run([...create, '--password-stdin'], { input: '\n' })).code).toBe(2);
  expect(
    (await place.run([...create, '--password-stdin'], { input: 'one line\nand two\n' })).code,
  ).toBe(2);
});
