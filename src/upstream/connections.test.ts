import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import {
  type Manners,
  type StrangeServer,
  startStrangeServer,
} from './authorization-server.testing.ts';
import {
  ada,
  bob,
  browserOf,
  ourselves,
  type TestUpstream,
  testUpstream,
} from './connections.testing.ts';
import type { McpServer } from './server.ts';

let db: Database;
let strange: StrangeServer;
let up: TestUpstream;
let server: McpServer;
const here = browserOf('ada');

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  strange = await startStrangeServer();
  up = await testUpstream(db);
  server = await up.add(strange.url);
  return () => strange.close();
});

/** The way out and back. */
async function connect({ userId = ada, browser = here, to = server, changes = {} } = {}) {
  const url = await up.connections.begin(to, userId, browser);
  return comeBack(strange.allow(url, changes), { userId, browser });
}

function comeBack(back: URL, { userId = ada, browser = here } = {}) {
  const uuid = back.pathname.split('/').at(-1) ?? '';
  return up.connections.accept({ uuid, query: back.search, userId, browser }, up.meta());
}

const stored = () => db.kysely.selectFrom('upstream_connections').selectAll().execute();
/** From now on the authorization server does this. */
const behave = (manners: Partial<Manners>) => () => void Object.assign(strange.manners, manners);
const asked = (path: string) => strange.requests.filter((request) => request.path === path);

describe('connecting', () => {
  test('asks with PKCE S256, resource and a redirect URI of its own, and sends all of it along with the code', async () => {
    const url = await up.connections.begin(server, ada, here);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: expect.stringMatching(/^dcr-/),
      redirect_uri: `${ourselves}/connect/callback/${server.uuid}`,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      resource: strange.url,
      scope: 'read',
      state: expect.stringMatching(/^[\w-]{43}$/),
    });
    await comeBack(strange.allow(url));
    const [sent] = asked('/token');
    expect(Object.fromEntries(sent?.form ?? [])).toMatchObject({
      grant_type: 'authorization_code',
      redirect_uri: `${ourselves}/connect/callback/${server.uuid}`,
      code_verifier: expect.stringMatching(/^[\w-]{43}$/),
      resource: strange.url,
    });
    expect(await up.connections.statusOf(server, ada)).toBe('connected');
    expect(await up.connections.statusOf(server, bob)).toBe('disconnected');
    expect(await up.connections.accessFor(server, ada)).toMatchObject({
      ok: true,
      headers: { authorization: expect.stringMatching(/^Bearer access-/) },
    });
    expect(await up.connections.accessFor(server, bob)).toEqual({
      ok: false,
      code: 'authentication_required',
      authType: 'oauth',
    });
  });

  test('the first member who connects makes a server ready that waited for it', async () => {
    const by = { actor: { kind: 'user', id: ada } as const, meta: up.meta() };
    const input = { name: 'Late', url: `${strange.url}?late`, authType: 'oauth' as const };
    strange.manners.resourceMetadata.resource = input.url;
    const made = await up.servers.create({ workspaceId: 'ws_one', userId: ada, input }, by);
    await connect({ to: made });
    expect(await up.servers.find({ id: made.id })).toMatchObject({ state: 'READY', enabled: true });
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['no state', async () => comeBack(await back({ state: '' })), 'state'],
    [
      'a state that was made up',
      async () => comeBack(await back({ state: 'x'.repeat(43) })),
      'state',
    ],
    [
      'a state that was used',
      async () => {
        const url = await back();
        await comeBack(url);
        await db.kysely.deleteFrom('upstream_connections').execute();
        await comeBack(url);
      },
      'state',
    ],
    [
      'a state older than ten minutes',
      async () => {
        const url = await back();
        up.advance(601);
        await comeBack(url);
      },
      'expired',
    ],
    [
      'another browser',
      async () => comeBack(await back(), { browser: { ...here, mark: browserOf('eve').mark } }),
      'browser',
    ],
    [
      'another session of the same browser',
      async () => comeBack(await back(), { browser: { ...here, sessionUid: 'later' } }),
      'browser',
    ],
    ['another person (T21)', async () => comeBack(await back(), { userId: bob }), 'browser'],
    [
      'the callback of another server (U13)',
      async () => {
        const other = await up.add(`${strange.url}?other`);
        const url = await back();
        url.pathname = `/connect/callback/${other.uuid}`;
        await comeBack(url);
      },
      'swapped',
    ],
    [
      'another issuer in iss',
      async () => comeBack(await back({ iss: 'https://evil.test' })),
      'not_accepted',
    ],
    ['no iss where it is promised', async () => comeBack(await back({}, ['iss'])), 'not_accepted'],
    [
      'access_denied',
      async () => comeBack(await back({ error: 'access_denied' }, ['code'])),
      'cancelled',
    ],
    ['a code that was made up', async () => comeBack(await back({ code: 'x' })), 'refused_there'],
    [
      'a member who has left meanwhile',
      async () => {
        const url = await back();
        await db.kysely.deleteFrom('workspace_members').where('user_id', '=', ada).execute();
        await comeBack(url);
      },
      'gone',
    ],
    [
      'a server that has another URL by now (U07)',
      async () => {
        const url = await back();
        await db.kysely.updateTable('mcp_servers').set({ url: 'https://x.test' }).execute();
        await comeBack(url);
      },
      'gone',
    ],
  ])('with %s nothing MUST be stored (U05)', async (_what, attempt, failure) => {
    await expect(attempt()).rejects.toMatchObject({ name: 'ConnectError', failure });
    expect(await stored()).toEqual([]);
  });

  async function back(changes: Record<string, string> = {}, without: string[] = []): Promise<URL> {
    const url = strange.allow(await up.connections.begin(server, ada, here), changes);
    for (const name of without) url.searchParams.delete(name);
    return url;
  }

  test('metadata that does not promise PKCE MUST be refused', async () => {
    delete strange.manners.serverMetadata.code_challenge_methods_supported;
    await expect(connect()).rejects.toMatchObject({ field: 'code_challenge_methods_supported' });
  });
});

