import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readLocalKey } from '../admin/index.ts';
import { run } from './index.ts';
import { createPlace, freePort, localServer, type Place, ready } from './process.testing.ts';

/** Commands while a server holds the embedded database: they go through its admin API. */

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const rows = `
resources: [{ slug: r, uri: "https://r.test/mcp", display_name: R, scopes: [{ name: a }] }]
clients: [{ client_id: M, client_secret: machine-secret-0123456789, grant_types: [client_credentials] }]
users: [{ email: owner@example.test, password: "correct horse owner", role: owner }]
trusted_issuers: [{ issuer: "https://login.test" }]
identity_providers: [{ slug: acme, issuer: "https://idp.test", client_id: us }]
`;

let place: Place;
let server: ReturnType<Place['start']>;
let port = 0;
let file = '';
let keyFile = '';

async function start(): Promise<void> {
  port = await freePort();
  const storage = `storage: { pglite: { path: "${join(place.directory, 'data/authserver')}" } }`;
  place.write('config.yaml', localServer(port, await freePort(), `${storage}\n${rows}`));
  server = place.start(['serve', '--config', file]);
  await ready(`http://127.0.0.1:${port}`, server);
}

beforeAll(async () => {
  place = createPlace();
  file = join(place.directory, 'config.yaml');
  keyFile = join(place.directory, 'data/admin.key');
  await start();
});
afterAll(() => place[Symbol.asyncDispose]());

