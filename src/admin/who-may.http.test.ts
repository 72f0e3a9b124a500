import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { User } from '../accounts/index.ts';
import { basic } from '../provider/answers.testing.ts';
import { tokens } from '../provider/flow.testing.ts';
import { alice, rs1, webSecret } from '../provider/server.testing.ts';
import { apiKey, bearer, startApi, type TestApi } from './api.testing.ts';
import type { CallerRole } from './caller.ts';
import { apiKeys, type Permission, tokens as pats, type Route, routes } from './contract/index.ts';
import { permits } from './policy.ts';
import { type SignedInBrowser, signInAs } from './sign-in.testing.ts';

/** What an admin of a workspace may call: each of these handlers looks at their workspaces only. */
const forWorkspaceAdmins = new Set([
  'session.get',
  'session.end',
  'grants.list',
  'grants.get',
  'grants.update',
  'grants.revoke',
  'grants.revoke-many',
  'issuances.list',
  'issuances.get',
  'tokens.list',
  'tokens.get',
  'workspaces.list',
  'workspaces.get',
  'workspaces.members',
  'workspace-credentials.list',
  'workspace-credentials.get',
  'workspace-credentials.revoke',
  'workspaces.invitations',
  'mcp-servers.list',
  'mcp-servers.get',
  'mcp-servers.members',
]);

/** What everybody may do, although it is no GET: these change nothing of anybody else. */
const harmless = new Set(['session.end', 'inspector.inspect']);

/** What the listener answers to anybody: not one of these says or changes anything about the server. */
const open = new Set([
  'GET /health',
  'GET /ready',
  'GET /livez',
  'GET /admin/setup',
  'POST /admin/setup',
  'GET /admin/setup/done',
  'GET /admin/sign-in',
  'POST /admin/sign-in',
  'POST /admin/sign-out',
]);

const password = 'a long enough password';
const people = {
  viewer: { email: 'viewer@example.test', password },
  operator: { email: 'operator@example.test', password },
  owner: { email: 'owner@example.test', password },
  workspace: { email: 'space@example.test', password },
  demoted: { email: 'demoted@example.test', password },
  disabled: { email: 'disabled@example.test', password },
  late: { email: 'late@example.test', password },
};

let api: TestApi;
const ids = new Map<string, string>();
const browsers = new Map<string, SignedInBrowser>();
const keys = new Map<Permission, string>();
const secrets = new Map<string, string>();

beforeAll(async () => {
  api = await startApi({ resources: opaqueResource });
  const { accounts, workspaces } = api.server.app.rooms;
  const meta = { at: api.server.now() };
  const roleOf: Record<string, User['role']> = {
    demoted: 'owner',
    disabled: 'owner',
    late: 'owner',
  };
  for (const [name, person] of Object.entries(people)) {
    const role = name === 'workspace' ? undefined : (roleOf[name] ?? asRole(name));
    const { id } = await accounts.create({ ...person, role, source: 'admin' }, meta);
    ids.set(name, id);
  }
  const space = await workspaces.create({ slug: 'own', name: 'Own', source: 'admin' }, meta);
  const admin = { workspaceId: space.id, role: 'admin', source: 'admin' } as const;
  await workspaces.addMember({ ...admin, who: { email: people.workspace.email } }, meta);
  browsers.set('late', await signInAs(api.send, people.late));
  api.server.advance(31 * 60);
  for (const [name, person] of Object.entries(people)) {
    if (name !== 'late') browsers.set(name, await signInAs(api.send, person));
  }
  await accounts.update(ids.get('demoted') ?? '', { role: null }, meta);
  await accounts.disable(ids.get('disabled') ?? '', meta);
  for (const role of ['viewer', 'operator', 'owner'] as const) {
    const { key } = await api.client.call(apiKeys.create, { body: { name: role, role } });
    keys.set(role, key);
  }
  await makeForeignSecrets();
});
afterAll(() => api.close());

