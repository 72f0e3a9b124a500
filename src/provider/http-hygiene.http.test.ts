import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLimitedServer } from '../http/index.ts';
import { basic, granted, refused } from './answers.testing.ts';
import { readForm } from './browser.testing.ts';
import { authorize, authorizeUrl, code, good, redeem } from './flow.testing.ts';
import {
  encode,
  loopbackCallback,
  startServer,
  type TestServer,
  webSecret,
} from './server.testing.ts';

/**
 * What every answer must be whatever was sent (RFC 9700 §4.16, RFC 6749 §3.1 and §10, RFC 9112): no 5xx,
 * quickly, nothing consumed, no row made, nothing secret said.
 */

/** Milliseconds that an answer may take on a busy test machine. */
const patience = 2000;
/** Endpoints below the issuer with a method that they serve. */
const endpoints: [string, string][] = [
  ['/oauth/authorize', 'GET'],
  ['/oauth/authorize', 'POST'],
  ['/oauth/authorize/unknown', 'GET'],
  ['/oauth/token', 'POST'],
  ['/oauth/introspect', 'POST'],
  ['/oauth/revoke', 'POST'],
  ['/oauth/register', 'POST'],
  ['/oauth/register/unknown', 'GET'],
  ['/login/unknown', 'GET'],
  ['/consent/unknown', 'POST'],
  ['/account', 'GET'],
  ['/account/sign-in', 'POST'],
  ['/account/revoke', 'POST'],
  ['/logout', 'POST'],
  ['/.well-known/oauth-authorization-server', 'GET'],
  ['/.well-known/jwks.json', 'GET'],
  ['/health', 'GET'],
];
const forms = ['/oauth/authorize', '/oauth/token', '/oauth/introspect', '/oauth/revoke'];
const posts = [
  ...forms,
  '/oauth/register',
  '/login/unknown',
  '/consent/unknown',
  '/account/sign-in',
  '/account/revoke',
  '/logout',
];
const urlencoded = { 'content-type': 'application/x-www-form-urlencoded' };

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ extra: 'oauth: { code_ttl: 10m }' });
});
afterAll(() => server.close());

let before: unknown;
beforeEach(async () => {
  before = await rows();
});
afterEach(async () => {
  const health = await fetch(`${server.url}/health`);
  expect(health.status).toBe(200);
  expect(before).toBeDefined();
});

