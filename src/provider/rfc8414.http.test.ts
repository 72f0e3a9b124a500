import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { basic, granted, refused } from './answers.testing.ts';
import { authorize, authorizeUrl, code, good, redeem, tokens } from './flow.testing.ts';
import {
  loopbackCallback,
  rs1,
  rs2,
  startServer,
  type TestServer,
  webCallback,
  webSecret,
} from './server.testing.ts';

/** RFC 8414: OAuth 2.0 Authorization Server Metadata. What is in it works; what works is in it. */

const metadataSchema = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  jwks_uri: z.string(),
  registration_endpoint: z.string(),
  introspection_endpoint: z.string(),
  revocation_endpoint: z.string(),
  scopes_supported: z.array(z.string()),
  response_types_supported: z.array(z.string()),
  response_modes_supported: z.array(z.string()),
  grant_types_supported: z.array(z.string()),
  code_challenge_methods_supported: z.array(z.string()),
  token_endpoint_auth_methods_supported: z.array(z.string()),
  token_endpoint_auth_signing_alg_values_supported: z.array(z.string()),
  introspection_endpoint_auth_methods_supported: z.array(z.string()),
  revocation_endpoint_auth_methods_supported: z.array(z.string()),
  dpop_signing_alg_values_supported: z.array(z.string()),
  protected_resources: z.array(z.string()),
});
type Metadata = z.infer<typeof metadataSchema>;

async function metadataOf(url: string, init?: RequestInit): Promise<Metadata> {
  const answer = await fetch(url, init);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  return metadataSchema.parse(await answer.json());
}

const authorizationServer = '/.well-known/oauth-authorization-server';
const openid = '/.well-known/openid-configuration';

