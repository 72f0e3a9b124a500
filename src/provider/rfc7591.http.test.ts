import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestServer as Sink, sink } from '../http/guarded.testing.ts';
import { code, good, redeem, refresh, type Tokens, tokens } from './flow.testing.ts';
import {
  countClients,
  everythingStored,
  type Registered,
  refusal,
  refused,
  register,
  sendRegistration,
} from './registration.testing.ts';
import { rs1, startServer, type TestServer } from './server.testing.ts';
import { openSignedIn } from './signed-in.testing.ts';

const callback = 'https://client.example/cb';
const manyAtOnce = 'dcr: { rate_limit: 10000, rate_limit_burst: 10000 }';

let server: TestServer;
let internal: Sink;
beforeAll(async () => {
  internal = await sink();
  server = await startServer({ extra: manyAtOnce });
});
afterAll(async () => {
  await server?.close();
  await internal?.close();
});

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});
const flowOf = (clientId: string, redirectUri = callback) =>
  good({ client_id: clientId, redirect_uri: redirectUri });

describe('the answer to a registration (RFC 7591 §3.2.1)', () => {
  test('MUST be 201, JSON, not stored, with the effective values of everything', async () => {
    const response = await sendRegistration(server, { redirect_uris: [callback] });
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body: Registered = JSON.parse(await response.text());
    expect(body).toMatchObject({
      client_id: expect.stringMatching(/^dcr_[\w-]{22}$/),
      client_id_issued_at: expect.any(Number),
      redirect_uris: [callback],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      registration_access_token: expect.any(String),
      registration_client_uri: `${server.url}/oauth/register/${body.client_id}`,
    });
    expect(body).not.toHaveProperty('client_secret');
  });

  test('has no null member, whatever was sent: clients that parse it strictly would break', async () => {
    const bodies = [
      { redirect_uris: [callback] },
      { redirect_uris: [callback], client_name: null, scope: null, jwks: null, contacts: null },
      { redirect_uris: [callback], token_endpoint_auth_method: 'client_secret_basic' },
    ];
    for (const body of bodies) {
      const answer = await (await sendRegistration(server, body)).text();
      expect(answer).not.toContain('null');
      expect(answer).toContain('client_id');
    }
  });

  test('a secret and a registration token are in the answer and nowhere else', async () => {
    const client = await register(server, {
      redirect_uris: [callback],
      token_endpoint_auth_method: 'client_secret_basic',
    });
    expect(client.client_secret).toMatch(/^cs_[\w-]{43}$/);
    expect(client).toHaveProperty('client_secret_expires_at', 0);
    const stored = await everythingStored(server);
    expect(stored).toContain(client.client_id);
    expect(stored).not.toContain(client.client_secret);
    expect(stored).not.toContain(client.registration_access_token);
  });

  test('below an issuer with a path, the configuration endpoint is below it too', async () => {
    const tenant = await startServer({ path: '/tenant' });
    try {
      const client = await register(tenant, { redirect_uris: [callback] });
      expect(client.registration_client_uri).toBe(
        `${tenant.url}/oauth/register/${client.client_id}`,
      );
      const read = await fetch(client.registration_client_uri, {
        headers: { authorization: `Bearer ${client.registration_access_token}` },
      });
      expect(read.status).toBe(200);
    } finally {
      await tenant.close();
    }
  });
});

