import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { approveGrant } from '../consent/index.ts';
import { createLogger } from '../http/index.ts';
import { openRooms, type Rooms, reconcile } from '../rooms.ts';
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
    `
storage: { pglite: { path: ${join(place.directory, 'data/authserver')} } }
tokens: { personal_access_max_ttl: 60d }
resources:
  - slug: boards
    uri: https://boards.test/mcp
    display_name: Boards
    token_prefix: cp
    scopes:
      - { name: boards, description: Use boards }
      - { name: docs, description: Read documents }
    exchange: { clients: [svc], consent: operator, impersonation: [svc] }
clients: [{ client_id: svc, client_name: Service, client_secret: ${'s'.repeat(32)}, grant_types: [client_credentials] }]
users:
  - { email: ada@example.test, password: correct horse ada }
  - { email: bob@example.test, password: correct horse bob }
`,
  );
  await inspect((rooms, config) => reconcile(config, rooms));
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
  const { code, stdout, stderr } = await command(...args, '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}

/** Looks into the database as the server does. */
async function inspect<T>(
  work: (rooms: Rooms, config: ReturnType<typeof loadConfig>['config']) => Promise<T>,
): Promise<T> {
  const { config } = loadConfig({ file, env: {}, cwd: place.directory });
  const rooms = await openRooms(config, { log: createLogger({ level: 'silent' }) });
  try {
    return await work(rooms, config);
  } finally {
    await rooms.close();
  }
}

const forBoards = ['--resource', 'boards', '--scope', 'boards'];

it('personal access tokens: made, listed, explained and revoked, each value shown once', async () => {
  expect((await command('token', 'list')).stdout).toMatch(/^There is no personal access token\. /);

  const create = ['token', 'create', '--user', 'Ada@example.test', '--name', 'CI', ...forBoards];
  const first = await command(...create);
  expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('shown only now') });
  expect(first.stdout).toMatch(/^cp_pat_[0-9A-Za-z]{49}\n$/);
  const value = first.stdout.trim();

  const second = await json(...create, '--expires', '30d');
  expect(second).toMatchObject({
    token: expect.stringMatching(/^cp_pat_/),
    user: 'ada@example.test',
    name: 'CI',
    resource: 'https://boards.test/mcp',
    scopes: ['boards'],
  });
  const ofBob = await json(
    'token',
    'create',
    '--user',
    'bob@example.test',
    '--name',
    'b',
    ...forBoards,
  );

  const listed = await command('token', 'list', '--json');
  expect(JSON.parse(listed.stdout)).toHaveLength(3);
  for (const secret of [value, second.token, ofBob.token]) {
    expect(listed.stdout).not.toContain(secret);
  }
  const [newest, oldest] = await json('token', 'list', '--user', 'ada@example.test');
  expect(newest).toMatchObject({ id: second.id, status: 'active', expires_at: second.expires_at });
  const day = 86_400_000;
  const life = Date.parse(oldest.expires_at) - Date.parse(oldest.created_at);
  expect(life).toBe(60 * day); // the maximum is shorter than the usual 90 days

  const explained = await json('token', 'show', value);
  expect(explained).toMatchObject({
    id: oldest.id,
    name: 'CI',
    kind: 'personal_access_token',
    status: 'active',
    user: 'ada@example.test',
    scope: 'boards',
  });
  const fromInput = await place.run(['token', 'show', '-', '--json', '--config', file], {
    input: `${value}\n`,
  });
  expect(JSON.parse(fromInput.stdout)).toEqual(explained);

  expect((await command('token', 'revoke', oldest.id)).stdout).toBe(`${oldest.id} has ended.\n`);
  expect((await command('token', 'revoke', value)).stdout).toBe(`${oldest.id} had ended before.\n`);
  expect(await json('token', 'show', oldest.id)).toMatchObject({ status: 'revoked' });
  expect(await json('token', 'show', second.id)).toMatchObject({ status: 'active' });
  expect((await command('token', 'list')).stdout).toMatch(/CI +ada@example\.test .* revoked /);

  await inspect(async ({ db }) => {
    const events = await db.kysely
      .selectFrom('audit_events')
      .select(['type', 'actor_kind', 'detail'])
      .where('type', 'in', ['token_issued', 'token_revoked'])
      .orderBy('id')
      .execute();
    expect(events.map(({ type, actor_kind }) => [type, actor_kind])).toEqual([
      ['token_issued', 'cli'],
      ['token_issued', 'cli'],
      ['token_issued', 'cli'],
      ['token_revoked', 'cli'],
    ]);
    expect(JSON.stringify(events)).not.toContain(value);
  });
});