let root: TestServer;
let tenant: TestServer;
const algorithms = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'];
const clientKeys = new Map<string, Awaited<ReturnType<typeof generateKeyPair>>['privateKey']>();
beforeAll(async () => {
  const keys = await Promise.all(
    algorithms.map(async (alg) => {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      clientKeys.set(alg, privateKey);
      return { ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' };
    }),
  );
  root = await startServer();
  await root.app.rooms.clients.create(
    {
      client_id: 'JWT',
      client_name: 'Client with keys',
      token_endpoint_auth_method: 'private_key_jwt',
      redirect_uris: [webCallback],
      jwks: { keys },
    },
    'cli',
    { actor: { kind: 'cli' }, meta: { at: new Date() } },
  );
  tenant = await startServer({ path: '/tenant' });
});
afterAll(() => Promise.all([root.close(), tenant.close()]));

describe('§3 where it is found', () => {
  test.each([authorizationServer, openid])('an issuer without a path: %s', async (path) => {
    expect((await metadataOf(`${root.url}${path}`)).issuer).toBe(root.url);
  });

  test.each([
    [authorizationServer, `${authorizationServer}/tenant`],
    [authorizationServer, `/tenant${authorizationServer}`],
    [authorizationServer, authorizationServer],
    [openid, `${openid}/tenant`],
    [openid, `/tenant${openid}`],
    [openid, openid],
  ])('an issuer with a path: %s at %s', async (_name, path) => {
    const origin = new URL(tenant.url).origin;
    const metadata = await metadataOf(`${origin}${path}`);
    expect(metadata.issuer).toBe(tenant.url);
    expect(metadata.token_endpoint).toBe(`${tenant.url}/oauth/token`);
  });

  test.each([
    `${authorizationServer}/`,
    `${authorizationServer}/other`,
    `${authorizationServer}/tenant/x`,
    `/other${authorizationServer}`,
    '/.well-known/unknown',
    '/.well-known/',
    '/.well-known/../.well-known/x',
  ])('nothing is at %s', async (path) => {
    const answer = await fetch(`${new URL(tenant.url).origin}${path}`, {
      headers: { accept: 'application/json' },
    });
    await refused(answer, 404, 'invalid_request');
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
    '%s is answered with 405 and Allow',
    async (method) => {
      const answer = await fetch(`${root.url}${authorizationServer}`, { method });
      expect(answer.headers.get('allow')).toContain('GET');
      expect(answer.status).toBe(405);
    },
  );

  test('HEAD is answered as GET, without a body', async () => {
    const answer = await fetch(`${root.url}${authorizationServer}`, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('');
  });

  test('an issuer with a path works from discovery to token', async () => {
    const body = await tokens(tenant);
    expect(body.access_token).toBeTruthy();
    const metadata = await metadataOf(`${tenant.url}${authorizationServer}`);
    const keys = await fetch(metadata.jwks_uri);
    expect(keys.status).toBe(200);
  });
});

describe('§3.3 the issuer and its endpoints', () => {
  test.each([
    { host: 'evil.test' },
    { host: 'a@b' },
    { host: 'localhost:1@evil.test' },
    { 'x-forwarded-host': 'evil.test' },
    { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.test', 'x-forwarded-port': '1' },
    { forwarded: 'host=evil.test;proto=https' },
    { 'x-original-url': '/evil', 'x-rewrite-url': '/evil', 'x-forwarded-prefix': '/evil' },
  ])('come from the configuration whatever %j says (HD03)', async (headers) => {
    const url = new URL(root.url);
    const { status, text } = await rawGet(url, authorizationServer, headers);
    expect(status).toBe(200);
    expect(text).not.toContain('evil');
    expect(JSON.parse(text)).toEqual(
      await (await fetch(`${root.url}${authorizationServer}`)).json(),
    );
  });

  test('neither do the redirects to our pages follow Host (HD03)', async () => {
    const path = authorizeUrl(root, good()).slice(root.url.length);
    const { status, location } = await rawGet(new URL(root.url), path, {
      host: 'evil.test',
      'x-forwarded-host': 'evil.test',
    });
    expect(status).toBe(303);
    expect(location).not.toContain('evil');
  });

  test('every URL is on the issuer', async () => {
    const metadata = await metadataOf(`${tenant.url}${authorizationServer}`);
    const urls = Object.entries(metadata).filter(([name]) => /(_endpoint|_uri)$/.test(name));
    expect(urls.length).toBeGreaterThanOrEqual(6);
    for (const [, url] of urls) expect(String(url).startsWith(`${tenant.url}/`)).toBe(true);
  });
});

describe('what is advertised works (MD03)', () => {
  test('the members are exactly these', async () => {
    const metadata = await metadataOf(`${root.url}${authorizationServer}`);
    expect(metadata).toMatchObject({
      issuer: root.url,
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'fragment'],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['mcp:read', 'mcp:write', 'two:use', 'offline_access'],
      protected_resources: [rs1, rs2],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      request_uri_parameter_supported: false,
    });
  });

  test('openid-configuration adds only what OpenID Connect Discovery requires', async () => {
    const plain = await metadataOf(`${root.url}${authorizationServer}`);
    const answer = await metadataOf(`${root.url}${openid}`);
    const extra = Object.keys(answer).filter((name) => !(name in plain));
    expect(extra.sort()).toEqual([
      'id_token_signing_alg_values_supported',
      'subject_types_supported',
    ]);
    expect(answer).toMatchObject(plain);
    expect(answer).not.toHaveProperty('userinfo_endpoint');
    expect(answer).not.toHaveProperty('end_session_endpoint');
  });

  test('none and HS* are in no list of algorithms, plain in no list of challenges (MD04)', async () => {
    const metadata = await metadataOf(`${root.url}${openid}`);
    const lists = Object.entries(metadata).filter(([name]) => /_alg_values_supported$/.test(name));
    expect(lists.length).toBeGreaterThanOrEqual(4);
    for (const [, list] of lists) {
      const values = z.array(z.string()).parse(list);
      expect(values.length).toBeGreaterThan(0);
      expect(values.filter((alg) => /^(none|HS)/i.test(alg))).toEqual([]);
    }
    expect(metadata.code_challenge_methods_supported).toEqual(['S256']);
  });

  test('the JWKS has public members only (MD06)', async () => {
    const { jwks_uri: url } = await metadataOf(`${root.url}${authorizationServer}`);
    const answer = await fetch(url);
    const { keys } = z
      .object({ keys: z.array(z.record(z.string(), z.unknown())) })
      .parse(await answer.json());
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(key).toMatchObject({ kid: expect.any(String), alg: 'ES256', use: 'sig' });
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
        expect(key).not.toHaveProperty(member);
    }
  });

  test('every response mode brings the code, state and iss', async () => {
    const { response_modes_supported: modes } = await metadataOf(
      `${root.url}${authorizationServer}`,
    );
    for (const mode of modes) {
      const { url } = await authorize(root, good({ response_mode: mode }));
      const { search, hash } = new URL(url);
      const answer = new URLSearchParams(mode === 'fragment' ? hash.slice(1) : search);
      expect({ mode, code: answer.get('code') }).toEqual({ mode, code: expect.any(String) });
      expect(answer.get('iss')).toBe(root.url);
      expect(answer.get('state')).toBe('S1');
    }
  });

  test.each(['form_post', 'jwt', 'query.jwt', 'web_message', 'nonsense'])(
    'the response mode %s is refused',
    async (mode) => {
      const { answer, html } = await authorize(root, good({ response_mode: mode }));
      expect(answer.get('code')).toBeNull();
      expect(answer.get('error') ?? html).toMatch(/unsupported_response_mode/);
    },
  );

  test.each(['token', 'id_token', 'code token', 'code id_token', 'id_token token', 'none', 'x'])(
    'the response type %s is refused (MD05)',
    async (type) => {
      const { answer, html, url } = await authorize(root, good({ response_type: type }));
      const told = new URLSearchParams(new URL(url).hash.slice(1));
      expect(answer.get('code') ?? told.get('code')).toBeNull();
      expect(answer.get('access_token') ?? told.get('access_token')).toBeNull();
      expect(answer.get('error') ?? told.get('error') ?? html).toMatch(/unsupported_response_type/);
    },
  );

  test('each grant type is served to a client that has it', async () => {
    const { grant_types_supported: grants } = await metadataOf(`${root.url}${authorizationServer}`);
    expect(grants).toEqual(expect.arrayContaining(['authorization_code', 'refresh_token']));
    for (const grant of grants) {
      const answer = await root.post(
        '/oauth/token',
        { grant_type: grant },
        basic('RS1', webSecret),
      );
      const { error } = z.object({ error: z.string().optional() }).parse(await answer.json());
      expect({ grant, error }).not.toEqual({ grant, error: 'unsupported_grant_type' });
    }
  });

  test.each([
    'password',
    'implicit',
    'urn:ietf:params:oauth:grant-type:saml2-bearer',
    'urn:openid:params:grant-type:ciba',
    'nonsense',
    'AUTHORIZATION_CODE',
  ])('the grant type %s is refused', async (grant) => {
    const answer = await root.post('/oauth/token', { grant_type: grant }, basic('WEB', webSecret));
    await refused(answer, 400, 'unsupported_grant_type');
  });

  test('what has no grant type in the metadata is no grant', async () => {
    const { grant_types_supported: grants } = await metadataOf(`${root.url}${authorizationServer}`);
    const known = [
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ];
    for (const grant of known.filter((one) => !grants.includes(one))) {
      const answer = await root.post(
        '/oauth/token',
        { grant_type: grant },
        basic('RS1', webSecret),
      );
      await refused(answer, 400, 'unsupported_grant_type');
    }
  });

  test('client_secret_basic and client_secret_post authenticate at all three endpoints', async () => {
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
      const form = { grant_type: 'refresh_token', refresh_token: 'x', token: 'x' };
      const header = await root.post(path, form, basic('WEB', webSecret));
      const body = await root.post(path, { ...form, client_id: 'WEB', client_secret: webSecret });
      for (const answer of [header, body]) expect(answer.status).not.toBe(401);
    }
  });

  test.each(algorithms)(
    'private_key_jwt by %s authenticates, in the metadata and in fact',
    async (alg) => {
      const metadata = await metadataOf(`${root.url}${authorizationServer}`);
      expect(metadata.token_endpoint_auth_methods_supported).toContain('private_key_jwt');
      expect(metadata.token_endpoint_auth_signing_alg_values_supported).toContain(alg);
      const flow = good({ client_id: 'JWT', redirect_uri: webCallback });
      const value = await code(root, flow);
      await granted(await redeem(root, flow, value, await assertion(alg)));
    },
  );

  test('client_secret_jwt and TLS certificates are not advertised', async () => {
    const metadata = await metadataOf(`${root.url}${authorizationServer}`);
    expect([...metadata.token_endpoint_auth_methods_supported].sort()).toEqual([
      'client_secret_basic',
      'client_secret_post',
      'none',
      'private_key_jwt',
    ]);
    expect(metadata.introspection_endpoint_auth_methods_supported).not.toContain('none');
    expect(metadata.revocation_endpoint_auth_methods_supported).toContain('none');
  });

  test('every scope is one that a client can be granted', async () => {
    const { scopes_supported: scopes } = await metadataOf(`${root.url}${authorizationServer}`);
    for (const scope of scopes) {
      const resource = scope === 'two:use' ? rs2 : rs1;
      const { answer } = await authorize(root, good({ scope, resource }));
      expect({ scope, code: answer.get('code') }).toEqual({ scope, code: expect.any(String) });
    }
  });

  test('registration is advertised where it is open', async () => {
    const { registration_endpoint: url } = await metadataOf(`${root.url}${authorizationServer}`);
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [loopbackCallback] }),
    });
    expect(answer.status).toBe(201);
  });

  test('what is switched off is neither advertised nor answered', async () => {
    const closed = await startServer({
      extra: 'dcr: { mode: admin_only }\ncimd: { enabled: false }\ndpop: { enabled: false }',
    });
    try {
      const answer = await fetch(`${closed.url}${authorizationServer}`);
      const metadata = z.record(z.string(), z.unknown()).parse(await answer.json());
      expect(metadata).not.toHaveProperty('registration_endpoint');
      expect(metadata).not.toHaveProperty('dpop_signing_alg_values_supported');
      expect(metadata.client_id_metadata_document_supported).toBe(false);
      const registration = await fetch(`${closed.url}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ redirect_uris: [loopbackCallback] }),
      });
      expect(registration.status).toBe(404);
    } finally {
      await closed.close();
    }
  });

  test('a disabled resource is not advertised', async () => {
    const other = await startServer();
    try {
      await other.db.kysely
        .updateTable('resources')
        .set({ enabled: false })
        .where('uri', '=', rs2)
        .execute();
      await other.app.rooms.resources.reload();
      const metadata = await metadataOf(`${other.url}${authorizationServer}`);
      expect(metadata.protected_resources).toEqual([rs1]);
      expect(metadata.scopes_supported).not.toContain('two:use');
    } finally {
      await other.close();
    }
  });
});

async function assertion(alg: string): Promise<Record<string, string>> {
  const key = clientKeys.get(alg);
  if (!key) throw new Error(`no key for ${alg}`);
  const jwt = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg, kid: alg })
    .setIssuer('JWT')
    .setSubject('JWT')
    .setAudience(root.url)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(key);
  return {
    client_assertion: jwt,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  };
}

/** A GET with headers that fetch would not send, such as a false Host. */
function rawGet(url: URL, path: string, headers: Record<string, string | undefined>) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number | undefined;
    location: string | undefined;
    text: string;
  }>();
  const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value));
  request({ host: '127.0.0.1', port: url.port, path, headers: sent }, async (answer) => {
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    resolve({ status: answer.statusCode, location: answer.headers.location, text });
  })
    .on('error', reject)
    .end();
  return promise;
}
