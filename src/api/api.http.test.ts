import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basic, granted } from '../provider/answers.testing.ts';
import { createProver } from '../provider/dpop.testing.ts';
import { authorizeUrl, code, good, redeem, refresh, tokens } from '../provider/flow.testing.ts';
import { selfRegistered, signedIn } from '../provider/people.testing.ts';
import {
  alice,
  bob,
  loopbackCallback,
  rs1,
  rs2,
  startServer,
  type TestServer,
  webSecret,
} from '../provider/server.testing.ts';
import {
  memberOf,
  startWorkspaces,
  tokensFor,
  userId,
  workspaceId,
} from '../provider/workspaces.testing.ts';
import { apiOf, apiRefused, apiTokens, call } from './api.testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startWorkspaces();
  await memberOf(server, alice, { acme: 'admin', beta: 'member' });
  await memberOf(server, bob, { beta: 'member' });
});
afterAll(() => server.close());

const list = '/api/workspaces';
const metadata = () => `${server.url}/.well-known/oauth-protected-resource/api`;

async function personalToken(person = alice, scopes = ['apps:read'], uri = apiOf(server)) {
  const resource = server.app.rooms.resources.resolve(uri);
  if (!resource) throw new Error('no resource');
  const id = await userId(server, person);
  const { value } = await server.app.rooms.tokens.personal.create(
    { userId: id, resource, name: 'CI', scopes, workspaceId: undefined },
    { actor: { kind: 'user', id }, meta: { at: server.now() } },
  );
  return value;
}

describe('GET /api/workspaces', () => {
  it('MUST list the workspaces of the caller with their role, and no others', async () => {
    const { access_token: token } = await apiTokens(server, 'apps:read');
    const answer = await call(server, list, { token });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      items: [
        { id: await workspaceId(server, 'acme'), slug: 'acme', name: 'Acme Inc.', role: 'admin' },
        { id: await workspaceId(server, 'beta'), slug: 'beta', name: 'Beta Ltd.', role: 'member' },
      ],
      next_cursor: null,
    });
    const { access_token: other } = await apiTokens(server, 'apps:read', { person: bob });
    const theirs = await call(server, list, { token: other });
    expect(await theirs.json()).toMatchObject({ items: [{ slug: 'beta', role: 'member' }] });
  });

  it.each(['apps:read', 'apps:write', 'apps:admin'])(
    'is open to a token with %s',
    async (scope) => {
      const { access_token: token } = await apiTokens(server, scope);
      expect((await call(server, list, { token })).status).toBe(200);
    },
  );

  it('is open to a personal access token, whose use is noted', async () => {
    const token = await personalToken();
    expect((await call(server, list, { token })).status).toBe(200);
    const used = server.db.kysely.selectFrom('personal_access_tokens').select('last_used_at');
    await expect
      .poll(async () => (await used.execute()).some((row) => row.last_used_at !== null))
      .toBe(true);
  });

  it('other methods MUST be answered 405 with Allow, unknown paths 404, both as JSON', async () => {
    const html = { accept: 'text/html' };
    const posted = await call(server, list, { method: 'POST', headers: html });
    expect(posted.headers.get('allow')).toMatch(/GET/);
    await apiRefused(posted, 405, 'invalid_request');
    await apiRefused(await call(server, '/api/nothing', { headers: html }), 404, 'invalid_request');
  });
});

it('a NUL in an address MUST be answered 404, to whoever asks (OV03)', async () => {
  const { access_token: token } = await apiTokens(server, 'apps:admin');
  const paths = ['/api/v2/w/%00/mcp-servers', '/api/mcp-servers/x%00', '/connect/servers/%00'];
  for (const path of paths) expect((await call(server, path, { token })).status).toBe(404);
  const browser = await signedIn(server);
  expect((await browser.send(`${server.url}/connect/servers/%00`)).status).toBe(404);
  const headers = basic('RS1', webSecret);
  const asked = call(server, '/api/workspaces/%00/reconnect-links', { method: 'POST', headers });
  await apiRefused(await asked, 404, 'invalid_request');
});