describe('a registered client goes the whole way', () => {
  test('without a secret: code, token, refresh', async () => {
    const client = await register(server, { redirect_uris: [callback] });
    const first = await tokens(server, flowOf(client.client_id));
    const next = await refresh(server, first.refresh_token, { client_id: client.client_id });
    expect(next.status).toBe(200);
  });

  // SDK v1 sends `id:secret` as it is, without the encoding of RFC 6749 §2.3.1.
  test('with client_secret_basic, sent raw', async () => {
    const client = await register(server, {
      redirect_uris: [callback],
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const flow = flowOf(client.client_id);
    const value = await code(server, flow);
    const wrong = await redeem(server, flow, value, {}, basic(client.client_id, 'wrong'));
    expect(await refusal(wrong)).toMatchObject(refused(401, 'invalid_client'));
    expect(await refusal(await redeem(server, flow, value))).toMatchObject(
      refused(401, 'invalid_client'),
    );
    const headers = basic(client.client_id, client.client_secret ?? '');
    const response = await redeem(server, flow, value, {}, headers);
    expect(response.status).toBe(200);
    const { refresh_token }: Tokens = JSON.parse(await response.text());
    const next = await refresh(server, refresh_token, { client_id: client.client_id }, headers);
    expect(next.status).toBe(200);
  });

  test('with client_secret_post', async () => {
    const client = await register(server, {
      redirect_uris: [callback],
      token_endpoint_auth_method: 'client_secret_post',
    });
    const flow = flowOf(client.client_id);
    const secret = { client_secret: client.client_secret ?? '' };
    expect((await redeem(server, flow, await code(server, flow), secret)).status).toBe(200);
  });

  test('scope in the registration MUST NOT pin the client: it may step up later', async () => {
    const client = await register(server, { redirect_uris: [callback], scope: 'mcp:read' });
    const flow = good({
      client_id: client.client_id,
      redirect_uri: callback,
      scope: 'mcp:read mcp:write',
    });
    expect((await tokens(server, flow)).scope.split(' ').sort()).toEqual(['mcp:read', 'mcp:write']);
  });

  test('an explicit list of grant types is obeyed: no refresh token without its grant', async () => {
    const client = await register(server, {
      redirect_uris: [callback],
      grant_types: ['authorization_code'],
    });
    expect(await tokens(server, flowOf(client.client_id))).not.toHaveProperty('refresh_token');
  });
});

describe('a secret that anybody can have buys nothing more', () => {
  test('MUST NOT give machine grants', async () => {
    const machine = [
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ];
    for (const grant of machine) {
      const alone = await sendRegistration(server, {
        grant_types: [grant],
        token_endpoint_auth_method: 'client_secret_basic',
      });
      expect(await refusal(alone)).toMatchObject(refused(400, 'invalid_client_metadata'));
    }
    const client = await register(server, {
      redirect_uris: [callback],
      grant_types: ['authorization_code', ...machine],
      token_endpoint_auth_method: 'client_secret_basic',
    });
    expect(client.grant_types).toEqual(['authorization_code']);
    for (const grant of machine) {
      const response = await server.post(
        '/oauth/token',
        { grant_type: grant, resource: rs1, scope: 'mcp:read', assertion: 'x', subject_token: 'x' },
        basic(client.client_id, client.client_secret ?? ''),
      );
      expect(response.status).toBe(400);
      expect(await response.text()).not.toContain('access_token');
    }
  });

  test('MUST NOT let it introspect what is not its own (IN02)', async () => {
    const client = await register(server, {
      redirect_uris: [callback],
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const { access_token } = await tokens(server);
    const response = await server.post(
      '/oauth/introspect',
      { token: access_token },
      basic(client.client_id, client.client_secret ?? ''),
    );
    expect(await response.json()).toEqual({ active: false });
  });
});

describe('redirect URIs that MUST be refused (DC03)', () => {
  const bad = [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    '\tjavascript:alert(1)',
    'java%0ascript:alert(1)',
    'javascript://client.example/%0aalert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:x',
    'about:blank',
    'http://client.example/cb',
    'http://evil.test:7777/cb',
    'http://127.0.0.1.evil.test/cb',
    'https://client.example/cb#frag',
    'https://user@client.example/cb',
    'http://127.0.0.1:7777@evil.test/cb',
    'https://client.example\\@evil.test/cb',
    'https://*.client.example/cb',
    'https://client.example/../cb',
    'https://client.example/cb\r\nSet-Cookie:x=1',
    'https://client.example/cb\u0000',
    'https://\u0430pp.test/cb',
    '/cb',
    '//evil.test/cb',
    'myapp://cb',
    '',
    `https://client.example/${'a'.repeat(10_000)}`,
  ];

  test.each(bad)('%j', async (uri) => {
    const before = await countClients(server);
    for (const redirect_uris of [[uri], [callback, uri]]) {
      const response = await sendRegistration(server, { redirect_uris });
      const answer = await refusal(response);
      // NUL is no JSON text that we read at all
      const error = uri.includes('\0') ? 'invalid_request' : 'invalid_redirect_uri';
      expect(answer).toMatchObject(refused(400, error));
    }
    expect(await countClients(server)).toBe(before);
  });

  test.each([[undefined], [[]], ['https://client.example/cb'], [[7]], [{ 0: callback }]])(
    'and what is no list of them: %j',
    async (redirect_uris) => {
      const answer = await refusal(await sendRegistration(server, { redirect_uris }));
      expect(answer).toMatchObject(refused(400, 'invalid_redirect_uri'));
    },
  );
});

test('members that mean nothing here have no effect and are not read back (DC05)', async () => {
  const body = `{"redirect_uris":["${callback}"],"client_id":"WEB","admin":true,"is_trusted":true,
    "skip_consent":true,"owner":"usr_x","created_at":"2020-01-01","status":"active","kind":"preregistered",
    "source":"config","resources":["${rs1}"],"client_secret":"chosen-by-the-client","rules":["x"],
    "registration_access_token":"chosen","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}`;
  const response = await sendRegistration(server, body);
  expect(response.status).toBe(201);
  const client: Registered = JSON.parse(await response.text());
  const read = await fetch(client.registration_client_uri, {
    headers: { authorization: `Bearer ${client.registration_access_token}` },
  });
  const again: Registered = JSON.parse(await read.text());
  for (const answer of [client, again]) {
    expect(Object.keys(answer).sort()).toEqual([
      'application_type',
      'client_id',
      'client_id_issued_at',
      'grant_types',
      'redirect_uris',
      'registration_access_token',
      'registration_client_uri',
      'response_types',
      'token_endpoint_auth_method',
    ]);
    expect(answer.client_id).toMatch(/^dcr_/);
    expect(answer.registration_access_token).toMatch(/^rat_/);
  }
  const row = await server.db.kysely
    .selectFrom('clients')
    .selectAll()
    .where('client_id', '=', client.client_id)
    .executeTakeFirstOrThrow();
  expect(row).toMatchObject({
    kind: 'dcr',
    status: 'active',
    source: 'registration',
    resources: null,
    rules: expect.not.arrayContaining(['x']),
  });
  expect(row.created_at.getTime()).toBeGreaterThan(Date.now() - 60_000);
  const { asks } = await openSignedIn(server, flowOf(client.client_id));
  expect(asks).toBe(true);
  expect(Reflect.get({}, 'admin')).toBeUndefined();
});

describe('addresses in a registration MUST NOT be contacted (DC07)', () => {
  const there = () => internal.port;
  test.each([
    ['jwks_uri', () => 'http://169.254.169.254/latest'],
    ['jwks_uri', () => 'https://169.254.169.254/latest'],
    ['jwks_uri', () => `http://127.0.0.1:${there()}/`],
    ['jwks_uri', () => `https://127.0.0.1:${there()}/`],
    ['jwks_uri', () => `https://[::1]:${there()}/`],
    ['jwks_uri', () => `https://[::ffff:7f00:1]:${there()}/`],
    ['jwks_uri', () => 'https://0x7f.1/'],
    ['sector_identifier_uri', () => `https://127.0.0.1:${there()}/`],
    ['sector_identifier_uri', () => 'https://client.example/uris'],
    ['request_uris', () => [`https://127.0.0.1:${there()}/`]],
  ])('%s on an internal address is refused', async (name, value) => {
    const response = await sendRegistration(server, {
      redirect_uris: [callback],
      token_endpoint_auth_method: name === 'jwks_uri' ? 'private_key_jwt' : 'none',
      [name]: value(),
    });
    expect(await refusal(response)).toMatchObject(refused(400, 'invalid_client_metadata'));
    expect(internal.contacts()).toBe(0);
  });

  test('nor those of logos and other links', async () => {
    const here = `https://localhost:${there()}/x`;
    await register(server, {
      redirect_uris: [callback],
      client_uri: here,
      logo_uri: here,
      tos_uri: here,
      policy_uri: here,
      jwks_uri: here,
      token_endpoint_auth_method: 'private_key_jwt',
    });
    expect(internal.contacts()).toBe(0);
  });
});

describe('key sets that MUST be refused (DC08)', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicEc = ec.publicKey.export({ format: 'jwk' });
  const small = generateKeyPairSync('rsa', { modulusLength: 512 });
  test.each([
    ['private members', [ec.privateKey.export({ format: 'jwk' })]],
    ['a private key beside a good one', [publicEc, ec.privateKey.export({ format: 'jwk' })]],
    ['RSA of 512 bits', [small.publicKey.export({ format: 'jwk' })]],
    ['a symmetric key', [{ kty: 'oct', k: 'c2VjcmV0' }]],
    ['no key', []],
    ['1,000 keys', Array.from({ length: 1000 }, () => ({ kty: 'EC' }))],
    ['a key that is text', ['key']],
  ])('%s', async (_what, keys) => {
    const response = await sendRegistration(server, {
      redirect_uris: [callback],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys },
    });
    expect(await refusal(response)).toMatchObject(refused(400, 'invalid_client_metadata'));
  });

  test('1 MB', async () => {
    const jwks = { keys: [{ ...publicEc, kid: 'a'.repeat(1_000_000) }] };
    const response = await sendRegistration(server, { redirect_uris: [callback], jwks });
    expect(await refusal(response)).toMatchObject(refused(413, 'invalid_request'));
  });
});

describe('bodies that MUST be refused, at once (DC09)', () => {
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  const body = JSON.stringify({ redirect_uris: [callback] });
  const latin1 = Buffer.from(
    `{"redirect_uris":["${callback}"],"client_name":"caf\u00e9"}`,
    'latin1',
  );
  const json = 'application/json';
  test.each<[string, string | Uint8Array, string, number]>([
    ['no JSON', 'redirect_uris=x', json, 400],
    ['nothing', '', json, 400],
    ['JSON cut short', body.slice(0, -3), json, 400],
    ['an array', `[${body}]`, json, 400],
    ['text', '"x"', json, 400],
    ['null', 'null', json, 400],
    ['a number', '1e999', json, 400],
    ['depth 1,000', nested(1000), json, 400],
    [
      'depth 1,000 beside good members',
      `{"redirect_uris":["${callback}"],"a":${nested(1000)}}`,
      json,
      400,
    ],
    ['duplicate members', `{"redirect_uris":["https://evil.test/cb"],${body.slice(1)}`, json, 400],
    ['duplicate members, one escaped', `{"redirect\\u005furis":[],${body.slice(1)}`, json, 400],
    ['a byte order mark', `\ufeff${body}`, json, 400],
    ['another charset', latin1, json, 400],
    ['a lone surrogate', `{"redirect_uris":["${callback}"],"client_name":"\\ud800"}`, json, 400],
    ['10 MB', `{"client_name":"${'a'.repeat(10_000_000)}"}`, json, 413],
    ['a form', 'redirect_uris=x', 'application/x-www-form-urlencoded', 415],
    ['text/plain', body, 'text/plain', 415],
    ['utf-16', body, 'application/json; charset=utf-16', 415],
  ])('%s', async (_what, raw, type, status) => {
    const before = await countClients(server);
    const started = performance.now();
    const response = await sendRegistration(server, raw, { 'content-type': type });
    expect(performance.now() - started).toBeLessThan(1000);
    const { error, ...answer } = await refusal(response);
    expect(answer).toMatchObject({ status, stored: false, traced: true, leaks: false });
    expect(error).toMatch(/^invalid_(request|client_metadata)$/);
    expect(await countClients(server)).toBe(before);
  });

  test('10 MB in pieces, of a length that was not said', async () => {
    const piece = new Uint8Array(100_000).fill(0x61);
    let left = 100;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        left -= 1;
        if (left < 0) controller.close();
        else controller.enqueue(piece);
      },
    });
    const init: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    };
    const response = await fetch(`${server.url}/oauth/register`, init);
    expect(await refusal(response)).toMatchObject(refused(413, 'invalid_request'));
  });
});