/** How many rows of each kind there are that only a success may add to. */
async function rows() {
  const { kysely } = server.db;
  const count = async (table: 'clients' | 'grants' | 'families' | 'issuances' | 'users') => {
    const found = await kysely
      .selectFrom(table)
      .select(({ fn }) => fn.countAll().as('n'))
      .execute();
    return Number(found[0]?.n);
  };
  const tables = ['clients', 'grants', 'families', 'issuances', 'users'] as const;
  return Object.fromEntries(await Promise.all(tables.map(async (one) => [one, await count(one)])));
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** A request as it is, without what fetch forbids, corrects or normalises. */
function send(
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string | Buffer } = {},
  on = server,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { port } = new URL(on.url);
  const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, async (answer) => {
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

/** Sends, and holds the answer to what every answer must be. */
async function harmless(...[method, path, options]: Parameters<typeof send>): Promise<Answer> {
  const started = performance.now();
  const answer = await send(method, path, options);
  const what = `${method} ${path.slice(0, 200)} → ${answer.status} ${answer.text.slice(0, 500)}`;
  expect(performance.now() - started, what).toBeLessThan(patience);
  expect(answer.status, what).toBeLessThan(500);
  expect(answer.headers['server'], what).toBeUndefined();
  expect(answer.headers['x-powered-by'], what).toBeUndefined();
  expect(answer.headers['x-content-type-options'], what).toBe('nosniff');
  expect(answer.text, what).not.toMatch(
    /node_modules|\.ts:\d|at \w+ \(|SELECT |22021|pglite|node:/i,
  );
  const location = String(answer.headers.location ?? '');
  expect(location, what).not.toMatch(/evil|[?&#]code=/);
  return answer;
}

const post = (path: string, body: string | Buffer, headers: Record<string, string> = urlencoded) =>
  harmless('POST', path, { headers, body });

/** Refused for good: a page or JSON, or an error at the registered redirect URI; no sign-in page. */
function expectRefused({ status, headers }: Answer) {
  const location = String(headers.location ?? '');
  if (status >= 300 && status < 400) {
    expect(location.startsWith(`${loopbackCallback}?`)).toBe(true);
    expect(new URL(location).searchParams.get('error')).toBeTruthy();
  } else {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(location).toBe('');
  }
}

describe('pages (HD01)', () => {
  async function page(url: string, options: Parameters<typeof send>[2] = {}) {
    const headers = { accept: 'text/html', ...options.headers };
    return send('GET', url.replace(server.url, ''), { ...options, headers });
  }

  function expectPage({ headers, text }: Pick<Answer, 'headers' | 'text'>) {
    expect(text).toContain('<!doctype html>');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).not.toMatch(/unsafe|\*|data:|http/);
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toMatch(/^(no-referrer|same-origin)$/);
    expect(headers['cache-control']).toContain('no-store');
    expect(headers['server']).toBeUndefined();
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['strict-transport-security']).toBeUndefined(); // this issuer is http
    expect(text).not.toMatch(/<script|\son\w+=|style="|(src|href)="(https?:)?\/\//);
  }

  const plain = (response: Response) => Object.fromEntries(response.headers);

  test('sign-in and consent', async () => {
    const browser = server.browser();
    const signIn = await browser.open(authorizeUrl(server, good()));
    expect(signIn.url).toContain('/login/');
    expectPage({ headers: plain(signIn.response), text: signIn.html });
    const { action, fields } = readForm(signIn.html);
    const consent = await browser.submit(action, [
      ...fields,
      ['username', 'alice@example.test'],
      ['password', 'correct horse alice'],
    ]);
    expect(consent.url).toContain('/consent/');
    expectPage({ headers: plain(consent.response), text: consent.html });
  });

  test.each([
    '/oauth/authorize',
    '/oauth/authorize?client_id=unknown',
    '/oauth/authorize/unknown',
    '/login/unknown',
    '/consent/unknown',
    '/nowhere',
    '/account/sign-in',
    '/logout',
    '/oauth/token',
  ])('%s', async (path) => {
    expectPage(await page(path));
  });

  test('text of strangers on an error page is inert (XS03)', async () => {
    const attack = '"><img src=x onerror=alert(1)><svg onload=alert(1)>{{7*7}}${7*7}';
    for (const name of ['client_id', 'redirect_uri', 'scope', 'state', 'error_description', 'x']) {
      const query = encode({ error: 'x', [name]: attack });
      const { text } = await page(`/oauth/authorize?${query}`);
      expect(text).not.toMatch(/<img|<svg|49/);
    }
    const { text } = await page(`/${encodeURIComponent(attack)}`);
    expect(text).not.toMatch(/<img|<svg/);
  });

  test('an https issuer has HSTS on every answer (HD07)', async () => {
    const https = await startServer({ issuer: 'https://auth.example.test' });
    try {
      for (const path of ['/health', '/.well-known/jwks.json', '/nowhere', '/account/sign-in']) {
        for (const accept of ['text/html', 'application/json']) {
          const { headers } = await send('GET', path, { headers: { accept } }, https);
          const hsts = String(headers['strict-transport-security']);
          expect(Number(/max-age=(\d+)/.exec(hsts)?.[1])).toBeGreaterThanOrEqual(31_536_000);
        }
      }
    } finally {
      await https.close();
    }
  });
});

describe('methods (HD08)', () => {
  const methods = [
    'TRACE',
    'PUT',
    'PATCH',
    'DELETE',
    'PROPFIND',
    'MKCOL',
    'LOCK',
    'SEARCH',
    'PURGE',
  ];

  test.each(endpoints)('%s serves only its own methods (%s)', async (path) => {
    for (const method of methods) {
      if (path.startsWith('/oauth/register/') && ['PUT', 'DELETE'].includes(method)) continue;
      const { status, text } = await harmless(method, path);
      expect({ method, status: [404, 405].includes(status) ? 405 : status }).toEqual({
        method,
        status: 405,
      });
      expect(text).not.toContain('TRACE'); // an echo would show cookies to scripts
    }
    expect(await rows()).toEqual(before);
  });

  test.each(['/oauth/token', '/oauth/introspect', '/oauth/revoke', '/oauth/register'])(
    'GET and HEAD on %s are refused, whatever the query (CA13)',
    async (path) => {
      const query = encode({
        grant_type: 'client_credentials',
        client_id: 'RS1',
        client_secret: webSecret,
        token: 'x',
      });
      for (const method of ['GET', 'HEAD']) {
        const { status } = await harmless(method, `${path}?${query}`);
        expect([404, 405]).toContain(status);
      }
    },
  );

  test('CONNECT and OPTIONS * open nothing', async () => {
    const { text } = await raw(`CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n`, server);
    expect(text).not.toMatch(/^HTTP\/1\.1 (2|5)/);
    expect((await harmless('OPTIONS', '*')).status).toBeGreaterThanOrEqual(400);
  });

  test('a method override is not followed', async () => {
    const headers = {
      ...urlencoded,
      'x-http-method-override': 'DELETE',
      'x-method-override': 'PUT',
    };
    const { status } = await post(
      '/oauth/register/unknown?_method=DELETE',
      '_method=DELETE',
      headers,
    );
    expect([404, 405]).toContain(status);
  });
});

describe('paths', () => {
  test.each([
    '/',
    '//',
    '/oauth',
    '/oauth/',
    '/oauth/token/',
    '/OAUTH/TOKEN',
    '//oauth/token',
    '/oauth//token',
    '/oauth/token;x=1',
    '/oauth/%2e%2e/oauth/token',
    '/oauth/../oauth/nothing',
    '/%00',
    '/%ff',
    '/%',
    '/%zz',
    '/oauth/%74oken',
    '/oauth/authorize/%00',
    '/oauth/authorize/%ff',
    '/oauth/authorize/%zz',
    '/login/%00',
    '/login/%ff',
    '/login/%ed%a0%80',
    '/login/__proto__',
    '/consent/%00',
    '/consent/%ff',
    '/oauth/register/%00',
    '/oauth/register/a%00b',
    '/oauth/register/%ff',
    '/oauth/register/%ed%a0%80',
    '/oauth/register/__proto__',
    "/oauth/register/'%20OR%201=1--",
    '/.well-known/oauth-protected-resource/%00',
    '/.well-known/oauth-protected-resource/%ff',
    '/.well-known/oauth-protected-resource/__proto__',
    '/.well-known/oauth-protected-resource/constructor',
    '/.git/config',
    '/assets/../package.json',
    '/assets/..%2fpackage.json',
    '/assets/%00',
    '/admin/ui/',
    '/metrics',
  ])('%s is no 5xx and tells nothing', async (path) => {
    const accept = { accept: 'application/json' };
    for (const method of ['GET', 'POST']) {
      const { status, text } = await harmless(method, path, {
        headers: { ...accept, authorization: 'Bearer x' },
      });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(JSON.parse(text)).toMatchObject({ error: expect.any(String) });
    }
    expect(await rows()).toEqual(before);
  });

  test('a long path is refused', async () => {
    for (const path of ['/login/', '/oauth/register/', '/oauth/authorize/', '/'])
      expect((await harmless('GET', path + 'x'.repeat(8000))).status).toBeGreaterThanOrEqual(400);
  });
});

/** Bytes that are no parameter: not UTF-8, half a character, a lone surrogate, NUL, no hexadecimal. */
const notText = [
  '%ff',
  '%c3%28',
  '%c3',
  '%ed%a0%80',
  '%f8%a1%a1%a1',
  '%00',
  'a%00b',
  '%',
  '%zz',
  '%u0041',
];

describe('parameters of the authorization request (PP01, PP03, OV03, OV04)', () => {
  const names = [
    'response_type',
    'client_id',
    'redirect_uri',
    'scope',
    'state',
    'code_challenge',
    'code_challenge_method',
    'resource',
    'response_mode',
    'prompt',
    'dpop_jkt',
    'login_hint',
    'nonce',
    'max_age',
    'request',
    'request_uri',
    'claims',
    'unknown',
  ];
  const query = (changes: Parameters<typeof good>[0] = {}) =>
    encode(good(changes).params).toString();
  const both = async (text: string) => [
    await harmless('GET', `/oauth/authorize?${text}`),
    await post('/oauth/authorize', text),
  ];

  test('the good request is good: the sign-in page follows', async () => {
    for (const { status, headers } of await both(query())) {
      expect(status).toBe(303);
      expect(headers.location).toContain('/login/');
    }
  });

  test.each(['response_type', 'client_id', 'redirect_uri', 'code_challenge'])(
    'without %s, or with it empty, it is refused',
    async (name) => {
      for (const text of [query({ [name]: undefined }), query({ [name]: '' })])
        for (const answer of await both(text)) expectRefused(answer);
    },
  );

  test.each(names)('%s twice is refused; empty or unknown values never break', async (name) => {
    const { params } = good();
    const value = String(params[name] ?? '1');
    for (const pair of [
      [value, value],
      [value, 'x'],
      ['', value],
    ]) {
      const answers = await both(query({ [name]: pair }));
      const repeatable = ['resource', 'unknown', 'nonce', 'max_age', 'claims'].includes(name);
      if (!repeatable) for (const answer of answers) expectRefused(answer);
    }
    await both(query({ [name]: '' }));
    await both(query({ [name]: ' ' }));
    await both(query({ [name]: 'undefined' }));
    expect(await rows()).toEqual(before);
  });

  test.each(names)('%s of 10 KB is no 5xx', async (name) => {
    await both(query({ [name]: 'x'.repeat(10_000) }));
    await both(query({ [name]: 'a '.repeat(5000) }));
    expect(await rows()).toEqual(before);
  });

  test.each(notText)('%s in any parameter, or as its name, is refused (OV03)', async (bytes) => {
    for (const name of names) {
      const text = `${query({ [name]: undefined })}&${name}=${bytes}`;
      for (const answer of await both(text)) {
        expect(answer.status).toBe(400);
        expect(answer.headers.location).toBeUndefined();
      }
    }
    for (const answer of await both(`${query()}&${bytes}=x`)) expect(answer.status).toBe(400);
  });

  test.each(['client_id', 'redirect_uri', 'response_type', 'code_challenge'])(
    '%s[] and %s[a] are other parameters (PP03)',
    async (name) => {
      const value = String(good().params[name]);
      for (const other of [`${name}[]`, `${name}[a]`, `${name}[0]`, `${name}.a`, ` ${name}`]) {
        const text = query({ [name]: undefined, [other]: value });
        for (const answer of await both(text)) expectRefused(answer);
      }
    },
  );

  test('__proto__ and constructor are other parameters', async () => {
    for (const name of [
      '__proto__',
      '__proto__[client_id]',
      'constructor',
      'toString',
      'hasOwnProperty',
    ])
      for (const { status } of await both(`${query()}&${name}=x`)) expect(status).toBe(303);
  });

  test('a state of 100 KB is refused by a page (OV04)', async () => {
    const { status, headers } = await post(
      '/oauth/authorize',
      query({ state: 'x'.repeat(100_000) }),
    );
    expect(status).toBe(413);
    expect(headers.location).toBeUndefined();
  });

  test('any printable state comes back as it was sent (OV04)', async () => {
    const state = `"><script>&=+%25 🔑 ${'x'.repeat(4000)}`;
    const { answer } = await authorize(server, good({ state }));
    expect(answer.get('state')).toBe(state);
  });

  test('parameters of the query do not count in a POST', async () => {
    const text = query();
    const answer = await post(`/oauth/authorize?${text}`, 'state=S1');
    expectRefused(answer);
  });

  test('1,001 parameters are refused', async () => {
    const many = Array.from({ length: 1001 }, (_, index) => `p${index}=1`).join('&');
    expect((await post('/oauth/authorize', `${query()}&${many}`)).status).toBe(400);
  });
});

describe('parameters of the token request (PP01, PP03, OV03): nothing is consumed', () => {
  const names = [
    'grant_type',
    'code',
    'redirect_uri',
    'client_id',
    'code_verifier',
    'resource',
    'scope',
    'client_secret',
    'client_assertion',
    'client_assertion_type',
    'refresh_token',
    'unknown',
  ];

  test('each missing, twice, empty, huge and not text; then the code is still good', async () => {
    const flow = good();
    const value = await code(server, flow);
    const start = await rows();
    const form: Record<string, string> = {
      grant_type: 'authorization_code',
      code: value,
      redirect_uri: loopbackCallback,
      client_id: 'PUB',
      code_verifier: flow.verifier,
    };
    const required = Object.keys(form);
    const without = (name: string) =>
      encode(Object.fromEntries(Object.entries(form).filter(([key]) => key !== name))).toString();
    for (const name of names) {
      const rest = without(name);
      const sent = form[name] ?? 'x';
      const bad = [
        ...(required.includes(name) ? [rest, `${rest}&${name}=`, `${rest}&${name}[]=${sent}`] : []),
        ...(required.includes(name) ? [`${rest}&${name}=${'x'.repeat(20_000)}`] : []),
        ...(name === 'unknown' ? [] : [`${rest}&${encode({ [name]: [sent, sent] })}`]),
        ...notText.map((bytes) => `${rest}&${name}=${bytes}`),
      ];
      for (const body of bad) {
        const { status, text } = await post('/oauth/token', body);
        expect({ body, status: [400, 401].includes(status) ? 400 : status, text }).toEqual({
          body,
          status: 400,
          text,
        });
        expect(JSON.parse(text)).toMatchObject({ error: expect.any(String) });
      }
    }
    expect(await rows()).toEqual(start);
    await granted(await redeem(server, flow, value));
    const log = server.logged();
    for (const secret of [value, flow.verifier, webSecret]) expect(log).not.toContain(secret);
  });

  test.each([
    ['NUL in the user name', Buffer.from('a\0b:secret')],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x3a, 0x61])],
    ['no colon', Buffer.from('WEB')],
    ['empty', Buffer.from('')],
    ['only a colon', Buffer.from(':')],
    ['percent', Buffer.from('%zz:%ff')],
    ['NUL by percent', Buffer.from('%00:%00')],
    ['10 KB', Buffer.from(`${'x'.repeat(8000)}:x`)],
  ])('Basic credentials: %s', async (_what, credentials) => {
    const authorization = `Basic ${credentials.toString('base64')}`;
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
      const body = 'grant_type=refresh_token&refresh_token=x&token=x';
      const { status } = await post(path, body, { ...urlencoded, authorization });
      expect([400, 401]).toContain(status);
    }
  });

  test.each([
    'Basic',
    'Basic !',
    'Bearer x',
    'Digest a=b',
    'DPoP x',
    'x'.repeat(9000),
    'Basic a b',
  ])('Authorization: %s', async (authorization) => {
    const body = 'grant_type=refresh_token&refresh_token=x&token=x';
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
      const { status } = await post(path, body, { ...urlencoded, authorization });
      expect([400, 401]).toContain(status);
    }
  });

  test.each([
    { sub: 'a\0b', iss: 'a\0b' },
    { sub: 'WEB\0' },
    { sub: 7 },
    { sub: ['WEB'] },
    { sub: { a: 1 } },
    { sub: '\ud800' },
    { sub: 'x'.repeat(20_000) },
    { sub: '__proto__' },
    { sub: 'https://169.254.169.254/' },
    {},
  ])('an assertion that says %j of itself is 400 or 401', async (claims) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const header = part({ alg: 'ES256', kid: 'a\0b' });
    const form = {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      token: 'x',
      client_assertion: `${header}.${part(claims)}.AAAA`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
      const { status } = await post(path, encode(form).toString());
      expect([400, 401]).toContain(status);
    }
  });
});