it('a test token is minted for a person, a client or both, explained and ended', async () => {
  const minted = await json(
    'token',
    'mint',
    '--user',
    'ada@example.test',
    '--client',
    'svc',
    ...forBoards,
    '--ttl',
    '5m',
  );
  const payload = decodeJwt(minted.access_token);
  expect(payload).toMatchObject({
    aud: 'https://boards.test/mcp',
    client_id: 'svc',
    scope: 'boards',
  });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
  expect(await json('token', 'show', minted.access_token)).toMatchObject({
    id: minted.jti,
    status: 'active',
    client_id: 'svc',
    user: 'ada@example.test',
    grant_type: 'token_mint',
  });
  expect((await command('token', 'revoke', minted.jti)).stdout).toBe(`${minted.jti} has ended.\n`);
  expect(await json('token', 'show', minted.jti)).toMatchObject({ status: 'ended' });

  const ofClient = await command('token', 'mint', '--client', 'svc', ...forBoards);
  expect(decodeJwt(ofClient.stdout.trim())).toMatchObject({ sub: 'svc' });
  const ofPerson = await command('token', 'mint', '--user', 'bob@example.test', ...forBoards);
  expect(decodeJwt(ofPerson.stdout.trim()).sub).toMatch(/^usr_/);
});

it('an id that begins with a hyphen is an id', async () => {
  const unknown = `-${'x'.repeat(42)}`;
  const { code, stderr } = await command('token', 'show', unknown);
  expect(code).toBe(1);
  expect(stderr).toContain('there is no record of such a token');
});

it('what cannot be is refused with one sentence', async () => {
  const create = ['token', 'create', '--name', 'CI', ...forBoards];
  const ada = ['--user', 'ada@example.test'];
  const wrong: [string[], number, RegExp][] = [
    [[...create, '--user', 'eve@example.test'], 1, /there is no account eve@example\.test/],
    [[...create, ...ada, '--resource', 'nowhere'], 1, /there is no enabled resource nowhere/],
    [[...create, ...ada, '--scope', 'boards admin'], 1, /has no scope admin/],
    [[...create, ...ada, '--expires', '61d'], 1, /between 1 minute and 60 days/],
    [[...create, ...ada, '--expires', 'soon'], 2, /soon is not a duration/],
    [[...create], 2, /--user/],
    [['token', 'mint', ...forBoards], 2, /--client, --user or both/],
    [['token', 'mint', '--client', 'nobody', ...forBoards], 1, /there is no client nobody/],
    [['token', 'mint', ...ada, ...forBoards, '--ttl', '16m'], 1, /900 seconds/],
    [['token', 'revoke', 'unknown'], 1, /there is no record of such a token/],
    [['token', 'show', 'a', 'b'], 2, /too many arguments/],
  ];
  for (const [args, code, sentence] of wrong) {
    const ended = await command(...args);
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(sentence) });
  }
  expect(await json('token', 'list')).toEqual([]);
});

it('revoking a refresh token ends its authorization and what was exchanged under it', async () => {
  await inspect(async ({ accounts, db, tokens }) => {
    const [ada] = (await accounts.list({ limit: 1, after: '' })).items;
    const userId = String(ada?.id);
    const [at, expiresAt] = [new Date(), new Date(Date.now() + 3_600_000)];
    const approval = {
      userId,
      client: { clientId: 'svc', kind: 'preregistered' as const, digest: '' },
    };
    const { id: grantId } = await approveGrant(db.kysely, {
      ...{ ...approval, resource: 'https://boards.test/mcp', workspaceId: '', now: at },
      ...{ scopes: ['boards'], offeredScopes: ['boards'], redirectUri: 'http://127.0.0.1/cb' },
    });
    const family = { id: 'F', grantId, clientId: 'svc', userId, payload: {}, expiresAt };
    await tokens.families.start(db.kysely, family, at);
    const row = {
      ...{ client_id: 'svc', sub: userId, resource: 'https://boards.test/mcp', scope: 'boards' },
      ...{ token_type: 'Bearer' as const, issued_at: at, expires_at: expiresAt },
    };
    const ofFamily = {
      ...row,
      grant_type: 'authorization_code',
      family_id: 'F',
      grant_id: grantId,
    };
    const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange';
    const issuances = [
      { ...ofFamily, jti: 'refresh', kind: 'refresh_token' as const },
      { ...ofFamily, jti: 'access', kind: 'access_token' as const },
      { ...row, jti: 'exchanged', kind: 'access_token' as const, grant_type, parent_jti: 'access' },
    ];
    for (const issuance of issuances) {
      await db.kysely.insertInto('issuances').values(issuance).execute();
    }
  });
  const refresh = ['token', 'revoke', 'refresh'];
  expect((await command(...refresh)).stdout).toBe('The authorization F of refresh has ended.\n');
  for (const id of ['access', 'exchanged']) {
    expect(await json('token', 'show', id)).toMatchObject({ status: 'ended' });
  }
  expect((await command(...refresh)).stdout).toBe('refresh had ended before.\n');
  await inspect(async ({ db }) => {
    const events = await db.kysely
      .selectFrom('audit_events')
      .select(['actor_kind', 'detail'])
      .where('type', '=', 'token_revoked')
      .execute();
    const detail = { reason: 'operator', jti: 'refresh', family_id: 'F', count: 3 };
    expect(events).toEqual([{ actor_kind: 'cli', detail }]);
  });
});

it('resource show says who may exchange towards it', async () => {
  const { stdout } = await command('resource', 'show', 'boards');
  expect(stdout).toMatch(/^exchange +svc \(consent: operator; without act: svc\)$/m);
});
