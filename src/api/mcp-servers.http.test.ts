import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGuardedRequest, createGuardedSessions } from '../http/index.ts';
import { alice, bob, type TestServer } from '../provider/server.testing.ts';
import { memberOf, startWorkspaces, workspaceId } from '../provider/workspaces.testing.ts';
import { call } from './api.testing.ts';
import {
  type ApiClient,
  apiClient,
  exampleMcp,
  managed,
  type OtherServer,
  otherServer,
  registered,
} from './mcp-servers.testing.ts';

const secretKey = 'key-that-nobody-reads-again';

let server: TestServer;
let other: OtherServer;
let locked: OtherServer;
let asAlice: ApiClient;
let asBob: ApiClient;

beforeAll(async () => {
  const now = () => new Date();
  server = await startWorkspaces({
    upstreamWays: {
      sessions: createGuardedSessions({ timeoutMs: 1500, maxBytes: 200_000, now }),
      pictures: createGuardedRequest({ timeoutMs: 500, maxBytes: 64 * 1024, now }),
    },
  });
  await memberOf(server, alice, { acme: 'admin', beta: 'member' });
  await memberOf(server, bob, { beta: 'member' });
  other = await otherServer(exampleMcp());
  locked = await otherServer(
    exampleMcp({ accepts: ({ headers }) => headers.authorization === `Bearer ${secretKey}` }),
  );
  asAlice = await apiClient(server, alice);
  asBob = await apiClient(server, bob);
});
afterAll(async () => {
  await server.close();
  await other.close();
  await locked.close();
});

describe('POST /api/mcp-servers', () => {
  it('MUST answer 201 with the fields of the REST document and no secret', async () => {
    const workspace = await workspaceId(server, 'acme');
    const made = await asAlice('POST', '/api/mcp-servers', {
      ...{ workspaceId: workspace, name: 'Locked', url: locked.url, authType: 'api_key' },
      ...{ apiKey: secretKey, headers: { 'X-Team': 'secret team' } },
      ...{ connectorId: 'c1', connectorConfig: { color: 'red' } },
    });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^mcp_[0-9a-f]{30}$/),
      ...{ workspaceId: workspace, name: 'Locked', url: locked.url, authType: 'api_key' },
      ...{ oauthClientId: null, oauthTokenEndpoint: null, oauthAuthorizationEndpoint: null },
      ...{ oauthScopes: null, oauthExpiresAt: null, headers: { 'X-Team': null } },
      ...{ connectorId: 'c1', connectorConfig: { color: 'red' } },
      connectorStatus: 'disconnected',
      createdBy: expect.stringMatching(/^usr_/),
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: expect.stringMatching(/Z$/),
    });
    expect(await asAlice('GET', `/api/mcp-servers/${made.body.id}`)).toMatchObject({
      ...{ status: 200, body: made.body },
    });
  });

  it.each([
    [{ nmae: 'x' }, /unknown member: nmae\. It takes: workspaceId, name/],
    [{}, /workspaceId is missing in the body/],
  ])('says of %j what is wrong and what it takes', async (sent, problem) => {
    const { status, body } = await asAlice('POST', '/api/mcp-servers', sent);
    expect({ status, body }).toMatchObject({
      ...{ status: 400, body: { error_description: expect.stringMatching(problem) } },
    });
  });

  it('keys and headers MUST be neither in the database nor in the log in the clear (U10)', async () => {
    const rows = await server.db.kysely.selectFrom('mcp_servers').selectAll().execute();
    const audit = await server.db.kysely.selectFrom('audit_events').selectAll().execute();
    const all = JSON.stringify(rows) + JSON.stringify(audit) + server.logged();
    expect(all).toContain('"api_key_sealed":"v1.');
    expect(all).not.toContain(secretKey);
    expect(all).not.toContain('secret team');
  });

  it.each([
    ['url', { url: 'ftp://example.com/' }],
    ['url', { url: 'https://user:pw@example.com/' }],
    ['url', { url: 'https://example.com/a/%2e%2e/b' }],
    ['url', { url: 'http://example.com/mcp' }],
    ['url', { url: 'https://169.254.169.254/mcp' }],
    ['url', { url: 'javascript:alert(1)' }],
    ['name', { name: 'two\nlines' }],
    ['name', { name: undefined }],
    ['apiKey', { apiKey: 'two words' }],
    ['headers', { headers: { Host: 'evil.test' } }],
    ['headers', { headers: { Authorization: 'Bearer x' } }],
    ['headers', { headers: { 'X-A': 'a\r\nX-B: b' } }],
    ['headers', { headers: { 'X A': 'a' } }],
    ['oauthTokenEndpoint', { oauthTokenEndpoint: 'file:///etc/passwd' }],
    ['oauthAuthorizationEndpoint', { oauthAuthorizationEndpoint: 'javascript:alert(1)' }],
    ['oauthAuthorizationEndpoint', { oauthAuthorizationEndpoint: 'a:$(calc)' }],
    ['oauthAuthorizationEndpoint', { oauthAuthorizationEndpoint: 'http://as.example.com/a' }],
    ['oauthAuthorizationEndpoint', { oauthAuthorizationEndpoint: 'https://as.example.com/"x' }],
    ['oauthScopes', { oauthScopes: 'a "b"' }],
    ['authType', { authType: 'basic' }],
    ['state', { state: 'READY' }],
    ['enabled', { enabled: true }],
    ['createdBy', { createdBy: 'usr_other' }],
    ['id', { id: 7 }],
  ])('MUST refuse a bad %s with 400 and name it: %j (U01, AD06)', async (field, input) => {
    const workspace = await workspaceId(server, 'acme');
    const base = { workspaceId: workspace, name: 'Bad', url: other.url };
    const { status, body } = await asAlice('POST', '/api/mcp-servers', { ...base, ...input });
    expect({ status, body }).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(body.error_description).toContain(field);
  });
});