describe('bodies (PP05, OV02, OV07)', () => {
  test.each(posts)('10 MB to %s are refused', async (path) => {
    const body = Buffer.alloc(10 * 1024 * 1024, 'a');
    const type = path === '/oauth/register' ? 'application/json' : urlencoded['content-type'];
    const { status } = await post(path, body, { 'content-type': type });
    expect([400, 403, 413]).toContain(status);
    if (forms.includes(path) || path === '/oauth/register') expect(status).toBe(413);
    expect(await rows()).toEqual(before);
  });

  test.each(['/oauth/token', '/oauth/authorize'])(
    'a JWT of 1 MB to %s is refused',
    async (path) => {
      const jwt = `eyJhbGciOiJFUzI1NiJ9.${'e30'.repeat(350_000)}.x`;
      const body = `client_id=PUB&client_assertion=${jwt}&request=${jwt}`;
      expect((await post(path, body)).status).toBe(413);
    },
  );

  test.each(forms)('%s reads application/x-www-form-urlencoded in UTF-8 only', async (path) => {
    const body = 'client_id=PUB&token=x&grant_type=refresh_token&refresh_token=x';
    for (const type of [
      'application/json',
      'multipart/form-data; boundary=x',
      'text/plain',
      'application/x-www-form-urlencoded; charset=utf-7',
      'application/x-www-form-urlencoded; charset=utf-16',
      'application/x-www-form-urlencoded; charset=iso-8859-1',
      'application/x-www-form-urlencodedx',
      '',
      ';',
    ]) {
      const { status } = await post(path, body, { 'content-type': type });
      expect({ type, status }).toEqual({ type, status: 415 });
    }
    const { status } = await harmless('POST', path, { body });
    expect(status).toBe(415);
  });

  test('a compressed body is refused', async () => {
    for (const encoding of ['gzip', 'br', 'deflate'])
      expect(
        (await post('/oauth/token', 'x', { ...urlencoded, 'content-encoding': encoding })).status,
      ).toBe(415);
  });

  test('charset=utf-8 in any spelling is fine', async () => {
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8']) {
      const type = `application/x-www-form-urlencoded;charset=${charset}`;
      const { text } = await post(
        '/oauth/token',
        'grant_type=refresh_token&refresh_token=x&client_id=PUB',
        {
          'content-type': type,
        },
      );
      expect(JSON.parse(text)).toMatchObject({ error: 'invalid_grant' });
    }
  });

  test.each(posts)('no body at all to %s is refused', async (path) => {
    const { status } = await harmless('POST', path, {});
    expect(status).toBeGreaterThanOrEqual(400);
    expect(await rows()).toEqual(before);
  });

  test('bytes that are not UTF-8 are refused without percent signs too (OV03)', async () => {
    for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0x00]]) {
      const body = Buffer.concat([Buffer.from('client_id=PUB&token='), Buffer.from(bytes)]);
      for (const path of forms) expect((await post(path, body)).status).toBe(400);
    }
  });
});