describe('how many clients one address may register (DC10)', () => {
  test('MUST be limited by dcr.rate_limit, with Retry-After; nothing is stored of the rest', async () => {
    const limited = await startServer({ extra: 'dcr: { rate_limit: 2, rate_limit_burst: 5 }' });
    try {
      const before = await countClients(limited);
      const all = await Promise.all(
        Array.from({ length: 60 }, (_, n) =>
          sendRegistration(
            limited,
            { redirect_uris: [callback] },
            { 'x-forwarded-for': `203.0.113.${n}` },
          ),
        ),
      );
      const made = all.filter(({ status }) => status === 201).length;
      expect(made).toBeGreaterThan(0);
      expect(made).toBeLessThan(30); // 7 at once and 2 more for every second that it took
      expect(await countClients(limited)).toBe(before + made);
      const refusals = all.filter(({ status }) => status !== 201);
      for (const response of refusals) {
        expect(response.status).toBe(429);
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
        expect((await refusal(response)).error).toBe('temporarily_unavailable');
      }
      // tokens are not registered: who has a client goes on
      expect((await tokens(limited)).access_token).toBeTruthy();
    } finally {
      await limited.close();
    }
  });

  test('refused bodies count too, since judging them is work', async () => {
    const limited = await startServer({ extra: 'dcr: { rate_limit: 1, rate_limit_burst: 1 }' });
    try {
      const all = await Promise.all(
        Array.from({ length: 30 }, () => sendRegistration(limited, 'x')),
      );
      expect(all.filter(({ status }) => status === 429).length).toBeGreaterThan(10);
    } finally {
      await limited.close();
    }
  });
});

