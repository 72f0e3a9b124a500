import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { basic, granted, refused } from './answers.testing.ts';
import { readForm } from './browser.testing.ts';
import { authorizeUrl, code, good, redeem } from './flow.testing.ts';
import {
  type Answer,
  harmless,
  httpsApp,
  raw,
  rows,
  type Sent,
  send,
  serve,
  urlencoded,
} from './hygiene.testing.ts';
import { encode, startServer, type TestServer, webSecret } from './server.testing.ts';

/** What every answer of the public listener must be (RFC 9700 §4.16, RFC 9112, Fetch). */

/** Endpoints below the issuer. */
const endpoints = [
  '/oauth/authorize',
  '/oauth/authorize/unknown',
  '/oauth/token',
  '/oauth/introspect',
  '/oauth/revoke',
  '/oauth/register',
  '/oauth/register/unknown',
  '/login/unknown',
  '/consent/unknown',
  '/account',
  '/account/sign-in',
  '/account/revoke',
  '/account/tokens',
  '/account/tokens/new',
  '/account/tokens/revoke',
  '/logout',
  '/.well-known/oauth-authorization-server',
  '/.well-known/jwks.json',
  '/health',
];

let server: TestServer;
let before: Record<string, number>;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  before = await rows(server);
});
afterEach(async () => {
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
});

describe('pages (HD01)', () => {
  async function page(url: string, options: Sent = {}) {
    const headers = { accept: 'text/html', ...options.headers };
    return send(server, 'GET', url.replace(server.url, ''), { ...options, headers });
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
    expect(headers.server).toBeUndefined();
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
    '/oauth/token',
  ])('%s', async (path) => {
    expectPage(await page(path));
  });

  test('text of strangers on an error page is inert (XS03)', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an attack on template engines
    const attack = '"><img src=x onerror=alert(1)><svg onload=alert(1)>{{7919*7907}}${7919*7907}';
    for (const name of ['client_id', 'redirect_uri', 'scope', 'state', 'error_description', 'x']) {
      const query = encode({ error: 'x', [name]: attack });
      const { text } = await page(`/oauth/authorize?${query}`);
      expect(text).not.toMatch(/<img|<svg|62615533/);
    }
    const { text } = await page(`/${encodeURIComponent(attack)}`);
    expect(text).not.toMatch(/<img|<svg/);
  });

  test('an https issuer has HSTS on every answer (HD07)', async () => {
    await using https = await httpsApp();
    for (const path of ['/health', '/.well-known/jwks.json', '/nowhere', '/account/sign-in']) {
      for (const accept of ['text/html', 'application/json']) {
        const { headers } = await send(https, 'GET', path, { headers: { accept } });
        const hsts = String(headers['strict-transport-security']);
        expect(Number(/max-age=(\d+)/.exec(hsts)?.[1])).toBeGreaterThanOrEqual(31_536_000);
      }
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

  test.each(endpoints)('%s serves only its own methods', async (path) => {
    for (const method of methods) {
      if (path.startsWith('/oauth/register/') && ['PUT', 'DELETE'].includes(method)) continue;
      const { status, text } = await harmless(server, method, path);
      expect({ method, status: [404, 405].includes(status) ? 405 : status }).toEqual({
        method,
        status: 405,
      });
      expect(text).not.toContain('TRACE'); // an echo would show cookies to scripts
    }
    expect(await rows(server)).toEqual(before);
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
        const { status } = await harmless(server, method, `${path}?${query}`);
        expect([404, 405]).toContain(status);
      }
    },
  );

  test('CONNECT and OPTIONS * open nothing', async () => {
    const { text } = await raw(`CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n`, server);
    expect(text).not.toMatch(/^HTTP\/1\.1 (2|5)/);
    expect((await harmless(server, 'OPTIONS', '*')).status).toBeGreaterThanOrEqual(400);
  });

  test('a method override is not followed', async () => {
    const headers = {
      ...urlencoded,
      'x-http-method-override': 'DELETE',
      'x-method-override': 'PUT',
    };
    const { status } = await harmless(server, 'POST', '/oauth/register/unknown?_method=DELETE', {
      headers,
      body: '_method=DELETE',
    });
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
      const { status, text } = await harmless(server, method, path, {
        headers: { ...accept, authorization: 'Bearer x' },
      });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(JSON.parse(text)).toMatchObject({ error: expect.any(String) });
    }
    expect(await rows(server)).toEqual(before);
  });

  test('a long path is refused', async () => {
    for (const path of ['/login/', '/oauth/register/', '/oauth/authorize/', '/'])
      expect(
        (await harmless(server, 'GET', path + 'x'.repeat(8000))).status,
      ).toBeGreaterThanOrEqual(400);
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
    const { status, headers } = await harmless(server, 'OPTIONS', path, {
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
        const { headers } = await harmless(server, method, path, {
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
        const { headers } = await harmless(server, method, path, {
          headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' },
        });
        expect(headers['access-control-allow-origin']).toBeUndefined();
        expect(headers['access-control-allow-credentials']).toBeUndefined();
        expect(headers['access-control-allow-methods']).toBeUndefined();
      }
    },
  );
});

describe('HTTP itself (HD06)', () => {
  let limited: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    limited = await serve(server.app.public.callback());
  });
  afterAll(() => limited[Symbol.asyncDispose]());

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
    expect(new Set(answer.text.match(/HTTP\/1\.1 \d+/g))).toEqual(new Set(['HTTP/1.1 400']));
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