describe('text that is made to be slow (OV05)', () => {
  const corpus = [
    'a'.repeat(10_000),
    `${'a '.repeat(5000)}!`,
    ' '.repeat(10_000),
    `${'/'.repeat(10_000)}x`,
    `${'a.'.repeat(5000)}@`,
    `http://${'a@'.repeat(5000)}`,
    `${','.repeat(10_000)}`,
    `${'text/html;q=0.'.repeat(700)}`,
    `${'1.'.repeat(5000)}`,
    `${'::'.repeat(5000)}`,
    `${'%25'.repeat(3000)}`,
  ];

  test.each(corpus.map((text) => [text.slice(0, 12), text]))('%s…', async (_start, text) => {
    const started = performance.now();
    for (const name of ['accept', 'user-agent', 'x-forwarded-for', 'forwarded', 'origin', 'cookie'])
      await harmless('GET', '/oauth/authorize', { headers: { [name]: text } });
    for (const name of ['scope', 'redirect_uri', 'client_id', 'resource'])
      await post('/oauth/authorize', encode(good({ [name]: text }).params).toString());
    expect(performance.now() - started).toBeLessThan(3 * patience);
  });
});

describe('scripts of other origins (CR02, CR04)', () => {
  const open: [string, string][] = [
    ['POST', '/oauth/token'],
    ['POST', '/oauth/register'],
    ['PUT', '/oauth/register/unknown'],
    ['POST', '/oauth/introspect'],
    ['POST', '/oauth/revoke'],
    ['GET', '/.well-known/oauth-authorization-server'],
    ['GET', '/.well-known/openid-configuration'],
    ['GET', '/.well-known/jwks.json'],
    ['GET', '/.well-known/oauth-protected-resource/rs1'],
  ];
  const origin = 'https://spa.example.test';

  test.each(open)('the preflight of %s %s is answered (CR04)', async (method, path) => {
    const { status, headers } = await harmless('OPTIONS', path, {
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization, content-type, dpop, mcp-protocol-version',
      },
    });
    expect(status).toBe(204);
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    expect(headers['access-control-allow-methods']).toContain(method);
    for (const name of ['authorization', 'content-type', 'dpop', 'mcp-protocol-version'])
      expect(headers['access-control-allow-headers']).toContain(name);
  });

  test.each(open)(
    '%s %s is readable, errors too, and never with credentials (CR02)',
    async (method, path) => {
      for (const from of [origin, 'https://evil.test', 'null', 'http://localhost:3000']) {
        const { headers } = await harmless(method, path, {
          headers: { origin: from, cookie: 'session=x' },
        });
        expect(headers['access-control-allow-origin']).toBe('*');
        expect(headers['access-control-allow-credentials']).toBeUndefined();
        expect(headers['access-control-expose-headers']).toContain('www-authenticate');
        expect(headers['set-cookie']).toBeUndefined();
      }
    },
  );

  test('a token is given to a script of another origin, with nothing but a star', async () => {
    const flow = good();
    const answer = await redeem(server, flow, await code(server, flow), {}, { origin });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    await granted(answer);
  });

  test.each(['/oauth/authorize', '/login/unknown', '/consent/unknown', '/account', '/logout', '/'])(
    '%s is closed to scripts',
    async (path) => {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const { headers, status } = await harmless(method, path, {
          headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' },
        });
        expect(headers['access-control-allow-origin']).toBeUndefined();
        expect(headers['access-control-allow-credentials']).toBeUndefined();
        if (method === 'OPTIONS') expect(status).toBeGreaterThanOrEqual(400);
      }
    },
  );
});