const opaqueResource = `
  - slug: other
    uri: https://other.test/mcp
    display_name: Another server
    token_format: opaque
    scopes: [{ name: "other:use", description: Use it }]`;

/** The most that other credentials of this server could be: an owner's, with every scope, for what not. */
async function makeForeignSecrets(): Promise<void> {
  await api.server.db.kysely
    .updateTable('users')
    .set({ role: 'owner' })
    .where('email', '=', alice.email)
    .execute();
  const { access_token, refresh_token } = await tokens(api.server);
  const user = await api.server.app.rooms.accounts.findByEmail(alice.email);
  const forUs = { sub: user?.id ?? '', name: 'CI' };
  const pat = await api.client.call(pats.create, {
    body: { ...forUs, resource: rs1, scope: 'mcp:read mcp:write' },
  });
  const other = await api.client.call(pats.create, {
    body: { ...forUs, resource: 'https://other.test/mcp', scope: 'other:use' },
  });
  const { key } = await api.client.call(apiKeys.create, { body: { name: 'old', role: 'owner' } });
  const { id } = (await api.client.call(apiKeys.list, { query: { q: 'old' } })).items[0] ?? {};
  await api.client.call(apiKeys.revoke, { params: { id: id ?? '' } });
  const short = await api.client.call(apiKeys.create, {
    body: { name: 'short', role: 'owner', expires_in: 60 },
  });
  for (const [name, value] of Object.entries({
    access: access_token,
    refresh: refresh_token,
    pat: pat.token,
    other: other.token,
    revoked: key,
    expired: short.key,
  })) {
    secrets.set(name, value ?? '');
  }
  api.server.advance(61);
}

function asRole(name: string): Permission {
  if (name === 'viewer' || name === 'operator' || name === 'owner') return name;
  throw new Error(name);
}

const secret = (name: string) => secrets.get(name) ?? 'none';
const cookieOf = (name: string) => ({ cookie: browsers.get(name)?.cookie ?? '' });
const browserOf = (name: string) => ({
  ...cookieOf(name),
  'x-csrf-token': browsers.get(name)?.csrf ?? '',
});

/** Nobody: 401 everywhere, whatever the route. */
const strangers: [string, () => Record<string, string>][] = [
  ['nothing', () => ({})],
  ['another key', () => bearer(`${apiKey}x`)],
  ['a prefix of the key', () => bearer(apiKey.slice(0, -1))],
  ['an empty key', () => bearer('')],
  ['the key as Basic', () => ({ authorization: `Basic ${apiKey}` })],
  ['the key in a cookie', () => ({ cookie: `authserver_admin=${apiKey}; api_key=${apiKey}` })],
  ["a client's secret", () => basic('WEB', webSecret)],
  ["an owner's access token (AD02)", () => bearer(secret('access'))],
  ["an owner's refresh token", () => bearer(secret('refresh'))],
  ["an owner's personal access token", () => bearer(secret('pat'))],
  ['a token of another resource', () => bearer(secret('other'))],
  ['an API key that was revoked', () => bearer(secret('revoked'))],
  ['an API key that has expired', () => bearer(secret('expired'))],
  ['an API key with a typing error', () => bearer(`${keys.get('owner')?.slice(0, -1)}!`)],
  ['an account password', () => ({ authorization: basicOf(people.owner) })],
  ['a session that was idle for too long', () => browserOf('late')],
  ['the session of a disabled owner', () => browserOf('disabled')],
  ['the session of a former owner', () => browserOf('demoted')],
  ['a wrong key beside a good session', () => ({ ...browserOf('owner'), ...bearer('wrong') })],
];

function basicOf({ email, password }: { email: string; password: string }): string {
  return `Basic ${Buffer.from(`${email}:${password}`).toString('base64')}`;
}