describe('PATCH /api/mcp-servers/{id}', () => {
  it('another URL MUST drop keys and headers, and begin set-up anew (U07)', async () => {
    const made = await registered(server, asAlice, {
      ...{ name: 'Moves', url: locked.url, authType: 'api_key', apiKey: secretKey },
      headers: { 'X-Team': 'secret team' },
    });
    const path = await managed(server, 'acme', `/${made.id}`);
    expect(await asAlice('POST', `${path}/test`)).toMatchObject({ body: { success: true } });
    const before = other.requests.length;
    const moved = await asAlice('PATCH', `/api/mcp-servers/${made.publicId}`, { url: other.url });
    expect(moved).toMatchObject({ status: 200, body: { url: other.url, headers: {} } });
    expect(await asAlice('GET', path)).toMatchObject({
      body: { state: 'REGISTER', enabled: false },
    });
    expect(await asAlice('POST', `${path}/test`)).toMatchObject({ body: { success: true } });
    const seen = other.requests.slice(before);
    expect(seen.length).toBeGreaterThan(0);
    expect(JSON.stringify(seen)).not.toContain(secretKey);
    expect(JSON.stringify(seen)).not.toContain('secret team');
  });

  it('another name MUST leave everything else as it is; null of a header keeps its value', async () => {
    const made = await registered(server, asAlice, {
      ...{ url: locked.url, authType: 'api_key', apiKey: secretKey, headers: { 'X-A': 'kept' } },
    });
    const path = await managed(server, 'acme', `/${made.id}`);
    await asAlice('POST', `${path}/enable`);
    const changes = { name: 'Renamed', headers: { 'X-A': null, 'X-B': 'new' } };
    const changed = await asAlice('PATCH', `/api/mcp-servers/${made.publicId}`, changes);
    expect(changed.body).toMatchObject({ name: 'Renamed', headers: { 'X-A': null, 'X-B': null } });
    expect(await asAlice('GET', path)).toMatchObject({ body: { state: 'READY', enabled: true } });
    const before = locked.requests.length;
    expect(await asAlice('GET', `${path}/tools`)).toMatchObject({ status: 200 });
    expect(locked.requests[before]?.headers).toMatchObject({ 'x-a': 'kept', 'x-b': 'new' });
  });
});