describe('an answer of the token endpoint that cannot be used MUST be refused or cut (U09)', () => {
  test.each<[string, () => void]>([
    ['expires_in −1', behave({ token: { expires_in: -1 } })],
    ['expires_in as text', behave({ token: { expires_in: '3600' } })],
    ['token_type mac', behave({ token: { token_type: 'mac' } })],
    ['token_type dpop', behave({ token: { token_type: 'DPoP' } })],
    ['a token of 20 000 characters', behave({ token: { access_token: 'a'.repeat(20_000) } })],
    ['a token that breaks out of a header', behave({ token: { access_token: 'a\r\nb: c' } })],
    ['a refresh token that is a number', behave({ token: { refresh_token: 7 } })],
    ['an answer of 1 MB', behave({ token: { more: 'x'.repeat(1_000_000) } })],
    ['a page', behave({ raw: { status: 200, type: 'text/html', body: '<h1>Hi</h1>' } })],
    ['an answer that takes too long', behave({ delay: 5000 })],
  ])('%s', async (_what, misbehave) => {
    misbehave();
    await expect(connect()).rejects.toMatchObject({ name: 'ConnectError' });
    expect(await stored()).toEqual([]);
  });

  test('expires_in 1e12 is cut', async () => {
    strange.manners.token = { expires_in: 1e12 };
    await connect();
    const [row] = await stored();
    expect(row?.expires_at?.getTime()).toBeLessThan(Date.now() + 91 * 86_400_000);
  });
});