describe('HTTP itself (HD06)', () => {
  let limited: TestServer;
  beforeAll(async () => {
    const own = createLimitedServer(server.app.public.callback(), {
      limits: { readTimeout: 30, writeTimeout: 30, idleTimeout: 120 },
      log: (await import('pino')).pino({ level: 'silent' }),
    });
    await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
    const address = own.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    limited = {
      ...server,
      url: `http://localhost:${port}`,
      close: () =>
        new Promise((resolve) => {
          own.closeAllConnections();
          own.close(() => resolve());
        }),
    };
  });
  afterAll(() => limited.close());

  const head =
    'POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n';

  test.each([
    [
      'Transfer-Encoding and Content-Length',
      `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['Content-Length twice', `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ['a Content-Length that is no number', `${head}Content-Length: x\r\n\r\n`],
    ['a negative Content-Length', `${head}Content-Length: -1\r\n\r\n`],
    ['an unknown Transfer-Encoding', `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['chunked that is not last', `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['a chunk size that is no number', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    ['bare line feeds', head.replaceAll('\r\n', '\n').concat('\n')],
    ['a space before the colon', 'GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n'],
    ['a folded header', 'GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n'],
    ['a NUL in a header', 'GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n'],
    ['no Host', 'GET /health HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\n\r\n'],
    ['no HTTP', 'hello\r\n\r\n'],
    ['HTTP/0.9', 'GET /health\r\n\r\n'],
    ['HTTP/3.0', 'GET /health HTTP/3.0\r\nHost: localhost\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    [
      'an absolute URI of another host',
      'GET http://evil.test/health HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ],
    [
      'headers of 100 KB',
      `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
    ],
    [
      'HTTP/1.0 with Transfer-Encoding',
      head.replace('HTTP/1.1', 'HTTP/1.0').concat('Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    ],
  ])('%s is answered 400 and the connection is closed', async (_what, text) => {
    const answer = await raw(text, limited);
    expect(answer.text.split('\r\n')[0]).toBe('HTTP/1.1 400 Bad Request');
    expect(answer.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(answer.closed).toBe(true);
  });

  test('after a refused request what follows on the connection is not read', async () => {
    const smuggled = 'GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const answer = await raw(
      `${head}Content-Length: ${smuggled.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      limited,
    );
    expect(answer.text).not.toContain('"keys"');
    expect(answer.closed).toBe(true);
  });

  test('HTTP/1.0, which health checks and proxies speak, is answered and closed', async () => {
    const answer = await raw('GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n', limited);
    expect(answer.text).toMatch(/^HTTP\/1\.1 200/);
    expect(answer.closed).toBe(true);
  });

  test('an absolute URI of this server is its path (RFC 9112 §3.2.2)', async () => {
    const { host } = new URL(limited.url);
    const answer = await raw(
      `GET http://${host}/health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      limited,
    );
    expect(answer.text).toMatch(/^HTTP\/1\.1 200/);
  });
});

test('an error says what it is in JSON, with a trace id and no-store', async () => {
  const answer = await server.post('/oauth/token', {}, basic('WEB', webSecret));
  await refused(answer, 400, 'invalid_request');
});

/** Writes bytes and reads what comes until the server closes, at most `patience`. */
function raw(bytes: string, { url }: TestServer): Promise<{ text: string; closed: boolean }> {
  const { promise, resolve } = Promise.withResolvers<{ text: string; closed: boolean }>();
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
    socket.write(bytes, 'latin1'),
  );
  let text = '';
  const timer = setTimeout(() => {
    socket.destroy();
    resolve({ text, closed: false });
  }, patience);
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('end', () => {
    clearTimeout(timer);
    socket.end();
    resolve({ text, closed: true });
  });
  return promise;
}