describe('who may register', () => {
  test('initial_access_token: MUST be there, right, not expired and not used before (DC14)', async () => {
    const closed = await startServer({ extra: 'dcr: { mode: initial_access_token }' });
    try {
      const { clients } = closed.app.rooms;
      const by = { actor: { kind: 'cli' }, meta: { at: closed.now() } } as const;
      const attempt = (token?: string, body: unknown = { redirect_uris: [callback] }) =>
        sendRegistration(closed, body, token ? { authorization: `Bearer ${token}` } : {});
      const { token } = await clients.issueInitialAccessToken(3600, by);
      const refusedToken = refused(401, 'invalid_token');

      for (const wrong of [undefined, 'iat_wrong', `${token}x`, token.slice(0, -1)]) {
        const response = await attempt(wrong);
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
        expect(await refusal(response)).toMatchObject(refusedToken);
      }
      // without a token nobody learns what is wrong with a body; with one, a bad body does not spend it
      expect((await attempt(undefined, {})).status).toBe(401);
      expect((await attempt(token, {})).status).toBe(400);

      const rush = await Promise.all(Array.from({ length: 5 }, () => attempt(token)));
      expect(rush.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(await refusal(await attempt(token))).toMatchObject(refusedToken);

      const { token: old } = await clients.issueInitialAccessToken(60, by);
      closed.advance(61);
      expect(await refusal(await attempt(old))).toMatchObject(refusedToken);
    } finally {
      await closed.close();
    }
  });

  test('approved_redirects: only what the operator approved', async () => {
    const extra =
      'dcr: { mode: approved_redirects, approved_redirects: ["https://client.example"] }';
    const closed = await startServer({ extra });
    try {
      await register(closed, { redirect_uris: [callback] });
      for (const redirect_uris of [['https://evil.test/cb'], [callback, 'https://evil.test/cb']]) {
        const answer = await refusal(await sendRegistration(closed, { redirect_uris }));
        expect(answer).toMatchObject(refused(400, 'invalid_redirect_uri'));
      }
    } finally {
      await closed.close();
    }
  });

  test('admin_only: nobody, and the metadata does not offer it', async () => {
    const closed = await startServer({ extra: 'dcr: { mode: admin_only }' });
    try {
      const response = await sendRegistration(closed, { redirect_uris: [callback] });
      expect([403, 404]).toContain(response.status);
      const metadata = await fetch(`${closed.url}/.well-known/oauth-authorization-server`);
      expect(await metadata.json()).not.toHaveProperty('registration_endpoint');
    } finally {
      await closed.close();
    }
  });
});