describe('who we are there', () => {
  test('is registered once per server and issuer, however many begin at once', async () => {
    const urls = await Promise.all(
      [ada, bob].map((userId) => up.connections.begin(server, userId, browserOf(userId))),
    );
    expect(new Set(urls.map(({ searchParams }) => searchParams.get('client_id'))).size).toBe(1);
    await up.connections.begin(server, ada, here);
    const registrations = await db.kysely
      .selectFrom('upstream_registrations')
      .selectAll()
      .execute();
    expect(registrations).toHaveLength(1);
  });

  test('another issuer later MUST NOT get what the first one knows (U03)', async () => {
    await connect();
    const evil = await startStrangeServer();
    strange.manners.resourceMetadata.authorization_servers = [evil.origin];
    await up.connections.begin(server, bob, browserOf('bob'));
    expect(await up.connections.statusOf(server, ada)).toBe('error');
    expect(await up.connections.accessFor(server, ada)).toMatchObject({ ok: false });
    up.advance(600);
    await up.connections.accessFor(server, ada);
    const heard = JSON.stringify(evil.requests.map(({ body, headers }) => [body, headers]));
    expect(evil.requests.map(({ path }) => path)).toContain('/register');
    expect(heard).not.toContain('upstream-client-secret');
    expect(heard).not.toContain('refresh-');
    await evil.close();
  });

  test('another URL MUST drop tokens and client (U07), and ends them there', async () => {
    await connect();
    const by = { actor: { kind: 'user', id: ada } as const, meta: up.meta() };
    await up.servers.update(server.id, { url: `${strange.url}/elsewhere` }, by);
    expect(await stored()).toEqual([]);
    expect(await db.kysely.selectFrom('upstream_registrations').selectAll().execute()).toEqual([]);
    expect(await up.connections.drainRevocations()).toBe(1);
    expect(strange.revoked).toEqual([
      expect.stringMatching(/^refresh-/),
      expect.stringMatching(/^access-/),
    ]);
    expect(await db.kysely.selectFrom('upstream_revocations').selectAll().execute()).toEqual([]);
  });

  test('is what somebody gave, with the endpoints that they gave, and nothing is looked up', async () => {
    const given = await up.add(`${strange.url}?given`, {
      oauthClientId: 'given-client',
      oauthClientSecret: 'given-secret',
      oauthAuthorizationEndpoint: `${strange.origin}/authorize`,
      oauthTokenEndpoint: `${strange.origin}/token`,
      oauthScopes: 'write',
    });
    await connect({ to: given });
    expect(strange.requests.map(({ path }) => path)).toEqual(['/token']);
    const [sent] = asked('/token');
    const basic = Buffer.from('given-client:given-secret').toString('base64');
    expect(sent?.headers.authorization).toBe(`Basic ${basic}`);
  });
});

describe('refresh', () => {
  test('happens ahead of the end, once for everybody who asks at the same time', async () => {
    await connect();
    const before = await up.connections.accessFor(server, ada);
    up.advance(250);
    const all = await Promise.all(
      Array.from({ length: 20 }, () => up.connections.accessFor(server, ada)),
    );
    expect(strange).toMatchObject({ refreshed: 1, reused: 0 });
    expect(new Set(all.map((access) => JSON.stringify(access))).size).toBe(1);
    expect(all[0]).toMatchObject({ ok: true });
    expect(all[0]).not.toEqual(before);
  });

  test('a refresh token that is good no more needs a new connection', async () => {
    await connect();
    up.advance(400);
    strange.manners.raw = {
      status: 400,
      type: 'application/json',
      body: '{"error":"invalid_grant"}',
    };
    expect(await up.connections.accessFor(server, ada)).toMatchObject({
      ok: false,
      code: 'authentication_required',
    });
    expect(await up.connections.statusOf(server, ada)).toBe('error');
    expect(await up.audited('upstream_refresh_refused')).toHaveLength(1);
    delete strange.manners.raw;
    await connect();
    expect(await up.connections.statusOf(server, ada)).toBe('connected');
  });

  test.each([
    ['is down', behave({ raw: { status: 503, type: 'text/html', body: 'down' } })],
    ['hangs', behave({ delay: 3000 })],
  ])('an authorization server that %s loses no connection (R26)', async (_what, misbehave) => {
    await connect();
    up.advance(250);
    misbehave();
    expect(await up.connections.accessFor(server, ada)).toMatchObject({ ok: true });
    up.advance(100);
    expect(await up.connections.accessFor(server, ada)).toMatchObject({
      ok: false,
      code: 'upstream_unavailable',
    });
    expect(await up.connections.statusOf(server, ada)).toBe('connected');
  });

  test('a life that cannot be is cut where refusing it would lose the rotated refresh token', async () => {
    await connect();
    behave({ token: { expires_in: -1 } })();
    for (let time = 0; time < 3; time += 1) {
      up.advance(400);
      expect(await up.connections.accessFor(server, ada)).toMatchObject({ ok: true });
    }
    expect(strange).toMatchObject({ refreshed: 3, reused: 0 });
  });

  test('what hangs is left alone after a few times', async () => {
    await connect();
    up.advance(400);
    strange.manners.delay = 3000;
    for (let time = 0; time < 6; time += 1) await up.connections.accessFor(server, ada);
    const started = performance.now();
    expect(await up.connections.accessFor(server, ada)).toMatchObject({
      ok: false,
      retryAfter: expect.any(Number),
    });
    expect(performance.now() - started).toBeLessThan(300);
  });

  test.each([
    ['now', 0],
    ['when it is refreshed', 3600],
  ])(
    'tokens that a lost key sealed need a new connection %s, and are no error',
    async (_when, seconds) => {
      await connect();
      const unreadable = { access_sealed: 'v1.lost.key', refresh_sealed: 'v1.lost.key' };
      await db.kysely.updateTable('upstream_connections').set(unreadable).execute();
      up.advance(seconds);
      expect(await up.connections.accessFor(server, ada)).toMatchObject({
        ...{ ok: false, code: 'authentication_required' },
      });
      await connect();
      expect(await up.connections.accessFor(server, ada)).toMatchObject({ ok: true });
    },
  );

  test('a process that died with the lease MUST NOT keep others from refreshing for ever', async () => {
    await connect();
    up.advance(400);
    const until = new Date(Date.now() + 405_000);
    await db.kysely
      .updateTable('upstream_connections')
      .set({ lease: 'dead', lease_until: until })
      .execute();
    up.advance(10);
    expect(await up.connections.accessFor(server, ada)).toMatchObject({ ok: true });
    expect(strange.refreshed).toBe(1);
  });
});