/** Runs a command in this process; `place.run` gives it a standard input. */
async function command(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((part) => out.push(textOf(part)) > 0),
    vi.spyOn(process.stderr, 'write').mockImplementation((part) => err.push(textOf(part)) > 0),
  ];
  try {
    const code = await run([...args, '--config', file]);
    return { code, stdout: out.join(''), stderr: err.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const textOf = (part: string | Uint8Array) =>
  typeof part === 'string' ? part : Buffer.from(part).toString();

async function json(...args: string[]) {
  const { code, stdout, stderr } = await command(...args, '--json');
  expect({ args, code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}

describe('while a server runs on the embedded database', () => {
  it.each([
    ['user list', /owner@example\.test/],
    ['user show owner@example.test', /role +owner/],
    ['client list', /^M /m],
    ['client show M', /grant_types +client_credentials/],
    ['resource list', /https:\/\/r\.test\/mcp/],
    ['resource show r', /token_format +jwt/],
    ['workspace list', /There is no workspace yet/],
    ['token list', /There is no personal access token/],
    ['trusted-issuer list', /https:\/\/login\.test/],
    ['trusted-issuer show https://login.test', /keys +by discovery/],
    ['identity-provider list', /acme/],
    ['key list', /ES256 +current/],
    ['audit list', /user_created/],
    ['audit export', /"type":"user_created"/],
    ['audit verify', /The audit log is as it was sealed/],
    ['audit dead-letters list', /There are no dead letters/],
    ['doctor', /The metadata of the issuer can be had/],
  ])('authserver %s reads through it', async (line, expected) => {
    const { stdout, stderr } = await command(...line.split(' '));
    expect({ stdout, stderr }).toMatchObject({ stdout: expect.stringMatching(expected) });
  });

  it('writes go through it, and are audited as done at the command line by the system user', async () => {
    const invited = await command('user', 'invite', 'ada@example.test');
    expect(invited.stdout).toMatch(/\/account\/password#[\w-]{43}\n$/);
    const made = await json('user', 'create', 'bob@example.test', '--no-password');
    expect(made).toMatchObject({ source: 'cli', status: 'active' });
    const reset = ['user', 'set-password', 'bob@example.test', '--password-stdin'];
    const changed = await place.run([...reset, '--config', file], { input: 'a long password' });
    expect(changed).toMatchObject({ code: 0 });
    const key = ['--issuer', 'https://login.test', '--subject', '00u1'];
    expect((await command('user', 'link', 'bob@example.test', ...key)).stderr).toBe('');
    expect((await command('user', 'unlink', 'bob@example.test', ...key)).code).toBe(0);
    expect((await command('user', 'sign-out', 'bob@example.test')).stdout).toContain('0 sessions');
    expect((await command('user', 'disable', 'bob@example.test')).code).toBe(0);
    expect((await command('user', 'enable', made.id)).code).toBe(0);
    expect((await command('user', 'reset-link', 'bob@example.test')).stdout).toContain('#');

    const app = await json('client', 'create', 'svc', '--grant-type', 'client_credentials');
    expect(app.client_secret).toMatch(/^cs_/);
    expect((await command('client', 'suspend', 'svc', '--reason', 'leaked')).code).toBe(0);
    expect((await command('client', 'resume', 'svc')).code).toBe(0);
    const rotated = await json('client', 'rotate-secret', 'svc', '--now');
    expect(rotated.client_secret).not.toBe(app.client_secret);
    expect((await command('client', 'initial-access-token')).stdout).toMatch(/^iat_/);
    expect((await command('client', 'remove', 'svc', '--reason', 'old')).code).toBe(0);

    const scope = ['--uri', 'https://s.test/mcp', '--scope', 's'];
    expect(await json('resource', 'create', 's', ...scope)).toMatchObject({ slug: 's' });
    expect((await command('resource', 'disable', 's')).code).toBe(0);
    expect((await command('resource', 'remove', 's')).code).toBe(0);

    expect((await command('workspace', 'create', 'acme')).code).toBe(0);
    const add = ['workspace', 'add-member', 'acme', 'bob@example.test'];
    expect((await command(...add, '--role', 'admin')).stdout).toContain('is an admin of acme');
    const events = await json('audit', 'list', '--actor', userInfo().username, '--limit', '1000');
    const types = new Set(events.map(({ type }: { type: string }) => type));
    for (const type of [
      ...['user_created', 'user_password_changed', 'user_disabled', 'user_enabled'],
      ...['client_registered', 'client_suspended', 'resource_created', 'workspace_created'],
    ]) {
      expect(types).toContain(type);
    }
    expect(events.every((one: { actor_kind: string }) => one.actor_kind === 'cli')).toBe(true);
  });

  it('tokens are made, explained, minted and ended', async () => {
    const forR = ['--resource', 'r', '--scope', 'a', '--user', 'owner@example.test'];
    const { token, id } = await json('token', 'create', '--name', 'CI', ...forR);
    expect(await json('token', 'show', token)).toMatchObject({ id, name: 'CI', status: 'active' });
    expect((await command('token', 'revoke', token)).stdout).toBe(`${id} has ended.\n`);
    const minted = await json('token', 'mint', '--client', 'M', ...forR);
    expect(decodeJwt(minted.access_token)).toMatchObject({ client_id: 'M', scope: 'a' });
  });

  it('keys are rotated, rows are swept, and the owner needs no link', async () => {
    expect((await command('key', 'rotate')).stdout).toMatch(/is published and signs from/);
    expect(await json('purge')).toMatchObject({ 'expired-tokens': 0, 'unused-clients': 0 });
    expect((await command('setup-link')).stderr).toContain('this server has an owner');
    expect((await command('trusted-issuer', 'disable', 'https://login.test')).code).toBe(0);
    expect((await command('identity-provider', 'disable', 'acme')).code).toBe(0);
  });

  it('what the server refuses is one sentence and exit code 1', async () => {
    const cases: [string[], RegExp][] = [
      [['user', 'disable', 'owner@example.test'], /^authserver: This is the last owner: .*\n$/],
      [['user', 'show', 'nobody@example.test'], /there is no account nobody@example\.test/],
      [['client', 'show', 'nobody'], /there is no client nobody/],
      [['resource', 'remove', 'nothing'], /there is no resource nothing/],
      [['user', 'create', 'no-address', '--no-password'], /^authserver: .*\n$/],
    ];
    for (const [args, expected] of cases) {
      expect(await command(...args)).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(expected),
      });
    }
  });
});

describe('the key in the data directory', () => {
  it('is in a file for its owner only, and MUST NOT be used where others can read it', async () => {
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const kept = readFileSync(keyFile);
    rmSync(keyFile);
    writeFileSync(keyFile, kept, { mode: 0o644 });
    expect((await command('user', 'list')).stderr).toMatch(/is in use by|pid \d+/);
    rmSync(keyFile);
    writeFileSync(keyFile, kept, { mode: 0o600 });
    expect((await command('user', 'list')).code).toBe(0);
  });

  it('MUST open nothing where it is wrong, or of a server with another issuer', async () => {
    const kept = readFileSync(keyFile, 'utf8');
    const local = readLocalKey(join(place.directory, 'data'));
    const others = [
      { ...local, key: 'k'.repeat(43) },
      { ...local, issuer: 'https://other.test' },
    ];
    for (const other of others) {
      writeFileSync(keyFile, JSON.stringify(other));
      expect(await command('user', 'list')).toMatchObject({ code: 1, stdout: '' });
    }
    writeFileSync(keyFile, kept);
    const url = `${local?.url}/admin/api/users`;
    const wrong = await fetch(url, { headers: { authorization: `Bearer ${local?.key}x` } });
    expect(wrong.status).toBe(401);
  });

  it('is of no use to another user of this computer', async () => {
    const isRoot = process.getuid?.() === 0; // nobody else can become another user
    if (!isRoot) chmodSync(keyFile, 0o000); // which is what it looks like to one
    const other = await place.run(
      ['user', 'list', '--config', file],
      isRoot ? { uid: 65_534 } : {},
    );
    chmodSync(keyFile, 0o600);
    expect(other).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('a backup from a running server', () => {
  it('is whole, for its owner only, and can be restored elsewhere', async () => {
    const kept = join(place.directory, 'running.backup.gz');
    const made = await json('backup', '--out', kept);
    expect(made).toMatchObject({ file: kept, rows: expect.any(Number) });
    expect(made.rows).toBeGreaterThan(10);
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    expect(gunzipSync(readFileSync(kept)).toString()).toContain('owner@example.test');
    expect((await command('backup', '--out', kept)).code).toBe(1);

    const secrets = readFileSync(join(place.directory, 'data/secrets.json'), 'utf8');
    const elsewhere = createPlace();
    try {
      const path = join(elsewhere.directory, 'data/authserver');
      elsewhere.write('config.yaml', `storage: { pglite: { path: "${path}" } }`);
      const env = {
        AUTHPLANE_DATA_ENCRYPTION_KEY: JSON.parse(secrets).data_encryption_key,
        AUTHPLANE_SESSION_SECRET: 's'.repeat(40),
      };
      const config = ['--config', join(elsewhere.directory, 'config.yaml')];
      const restored = await elsewhere.run(['restore', ...config, kept], { env });
      expect(restored).toMatchObject({ code: 0 });
      const shown = await elsewhere.run(['user', 'list', ...config], { env });
      expect(shown.stdout).toContain('owner@example.test');
    } finally {
      await elsewhere[Symbol.asyncDispose]();
    }
  });
});

describe('after a killed server', () => {
  it('its key is left behind, and commands open the database', async () => {
    server.child.kill('SIGKILL');
    await server.ended;
    expect(statSync(keyFile).isFile()).toBe(true);
    expect((await command('user', 'list')).stdout).toContain('ada@example.test');
    expect((await command('user', 'create', 'eve@example.test', '--no-password')).code).toBe(0);
    const events = await json('audit', 'list', '--type', 'user_created');
    expect(events[0]).toMatchObject({ actor_kind: 'cli', actor_id: userInfo().username });
  });

  it('and the next server takes its place', async () => {
    await start();
    expect((await command('user', 'list')).stdout).toContain('eve@example.test');
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
  });
});
