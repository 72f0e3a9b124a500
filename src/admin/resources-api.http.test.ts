import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { refused } from '../provider/answers.testing.ts';
import { good, refresh, tokens } from '../provider/flow.testing.ts';
import { rs1, rs2, webSecret } from '../provider/server.testing.ts';
import { apiKey, bearer, startApi, type TestApi } from './api.testing.ts';
import { grants, resources } from './contract/index.ts';

/** The noun resources: what tokens are for, as operators see and change it. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi({
    resources: `
  - { slug: hooked, uri: "https://hooked.test/mcp", scopes: [{ name: "h:use" }], claims_hook: { url: "https://hook.test/", secret: "${'s'.repeat(24)}" } }`,
  });
});
afterAll(() => api.close());

const mine = 'https://mine.test/mcp';
const written = {
  slug: 'mine',
  uri: mine,
  display_name: 'Mine',
  scopes: [
    { name: 'm:read', description: 'Read mine' },
    { name: 'm:write', implies: ['m:read'] },
  ],
};
const call: TestApi['client']['call'] = (route, sent) => api.client.call(route, sent);
const get = (id: string) => call(resources.get, { params: { id } });
const create = (changes: object = {}) =>
  api.post('/admin/api/resources', { ...written, ...changes });
const change = async (id: string, body: object) => {
  const answer = await api.send(`/admin/api/resources/${id}`, {
    method: 'PATCH',
    headers: { ...bearer(apiKey), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { ...answer, json: JSON.parse(answer.body) };
};
const slugs = async (query: object = {}) => {
  const found = [];
  for await (const { slug } of api.client.each(resources.list, query)) found.push(slug);
  return found;
};
const known = () => api.server.app.rooms.resources;

beforeEach(async () => {
  await api.server.db.kysely.deleteFrom('resources').where('source', '=', 'admin').execute();
  await known().reload();
});

describe('looking', () => {
  test('a row says what can be granted, who is the server and where its metadata is', async () => {
    expect(await get('rs1')).toMatchObject({
      id: 'rs1',
      uri: rs1,
      source: 'config',
      enabled: true,
      scopes: [{ name: 'mcp:read' }, { name: 'mcp:write', implies: ['mcp:read'] }],
      default_scopes: ['mcp:read'],
      bound_clients: [{ client_id: 'RS1', client_name: 'The first server', status: 'active' }],
      metadata_url: `${api.server.url}/.well-known/oauth-protected-resource/rs1`,
    });
    const { metadata_url } = await get('rs1');
    expect(await (await fetch(metadata_url)).json()).toMatchObject({ resource: rs1 });
  });

  test('the secret of a hook is never shown (AD05)', async () => {
    expect((await get('hooked')).claims_hook).toEqual({
      url: 'https://hook.test/',
      timeout: 1,
      on_failure: 'deny',
    });
    expect((await api.get('/admin/api/resources')).body).not.toContain('ssss');
  });

  test.each([
    ['everything', {}, ['api', 'hooked', 'rs1', 'rs2']],
    ['slug', { q: 'RS' }, ['rs1', 'rs2']],
    ['name', { q: 'first s' }, ['rs1']],
    ['host', { q: 'rs2.' }, ['rs2']],
    ['URI', { q: 'https://rs2' }, ['rs2']],
    ['client', { client_id: 'RS1' }, ['rs1']],
    ['state', { enabled: 'false' }, []],
    ['source', { source: 'admin' }, []],
    ['source', { source: 'builtin' }, ['api']],
  ])('by %s, page by page', async (_what, query, expected) => {
    expect(await slugs({ limit: 1, ...query })).toEqual(expected);
    expect(await slugs({ limit: 1, sort: '-slug', ...query })).toEqual(expected.toReversed());
  });

  test.each(['sort=uri', 'enabled=maybe', 'cursor=forged', 'scopes->>0=x', 'q=%00'])(
    'what is no filter, order or cursor is 400 (AD08): %s',
    async (query) => {
      expect((await api.get(`/admin/api/resources?${query}`)).status).toBe(400);
    },
  );
});

describe('registering', () => {
  test('what was made is there at once, for clients too, and audited', async () => {
    const { status, json } = await create();
    expect(status).toBe(201);
    expect(json).toMatchObject({
      id: 'mine',
      source: 'admin',
      token_format: 'jwt',
      scopes: [{ name: 'm:read' }, { name: 'm:write', description: 'm:write' }],
    });
    const issued = await tokens(api.server, good({ resource: mine, scope: 'm:write' }));
    expect(issued.scope).toContain('m:write');
    expect((await api.audited('resource_created')).at(-1)).toMatchObject({
      actor_id: 'api_key',
      resource: mine,
      detail: { slug: 'mine', source: 'admin' },
    });
  });

  test.each([
    ['a slug that is taken', { slug: 'rs1' }, 409],
    ['a URI that is taken, in another spelling', { uri: 'HTTPS://RS1.test:443/mcp/' }, 409],
    ['an alias that is taken', { aliases: [rs2] }, 409],
    ['a URI with a fragment', { uri: 'https://x.test/#a' }, 400],
    ['a relative URI', { uri: '/mcp' }, 400],
    ['no scopes', { scopes: [] }, 400],
    ['a reserved scope', { scopes: [{ name: 'openid' }] }, 400],
    ['a scope twice', { scopes: [{ name: 'a' }, { name: 'a' }] }, 400],
    ['an unknown scope that is implied', { scopes: [{ name: 'a', implies: ['b'] }] }, 400],
    ['an unknown default scope', { default_scopes: ['b'] }, 400],
    ['an access rule for an unknown scope', { access: [{ scopes: ['b'] }] }, 400],
    ['a reserved claim', { claims: { sub: 'user.email' } }, 400],
    ['a claim from nowhere', { claims: { mail: 'user.password_hash' } }, 400],
    ['a hook without a secret', { claims_hook: { url: 'https://hook.test/' } }, 400],
    ['a hook over http', { claims_hook: { url: 'http://a.test/', secret: 's'.repeat(24) } }, 400],
    ['a member that is not the operator’s to set (AD06)', { source: 'config' }, 400],
    ['another one (AD06)', { created_at: '2026-01-01T00:00:00Z' }, 400],
  ])('%s is refused with what to do, and nothing is written', async (_what, changes, status) => {
    const answer = await create(changes);
    expect(answer.status).toBe(status);
    expect(answer.json.error_description.length).toBeGreaterThan(20);
    expect(await slugs({ source: 'admin' })).toEqual([]);
  });

  test.each(['<script>alert(1)</script>', "'; DROP TABLE resources;--", '\u202Elmth', '{{7*7}}'])(
    'a hostile name is data: %s',
    async (display_name) => {
      const scopes = [{ name: 'm:read', description: display_name }];
      expect((await create({ display_name, scopes })).json).toMatchObject({
        display_name,
        scopes: [{ description: display_name }],
      });
      expect(await slugs({ q: display_name })).toEqual(['mine']);
    },
  );
});

describe('changing', () => {
  beforeEach(async () => {
    await create();
  });

  test('every setting of one that was registered here; slug and URI stay', async () => {
    const settings = {
      aliases: ['https://old.test/mcp'],
      display_name: 'Renamed',
      scopes: [{ name: 'm:read', description: 'Look', implies: [] }],
      default_scopes: ['m:read'],
      token_format: 'opaque',
      token_prefix: 'mine',
      access_ttl: 300,
      dpop: 'required',
      clients: ['RS1'],
      access: [{ users: ['a@b.test'], groups: [], workspace_roles: ['admin'], scopes: ['m:read'] }],
      exchange: { clients: ['RS1'], consent: 'operator', impersonation: [] },
      claims: { mail: 'user.email', tier: { value: 'gold' } },
    };
    expect((await change('mine', settings)).json).toMatchObject(settings);
    expect(await get('mine')).toMatchObject({ ...settings, slug: 'mine', uri: mine });
    expect(known().resolve('https://OLD.test/mcp')?.uri).toBe(mine);
    const cleared = { default_scopes: null, access_ttl: null, exchange: null, access: [] };
    expect((await change('mine', cleared)).json).toMatchObject(cleared);
    expect(await change('mine', { slug: 'other' })).toMatchObject({ status: 400 });
    expect(await change('mine', { uri: 'https://other.test/' })).toMatchObject({ status: 400 });
    const [event] = (await api.audited('resource_updated')).filter((row) => row.resource === mine);
    expect(event).toMatchObject({ actor_kind: 'admin', detail: { slug: 'mine' } });
    expect(JSON.stringify(event?.detail)).toContain('"field":"aliases"');
  });

  test('the secret of a hook stays until another one is given, and is in no event', async () => {
    const secret = 'first-secret-0123456789abcdef';
    const hook = { url: 'https://hook.test/', timeout: 2, on_failure: 'skip' };
    await change('mine', { claims_hook: { ...hook, secret } });
    const sealed = async () => {
      const row = await api.server.db.kysely
        .selectFrom('resources')
        .select('claims_hook')
        .where('slug', '=', 'mine')
        .executeTakeFirstOrThrow();
      return row.claims_hook;
    };
    expect(JSON.stringify(await sealed())).not.toContain(secret);
    expect((await change('mine', { claims_hook: { ...hook, timeout: 3 } })).json).toMatchObject({
      claims_hook: { ...hook, timeout: 3 },
    });
    expect(JSON.stringify(await api.audited('resource_updated'))).not.toContain(secret);
    expect((await change('mine', { claims_hook: null })).json.claims_hook).toBeNull();
    expect(await sealed()).toBeNull();
  });

  test('is judged as a whole: what other settings name cannot be taken away', async () => {
    const answer = await change('mine', { scopes: [{ name: 'm:write', implies: ['m:read'] }] });
    expect(answer).toMatchObject({ status: 400 });
    expect(answer.json.error_description).toContain('m:read');
    expect(await change('mine', { aliases: [rs1] })).toMatchObject({ status: 409 });
    expect((await get('mine')).aliases).toEqual([]);
  });

  test('what the configuration declares is changed there, but can be disabled here', async () => {
    const answer = await change('rs2', { display_name: 'Mine now' });
    expect(answer.status).toBe(409);
    expect(answer.json.error_description).toContain('configuration');
    const params = { id: 'rs2' };
    expect(await call(resources.disable, { params })).toMatchObject({ enabled: false });
    expect(known().resolve(rs2)).toBeUndefined();
    expect(await slugs({ enabled: 'false' })).toEqual(['rs2']);
    expect(await call(resources.enable, { params })).toMatchObject({ enabled: true });
    expect(known().resolve(rs2)?.slug).toBe('rs2');
    expect((await api.audited('resource_disabled')).at(-1)).toMatchObject({ resource: rs2 });
  });

  test('what is not there is 404', async () => {
    expect((await change('nobody', { dpop: 'required' })).status).toBe(404);
    expect((await api.get('/admin/api/resources/nobody')).status).toBe(404);
    expect((await api.post('/admin/api/resources/nobody/disable', {})).status).toBe(404);
    const path = '/admin/api/resources/nobody';
    expect(await api.send(path, { method: 'DELETE', headers: bearer(apiKey) })).toMatchObject({
      status: 404,
    });
  });

  test('aliases and scopes are added by the use cases that fix a flow', async () => {
    const { resourceEditing } = api.server.app.rooms;
    const by = { actor: { kind: 'cli' }, meta: { at: new Date() } } as const;
    await resourceEditing.addAlias('mine', 'https://alias.test/mcp', by);
    await resourceEditing.addScope('mine', { name: 'm:admin' }, by);
    await resourceEditing.addScope('mine', { name: 'm:admin' }, by);
    const { aliases, scopes } = await get('mine');
    expect(aliases).toEqual(['https://alias.test/mcp']);
    expect(scopes.map(({ name }) => name)).toEqual(['m:read', 'm:write', 'm:admin']);
  });
});

test('removed: its grants and tokens MUST end, and clients know it no more', async () => {
  await create({ clients: ['RS1'] });
  const own = await tokens(api.server, good({ resource: mine, scope: 'm:read' }));
  const other = await tokens(api.server, good());
  expect((await get('mine')).grants).toBe(1);
  const params = { id: 'mine' };
  const ended = await call(resources.remove, { params });
  expect(ended).toMatchObject({ id: 'mine', grants: 1 });
  expect(ended.authorizations).toBeGreaterThan(0);
  expect(await slugs()).not.toContain('mine');
  await refused(await refresh(api.server, own.refresh_token), 400, 'invalid_grant');
  expect((await refresh(api.server, other.refresh_token)).status).toBe(200);
  await create({ clients: ['RS1'] });
  const introspected = await api.server.post(
    '/oauth/introspect',
    { token: own.access_token },
    { authorization: `Basic ${btoa(`RS1:${webSecret}`)}` },
  );
  expect(await introspected.json()).toMatchObject({ active: false });
  const { items } = await call(grants.list, { query: { resource: mine } });
  expect(items).toMatchObject([{ status: 'revoked' }]);
  expect((await api.audited('resource_removed')).at(-1)).toMatchObject({
    resource: mine,
    detail: { slug: 'mine', grants: 1 },
  });
});