/** Everybody who may something, and what. */
const callers: [string, CallerRole, () => Record<string, string>][] = [
  ['the configured key', 'owner', () => bearer(apiKey)],
  ['an owner’s session', 'owner', () => browserOf('owner')],
  ['an operator’s session', 'operator', () => browserOf('operator')],
  ['a viewer’s session', 'viewer', () => browserOf('viewer')],
  ['the session of an admin of a workspace', 'workspace', () => browserOf('workspace')],
  ['an owner’s API key', 'owner', () => bearer(keys.get('owner') ?? '')],
  ['an operator’s API key', 'operator', () => bearer(keys.get('operator') ?? '')],
  ['a viewer’s API key', 'viewer', () => bearer(keys.get('viewer') ?? '')],
];

/** With a length: Node would send the body of a DELETE without one. */
const withBody = (body: string, type = 'application/json') => ({
  ...(type && { 'content-type': type }),
  'content-length': String(body.length),
});
const pathOf = ({ path }: Route) => path.replaceAll(/\{\w+\}/g, 'none');

/** Calls a route with a body that every handler would read, and no rows that it could find. */
function call(route: Route, headers: Record<string, string>) {
  const isRead = route.method === 'GET';
  return api.send(pathOf(route), {
    method: route.method,
    headers: { ...headers, ...(!isRead && withBody('{}')) },
    ...(!isRead && { body: '{}' }),
  });
}

/**
 * Whether a caller gets past the one gate: what is sent is refused by every route, but only after that. So
 * nothing is done, whatever the route does.
 */
async function isAdmitted(route: Route, headers: Record<string, string>): Promise<boolean> {
  const isRead = route.method === 'GET';
  const unknown = '{"no member of this name":1}';
  const { status, body } = await api.send(`${pathOf(route)}?limit=0&limit=0&nonsense=1`, {
    method: route.method,
    headers: { ...headers, ...(!isRead && withBody(unknown)) },
    ...(!isRead && { body: unknown }),
  });
  if (status === 401 || status === 403) return false;
  expect({ route: route.name, status, body }).toMatchObject({ status: 400 });
  return true;
}

/** Everything that a write could change, but for what sign-ins and guesses leave. */
async function everything() {
  const { kysely } = api.server.db;
  return Promise.all([
    kysely.selectFrom('users').selectAll().orderBy('id').execute(),
    kysely.selectFrom('clients').selectAll().orderBy('client_id').execute(),
    kysely.selectFrom('resources').selectAll().orderBy('uri').execute(),
    kysely.selectFrom('grants').selectAll().orderBy('id').execute(),
    kysely.selectFrom('issuances').selectAll().orderBy('jti').execute(),
    kysely.selectFrom('workspaces').selectAll().orderBy('id').execute(),
    kysely.selectFrom('signing_keys').selectAll().orderBy('kid').execute(),
    kysely
      .selectFrom('admin_sessions')
      .select('id')
      .where('expires_at', '>', api.server.now()) // a job removes the others
      .orderBy('id')
      .execute(),
    kysely.selectFrom('api_keys').select(['id', 'revoked_at']).orderBy('id').execute(),
    kysely
      .selectFrom('audit_events')
      .select('id')
      .where('type', '<>', 'user_locked_out')
      .orderBy('id')
      .execute(),
  ]);
}

/** Wrong keys are counted; this test sends more of them than anybody may. */
const forget = () => api.server.db.kysely.deleteFrom('login_attempts').execute();

describe('the listener', () => {
  it('has no route but those of the contract and those that are open to anybody', () => {
    const stacks = api.server.app.admin.middleware.flatMap((one) =>
      'router' in one ? stackOf(one.router) : [],
    );
    const known = new Set(routes.map(({ method, path }) => `${method} ${path}`));
    const others = stacks.filter((one) => !known.has(one) && !open.has(one));
    expect(others.filter((one) => !guarded.test(one))).toEqual([]);
    expect(stacks.filter((one) => known.has(one))).toHaveLength(routes.length);
  });

  it('has a permission on every route, and reads are no secret to viewers', () => {
    for (const { name, method, permission, workspaceAdmin } of routes) {
      expect(['viewer', 'operator', 'owner'], name).toContain(permission);
      expect(workspaceAdmin === true, name).toBe(forWorkspaceAdmins.has(name));
      if (method !== 'GET' && !harmless.has(name)) expect(permission, name).not.toBe('viewer');
    }
  });
});