describe('a call without a good token', () => {
  it('MUST be challenged with the metadata and the scope, and no error (RFC 6750 §3.1, RFC 9728 §5.1)', async () => {
    const challenge = await apiRefused(await call(server, list), 401, 'invalid_token');
    expect(challenge).toBe(`Bearer resource_metadata="${metadata()}", scope="apps:read"`);
  });

  it('the metadata that it names MUST say which resource and scopes there are (RFC 9728)', async () => {
    const expected = {
      resource: apiOf(server),
      authorization_servers: [server.url],
      scopes_supported: ['apps:read', 'apps:write', 'apps:admin'],
      bearer_methods_supported: ['header'],
    };
    expect(await (await fetch(metadata())).json()).toMatchObject(expected);
  });

  it('a cookie MUST NOT be a caller, nor a token in the query or twice (TK09)', async () => {
    const browser = await signedIn(server);
    expect((await browser.send(`${server.url}${list}`)).status).toBe(401);
    const { access_token: token } = await apiTokens(server, 'apps:read');
    await apiRefused(await call(server, `${list}?access_token=${token}`), 401, 'invalid_token');
    const twice = { authorization: `Bearer ${token}, Bearer ${token}` };
    await apiRefused(await call(server, list, { headers: twice }), 401, 'invalid_token');
  });

  const confused: [string, () => Promise<string>][] = [
    ['of another resource (TK06)', async () => (await tokens(server)).access_token],
    [
      'of a workspace of another resource',
      async () => (await tokensFor(server, 'acme')).access_token,
    ],
    [
      'that is a refresh token',
      async () => (await apiTokens(server, 'apps:read offline_access')).refresh_token,
    ],
    [
      'that is an authorization code',
      () => code(server, good({ resource: apiOf(server), scope: 'apps:read', prompt: 'consent' })),
    ],
    ['that is personal and of another resource', () => personalToken(alice, ['mcp:read'], rs1)],
    ['that is a workspace credential', workspaceCredential],
    ['that is a client assertion', () => signedBySomebody('client-authentication+jwt')],
    ['that is an ID token', () => signedBySomebody('JWT')],
    ['that is a signed answer to an introspection', signedAnswer],
    ['that is no token of ours', async () => 'eyJhbGciOiJub25lIn0.e30.'],
    [
      'that is the session of a browser',
      async () => [...(await signedIn(server)).jar.values()].join(''),
    ],
  ];
  it.each(confused)('a token %s MUST be refused', async (_what, get) => {
    const response = await call(server, list, { token: await get() });
    const challenge = await apiRefused(response, 401, 'invalid_token');
    expect(challenge).toContain('error="invalid_token"');
    expect(challenge).toContain(`resource_metadata="${metadata()}"`);
  });

  async function workspaceCredential(): Promise<string> {
    const resource = server.app.rooms.resources.bySlug('vault');
    if (!resource) throw new Error('no vault');
    const { credential } = await server.app.rooms.tokens.credentials.create({
      ...{ workspaceId: await workspaceId(server, 'acme'), resource, label: 'CLI' },
      ...{ userId: await userId(server, alice), meta: { at: server.now() } },
    });
    return credential;
  }

  /** A JWT about alice for this API, well made but for who signed it. */
  async function signedBySomebody(typ: string): Promise<string> {
    const { privateKey } = await generateKeyPair('ES256');
    return new SignJWT({ scope: 'apps:read', client_id: 'WEB', jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', typ, kid: server.app.rooms.keys.current().kid })
      .setIssuer(server.url)
      .setAudience(apiOf(server))
      .setSubject(await userId(server, alice))
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
  }

  /** What this server's own key has signed, and is no access token (RFC 9701). */
  async function signedAnswer(): Promise<string> {
    const { access_token: token } = await apiTokens(server, 'apps:read');
    const headers = { ...basic('RS1', webSecret), accept: 'application/token-introspection+jwt' };
    return (await server.post('/oauth/introspect', { token }, headers)).text();
  }

  it('a token of a client that speaks for itself MUST be refused: it stands for nobody', async () => {
    const form = { grant_type: 'client_credentials', resource: apiOf(server), scope: 'apps:read' };
    const answer = await server.post('/oauth/token', form, basic('TOOL', webSecret));
    const { access_token: token } = await granted(answer);
    await apiRefused(await call(server, list, { token }), 401, 'invalid_token');
  });

  it('a token that was revoked, has expired, or is of a disabled account MUST be refused', async () => {
    const { access_token: revoked } = await apiTokens(server, 'apps:read');
    await server.post('/oauth/revoke', { token: revoked, client_id: 'PUB' });
    await apiRefused(await call(server, list, { token: revoked }), 401, 'invalid_token');
    const carol = { email: 'carol@example.test', password: 'correct horse carol' };
    const meta = { at: server.now() };
    const { id } = await server.app.rooms.accounts.create({ ...carol, source: 'admin' }, meta);
    const { access_token: theirs } = await apiTokens(server, 'apps:read', { person: carol });
    expect((await call(server, list, { token: theirs })).status).toBe(200);
    await server.app.rooms.accounts.disable(id, meta);
    await apiRefused(await call(server, list, { token: theirs }), 401, 'invalid_token');
    const { access_token: old } = await apiTokens(server, 'apps:read');
    server.advance(3600);
    await apiRefused(await call(server, list, { token: old }), 401, 'invalid_token');
    server.advance(-3600);
  });
});

describe('a token that is bound to a key (RFC 9449)', () => {
  async function bound() {
    const prover = await createProver();
    const flow = good({ resource: apiOf(server), scope: 'apps:read', prompt: 'consent' });
    const value = await code(server, flow);
    const proof = await prover.headers(`${server.url}/oauth/token`);
    const { access_token: token } = await granted(await redeem(server, flow, value, {}, proof));
    const claims = { htm: 'GET', ath: await digest(token) };
    const prove = (changes: Record<string, unknown> = {}) =>
      prover.proof(`${server.url}${list}`, { claims: { ...claims, ...changes } });
    const send = (scheme: string, proof?: string) =>
      call(server, list, {
        headers: { authorization: `${scheme} ${token}`, ...(proof && { dpop: proof }) },
      });
    return { prove, send };
  }

  async function digest(token: string): Promise<string> {
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
    return Buffer.from(hash).toString('base64url');
  }

  it('opens the API with a proof for this call, and MUST be challenged in DPoP without one', async () => {
    const { prove, send } = await bound();
    expect((await send('DPoP', await prove())).status).toBe(200);
    expect(await apiRefused(await send('DPoP'), 401, 'invalid_dpop_proof')).toMatch(/^DPoP /);
    expect(await apiRefused(await send('Bearer', await prove()), 401, 'invalid_token')).toMatch(
      /^DPoP /,
    );
  });

  it('a proof MUST be for this method, address, token and key, and MUST be used once', async () => {
    const { prove, send } = await bound();
    const used = await prove();
    expect((await send('DPoP', used)).status).toBe(200);
    await apiRefused(await send('DPoP', used), 401, 'invalid_dpop_proof');
    for (const changes of [
      { htm: 'POST' },
      { htu: `${server.url}/api/other` },
      { htu: `https://evil.test${list}` },
      { ath: await digest('another') },
      { iat: Math.floor(Date.now() / 1000) - 3600 },
    ]) {
      await apiRefused(await send('DPoP', await prove(changes)), 401, 'invalid_dpop_proof');
    }
    const other = await bound();
    await apiRefused(await send('DPoP', await other.prove()), 401, 'invalid_dpop_proof');
  });

  it('a token that is bound to no key MUST come as Bearer', async () => {
    const { access_token: token } = await apiTokens(server, 'apps:read');
    const headers = { authorization: `DPoP ${token}` };
    await apiRefused(await call(server, list, { headers }), 401, 'invalid_token');
  });
});

describe('what a token does not reach', () => {
  const servers = async (slug: string) =>
    `/api/v2/w/${await workspaceId(server, slug)}/mcp-servers`;

  it('MUST be answered 403 insufficient_scope that names the scope (RFC 6750 §3.1)', async () => {
    const { access_token: token } = await apiTokens(server, 'apps:read');
    const posted = { token, method: 'POST', body: '{}' };
    const headers = { 'content-type': 'application/json' };
    const discovery = `${await servers('acme')}/oauth-discovery`;
    const answer = await call(server, discovery, { ...posted, headers });
    const challenge = await apiRefused(answer, 403, 'insufficient_scope');
    expect(challenge).toContain('scope="apps:write", error="insufficient_scope"');
    expect(challenge).toContain(`resource_metadata="${metadata()}"`);
  });

  it('a workspace of others MUST look like one that is not there (AD07)', async () => {
    const { access_token: token } = await apiTokens(server, 'apps:read');
    const [own, theirs] = [await servers('acme'), await servers('gamma')];
    expect((await call(server, own, { token })).status).toBe(200);
    const foreign = await call(server, theirs, { token });
    const unknown = await call(server, `/api/v2/w/${crypto.randomUUID()}/mcp-servers`, { token });
    await apiRefused(foreign, 404, 'invalid_request');
    await apiRefused(unknown, 404, 'invalid_request');
  });
});

describe('scripts of other origins', () => {
  it('MUST reach the API by token alone: `*` without credentials, on refusals too (CR02)', async () => {
    const headers = { origin: 'https://evil.test' };
    const preflight = await call(server, '/api/anything', {
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-method': 'PATCH' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toMatch(/PATCH/);
    const answer = await call(server, list, { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/www-authenticate/);
  });
});

describe('the resource that this server is itself', () => {
  it('an ordinary client that registered itself gets consent in words, tokens, refresh and introspection', async () => {
    const clientId = await selfRegistered(server, {
      ...{ redirect_uris: [loopbackCallback], client_name: 'Somebody', scope: 'apps:write' },
    });
    const flow = good({
      client_id: clientId,
      resource: apiOf(server),
      scope: 'apps:read apps:write',
    });
    const browser = await signedIn(server);
    const { html } = await browser.open(authorizeUrl(server, flow));
    expect(html).toContain('See your workspaces');
    expect(html).toContain('Add MCP servers to your workspaces');
    const first = await tokens(server, flow, { browser });
    expect(first.scope).toBe('apps:read apps:write');
    const again = await refresh(server, first.refresh_token, { client_id: clientId });
    const { access_token: token } = await granted(again);
    expect((await call(server, list, { token })).status).toBe(200);
  });

  it('without a scope a client gets the least (contract 3)', async () => {
    const flow = good({ resource: apiOf(server), scope: undefined, prompt: 'consent' });
    expect((await tokens(server, flow)).scope).toBe('apps:read');
  });

  it('MUST never be the resource of a request that names none, nor be advertised', async () => {
    const one = await startServer();
    const advertised = await fetch(`${one.url}/.well-known/oauth-authorization-server`);
    expect(await advertised.json()).toMatchObject({
      protected_resources: [rs1, rs2],
      scopes_supported: expect.not.arrayContaining(['apps:read']),
    });
    const root = await fetch(`${one.url}/.well-known/oauth-protected-resource`);
    expect(root.status).toBe(404); // rs1 and rs2: which one is not known
    await one.close();
  });
});

describe('an issuer with a path', () => {
  let tenant: TestServer;
  beforeAll(async () => {
    tenant = await startServer({ path: '/tenant' });
  });
  afterAll(() => tenant.close());

  it('MUST serve the API and its metadata below and beside the path', async () => {
    const { origin } = new URL(tenant.url);
    const inserted = `${origin}/.well-known/oauth-protected-resource/tenant/api`;
    const answer = await call(tenant, list);
    expect(await apiRefused(answer, 401, 'invalid_token')).toContain(inserted);
    const slug = `${tenant.url}/.well-known/oauth-protected-resource/api`;
    for (const url of [inserted, slug]) {
      expect(await (await fetch(url)).json()).toMatchObject({ resource: `${tenant.url}/api` });
    }
    expect((await fetch(`${origin}${list}`)).status).toBe(404);
    const { access_token: token } = await apiTokens(tenant, 'apps:read');
    expect((await call(tenant, list, { token })).status).toBe(200);
  });
});