describe('the management API', () => {
  it('enable MUST connect a server without authentication and make it READY', async () => {
    const made = await registered(server, asAlice, { url: other.url });
    expect(made).toMatchObject({ state: 'REGISTER', enabled: false, iconUrl: null });
    const path = await managed(server, 'acme', `/${made.id}`);
    const enabled = await asAlice('POST', `${path}/enable`);
    expect(enabled).toMatchObject({ status: 200, body: { state: 'READY', enabled: true } });
    const off = await asAlice('POST', `${path}/disable`);
    expect(off).toMatchObject({ status: 200, body: { state: 'READY', enabled: false } });
    expect(await asAlice('GET', `${path}/tools`)).toMatchObject({ status: 409 });
    const again = await asAlice('POST', `${path}/enable`);
    expect(again).toMatchObject({ status: 200, body: { state: 'READY', enabled: true } });
  });

  it('tools, prompts and resources MUST come from the server as it is now', async () => {
    const made = await registered(server, asAlice, { url: other.url });
    const path = await managed(server, 'acme', `/${made.id}`);
    const tools = await asAlice('GET', `${path}/tools`);
    expect(tools).toMatchObject({ status: 200, body: { tools: [{ name: 'echo' }] } });
    const prompts = await asAlice('GET', `${path}/prompts`);
    expect(prompts).toMatchObject({ status: 200, body: { prompts: [{ name: 'greet' }] } });
    const resources = await asAlice('GET', `${path}/resources`);
    expect(resources).toMatchObject({ status: 200, body: { resources: [{ uri: 'note://one' }] } });
  });

  it('test MUST say how long it took, and mark the server ready and enabled', async () => {
    const made = await registered(server, asAlice, { url: other.url });
    const path = await managed(server, 'acme', `/${made.id}`);
    const reader = await apiClient(server, alice, 'apps:read');
    const tested = await reader('POST', `${path}/test`);
    expect(tested).toMatchObject({ status: 200, body: { success: true } });
    expect(tested.body.latencyMs).toEqual(expect.any(Number));
    expect(await asAlice('GET', path)).toMatchObject({ body: { state: 'READY', enabled: true } });
  });

  it('a wrong key MUST be a failed test, and change nothing', async () => {
    const made = await registered(server, asAlice, {
      ...{ url: locked.url, authType: 'api_key', apiKey: 'wrong' },
    });
    const path = await managed(server, 'acme', `/${made.id}`);
    const tested = await asAlice('POST', `${path}/test`);
    expect(tested).toMatchObject({
      status: 200,
      body: { success: false, error: expect.stringContaining('credentials') },
    });
    expect(await asAlice('GET', path)).toMatchObject({
      body: { state: 'REGISTER', enabled: false },
    });
    expect(await asAlice('POST', `${path}/enable`)).toMatchObject({ status: 502 });
  });

  it('direct_auth: 403 with code, authType and appUuid until the member has credentials', async () => {
    const made = await registered(server, asAlice, { url: other.url, authType: 'direct_auth' });
    const path = await managed(server, 'acme', `/${made.id}`);
    const detail = {
      ...{ code: 'authentication_required', authType: 'direct_auth', appUuid: made.uuid },
    };
    for (const what of ['tools', 'prompts', 'resources']) {
      const asked = await asAlice('GET', `${path}/${what}`);
      expect(asked).toMatchObject({ status: 403, body: { ...detail, detail } });
    }
    expect(await asAlice('POST', `${path}/enable`)).toMatchObject({ status: 403, body: detail });
    expect(await asAlice('GET', path)).toMatchObject({ body: { state: 'AUTHORIZE' } });
    expect(await asAlice('GET', `${path}/members`)).toMatchObject({ status: 200, body: [] });
    const linked = await asAlice('POST', `${path}/credentials`);
    expect(linked).toMatchObject({ status: 200, body: { success: true } });
    expect(await asAlice('GET', `${path}/members`)).toMatchObject({
      body: [{ email: alice.email, connectorStatus: 'connected' }],
    });
    expect(await asAlice('GET', path)).toMatchObject({
      body: { state: 'READY', enabled: true, connectorStatus: 'connected' },
    });
    expect(await asAlice('GET', `${path}/tools`)).toMatchObject({
      body: { tools: [{ name: 'echo' }] },
    });
  });

  it('oauth: 403 with code, authType and a single-use authorizeUrl of ours', async () => {
    const made = await registered(server, asAlice, { url: locked.url, authType: 'oauth' });
    const path = await managed(server, 'acme', `/${made.id}`);
    const asked = await asAlice('GET', `${path}/tools`);
    expect(asked).toMatchObject({
      status: 403,
      body: { code: 'authentication_required', authType: 'oauth' },
    });
    expect(asked.body.authorizeUrl).toMatch(new RegExp(`^${server.url}/connect/`));
    const again = await asAlice('GET', `${path}/tools`);
    expect(again.body.authorizeUrl).not.toBe(asked.body.authorizeUrl);
  });

  it('oauth/authorize with a Bearer alone MUST lead to a link of ours', async () => {
    const made = await registered(server, asAlice, { url: locked.url, authType: 'oauth' });
    const path = await managed(server, 'acme', `/${made.id}/oauth/authorize`);
    const sent = await asAlice('GET', path);
    expect(sent.status).toBe(302);
    expect(sent.headers.get('location')).toMatch(new RegExp(`^${server.url}/connect/`));
    const signedOut = await call(server, path, { redirect: 'manual' });
    expect(signedOut.status).toBe(401);
  });

  it('lists MUST be sorted as asked, and refuse other columns (AD08)', async () => {
    const path = await managed(server, 'beta');
    for (const name of ['b', 'C', 'a']) {
      await registered(server, asAlice, { slug: 'beta', name, url: other.url });
    }
    const names = async (query: string) => {
      const { body } = await asAlice('GET', `${path}?${query}`);
      return JSON.parse(JSON.stringify(body)).map((row: { name: string }) => row.name);
    };
    expect(await names('sortBy=name')).toEqual(['a', 'b', 'C']);
    expect(await names('sortBy=name&sortOrder=desc')).toEqual(['C', 'b', 'a']);
    expect(await names('sortBy=createdAt')).toEqual(['b', 'C', 'a']);
    for (const query of [
      'sortBy=api_key_sealed',
      "sortBy=name'--",
      'sortOrder=up',
      'sortBy=name&sortBy=name',
    ]) {
      expect(await asAlice('GET', `${path}?${query}`)).toMatchObject({ status: 400 });
    }
  });

  it('delete MUST need apps:admin and an admin of the workspace', async () => {
    const made = await registered(server, asAlice, { slug: 'beta', url: other.url });
    const path = await managed(server, 'beta', `/${made.id}`);
    const writer = await apiClient(server, alice, 'apps:write');
    expect(await writer('DELETE', path)).toMatchObject({ status: 403 });
    expect(await asAlice('DELETE', path)).toMatchObject({ status: 403 });
    expect(await asAlice('GET', path)).toMatchObject({ status: 200 });
    const own = await registered(server, asAlice, { url: other.url });
    const mine = await managed(server, 'acme', `/${own.id}`);
    expect(await asAlice('DELETE', mine)).toMatchObject({ status: 200, body: { success: true } });
    expect(await asAlice('GET', mine)).toMatchObject({ status: 404 });
    const second = await registered(server, asAlice, { url: other.url });
    expect(await asAlice('DELETE', `/api/mcp-servers/${second.publicId}`)).toMatchObject({
      status: 204,
    });
  });
});