/** The console is files; what leads to an identity provider has tests of its own. */
const guarded = /^GET \/(metrics|admin\/ui|admin\/sign-in\/)/;

function stackOf(router: unknown): string[] {
  const stack: { path: string; methods: string[] }[] = Reflect.get(Object(router), 'stack') ?? [];
  return stack.flatMap(({ path, methods }) =>
    methods
      .filter((method) => method !== 'HEAD')
      .map((method) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
  );
}

describe.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s',
  (_name, route) => {
    it('MUST refuse everybody who has no business here with 401, and change nothing (AD01)', async () => {
      await forget();
      const before = await everything();
      for (const [who, headers] of strangers) {
        const answer = await call(route, headers());
        expect({ who, status: answer.status, ...answer.headers }).toMatchObject({
          status: 401,
          'www-authenticate': expect.stringMatching(/^Bearer/),
          'cache-control': 'no-store',
          'content-type': expect.stringMatching(/^application\/json/),
        });
      }
      expect(await everything()).toEqual(before);
    });

    it(`MUST let in who has the role ${route.permission}, and nobody else`, async () => {
      const before = await everything();
      for (const [who, role, headers] of callers) {
        const may =
          permits(role, route.permission) ||
          (role === 'workspace' && forWorkspaceAdmins.has(route.name));
        expect({ who, admitted: await isAdmitted(route, headers()) }).toEqual({
          who,
          admitted: may,
        });
        if (may) continue;
        const refused = await call(route, headers());
        expect(refused.status).toBe(403);
        expect(JSON.parse(refused.body)).toMatchObject({ error: 'access_denied' });
      }
      expect(await everything()).toEqual(before);
    });

    it('MUST refuse the cookie of an owner when another site sends it (AD04)', async () => {
      const before = await everything();
      const foreign: Record<string, string>[] = [
        { origin: 'https://evil.test' },
        { origin: 'null' },
        { origin: 'http://localhost:1' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
      ];
      for (const from of foreign) {
        const answer = await call(route, { ...browserOf('owner'), ...from });
        expect({ from, status: answer.status }).toEqual({ from, status: 403 });
      }
      expect(await everything()).toEqual(before);
    });

    it('MUST refuse a foreign Host whoever asks (DNS rebinding, HD03)', async () => {
      for (const host of ['evil.test', 'localhost@evil.test', 'localhost.evil.test']) {
        const answer = await call(route, { ...bearer(apiKey), host });
        expect(answer).toMatchObject({ status: 421 });
        expect(answer.body).not.toContain('evil');
      }
    });

    it('answers 405 or 404 to methods that it does not have (HD08)', async () => {
      for (const method of ['PUT', 'PROPFIND', 'TRACE']) {
        const { status } = await api.send(pathOf(route), { method, headers: bearer(apiKey) });
        expect([404, 405]).toContain(status);
      }
    });
  },
);

const writes = routes.filter(({ method }) => method !== 'GET');

it.each(writes.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s MUST refuse a cookie without the CSRF token of its own session, whatever the type of the body (AD04)',
  async (_name, route) => {
    const before = await everything();
    const own = { origin: api.origin };
    for (const csrf of ['', 'wrong', browserOf('viewer')['x-csrf-token']]) {
      for (const type of ['application/json', 'text/plain', '']) {
        const answer = await api.send(pathOf(route), {
          method: route.method,
          headers: {
            ...cookieOf('owner'),
            ...own,
            ...(csrf && { 'x-csrf-token': csrf }),
            ...withBody('{}', type),
          },
          body: '{}',
        });
        expect({ csrf, type, status: answer.status }).toEqual({ csrf, type, status: 403 });
      }
    }
    expect(await everything()).toEqual(before);
  },
);