describe('the end of a connection', () => {
  test('disconnecting ends it here at once, there soon, and is on record', async () => {
    await connect();
    const by = { actor: { kind: 'user', id: ada } as const, meta: up.meta() };
    expect(await up.connections.disconnect(server, ada, by)).toBe(true);
    expect(await up.connections.accessFor(server, ada)).toMatchObject({ ok: false });
    await up.connections.drainRevocations();
    expect(strange.revoked).toHaveLength(2);
    expect(await up.audited('upstream_disconnected')).toContainEqual(
      expect.objectContaining({
        user_id: ada,
        detail: expect.objectContaining({ reason: 'disconnected' }),
      }),
    );
    expect(await up.connections.disconnect(server, ada, by)).toBe(false);
  });

  test.each<[string, () => Promise<void>]>([
    [
      'who leaves the workspace',
      () =>
        db.kysely
          .transaction()
          .execute((trx) => up.endings.endForMember(trx, { workspaceId: 'ws_one', userId: ada })),
    ],
    [
      'who is disabled',
      () => db.kysely.transaction().execute((trx) => up.endings.endForUser(trx, ada)),
    ],
  ])('%s loses it, and nobody else', async (_who, end) => {
    await connect();
    await connect({ userId: bob, browser: browserOf('bob') });
    await end();
    expect((await stored()).map(({ user_id }) => user_id)).toEqual([bob]);
  });
});

test('no token, secret or verifier is in the database, the log or the audit log in clear (U10)', async () => {
  await connect();
  up.advance(250);
  await up.connections.accessFor(server, ada);
  strange.manners.token = { expires_in: -1 };
  up.advance(250);
  await up.connections.accessFor(server, ada);
  await up.connections.begin(server, bob, browserOf('bob'));
  const tables = [
    'upstream_connections',
    'upstream_registrations',
    'upstream_authorizations',
    'audit_events',
    'mcp_servers',
  ] as const;
  const rows = await Promise.all(
    tables.map((table) => db.kysely.selectFrom(table).selectAll().execute()),
  );
  const dump = JSON.stringify(rows) + up.logged();
  const verifiers = asked('/token').map(({ form }) => form.get('code_verifier'));
  const secrets = [
    'access-',
    'refresh-',
    'upstream-client-secret',
    ...verifiers.filter((one) => one),
  ];
  for (const secret of secrets) expect(dump).not.toContain(String(secret));
  expect(dump).toContain(ada);
});