describe('two workspaces, two people', () => {
  it('nothing of the other workspace MUST answer otherwise than what is not there (AD07)', async () => {
    const made = await registered(server, asAlice, { url: other.url });
    const beta = await workspaceId(server, 'beta');
    const acme = await workspaceId(server, 'acme');
    const places = [`/api/v2/w/${acme}/mcp-servers`, `/api/v2/w/${beta}/mcp-servers`];
    const ends: [string, string][] = [
      ...[
        ['GET', ''],
        ['DELETE', ''],
        ['POST', '/credentials'],
        ['POST', '/disable'],
      ],
      ...[
        ['POST', '/enable'],
        ['GET', '/members'],
        ['GET', '/oauth/authorize'],
      ],
      ...[
        ['GET', '/prompts'],
        ['GET', '/resources'],
        ['POST', '/test'],
        ['GET', '/tools'],
      ],
      ...[['GET', '/icon']],
    ].map(([method = '', end = '']) => [method, end]);
    for (const place of places) {
      for (const [method, end] of ends) {
        const answer = await asBob(method, `${place}/${made.id}${end}`);
        const isMember = place === places[1];
        const isDelete = method === 'DELETE' && isMember;
        expect({ place, method, end, status: answer.status }).toMatchObject({
          status: isDelete ? 403 : 404,
        });
      }
    }
    for (const [method, body] of [['GET'], ['PATCH', { name: 'x' }], ['DELETE']] as const) {
      const foreign = await asBob(method, `/api/mcp-servers/${made.publicId}`, body);
      const none = await asBob(method, `/api/mcp-servers/mcp_${'0'.repeat(30)}`, body);
      expect(foreign.status).toBe(404);
      expect(foreign.body.error_description).toBe(none.body.error_description);
    }
    const add = { workspaceId: acme, name: 'x', url: other.url };
    expect(await asBob('POST', '/api/mcp-servers', add)).toMatchObject({ status: 404 });
    expect(await asBob('GET', `/api/mcp-servers?workspaceId=${acme}`)).toMatchObject({
      status: 404,
    });
    const { body } = await asBob('GET', '/api/mcp-servers');
    expect(JSON.stringify(body)).not.toContain(acme);
    expect(await asAlice('GET', `${places[0]}/${made.id}`)).toMatchObject({
      body: { name: 'Example' },
    });
  });

  it('ids MUST be integers, and one that is too large is not there', async () => {
    const path = await managed(server, 'acme');
    expect(await asAlice('GET', `${path}/abc`)).toMatchObject({ status: 400 });
    expect(await asAlice('GET', `${path}/99999999999`)).toMatchObject({ status: 404 });
  });
});

describe('what was done', () => {
  it('MUST be in the audit log, by whom, and without secrets', async () => {
    const rows = await server.db.kysely
      .selectFrom('audit_events')
      .select(['type', 'actor_kind', 'detail'])
      .where('type', 'like', 'mcp_server%')
      .execute();
    const types = new Set(rows.map(({ type }) => type));
    for (const verb of ['created', 'updated', 'deleted', 'enabled', 'disabled', 'tested']) {
      expect(types).toContain(`mcp_server_${verb}`);
    }
    expect(new Set(rows.map((row) => row.actor_kind))).toEqual(new Set(['user']));
  });
});
