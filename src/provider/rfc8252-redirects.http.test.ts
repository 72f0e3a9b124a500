import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DocumentHost, startDocumentHost } from './document-host.testing.ts';
import { authorizeUrl, code, good, redeem } from './flow.testing.ts';
import { refusal, register } from './registration.testing.ts';
import { encode, loopbackCallback, startServer, type TestServer } from './server.testing.ts';
import { answered, open, openSignedIn } from './signed-in.testing.ts';

const webCallback = 'https://app.test/cb';
const web = (redirect_uri: string) => ({ client_id: 'WEB', redirect_uri });

let host: DocumentHost;
let server: TestServer;
beforeAll(async () => {
  host = await startDocumentHost();
  server = await startServer({
    fetch: host.fetch,
    extra: 'dcr: { rate_limit: 10000, rate_limit_burst: 10000 }',
  });
});
afterAll(async () => {
  await server?.close();
  await host?.close();
});

type Changes = Record<string, string | string[] | undefined>;

/** Both ways to ask, since they are parsed apart. */
async function bothWays(changes: Changes) {
  const flow = good(changes);
  const posted = await server.browser().send('/oauth/authorize', {
    method: 'POST',
    body: encode(flow.params),
  });
  return [await open(server, flow), await answered(posted)];
}

/** The attack rows' PAGE: no way off this origin, and no code. */
async function expectPage(changes: Changes): Promise<void> {
  for (const page of await bothWays(changes)) {
    expect([400, 403]).toContain(page.status);
    expect(page.location).toBeNull();
    expect(page.headers.get('refresh')).toBeNull();
    expect(page.html).toMatch(/<code>[0-9A-HJKMNP-TV-Z]{10}<\/code>/);
    expect(page.html).not.toMatch(/href="(?!\/|https?:\/\/localhost:)/);
    expect(page.html).not.toMatch(/http-equiv|<script/i);
  }
}

/** The attack rows' BACK(error): to the registered redirect URI, with state and iss, without a code. */
function expectBack(location: string | null, redirectUri: string, error: string): void {
  const url = new URL(location ?? 'about:blank');
  expect(`${url.protocol}//${url.host}${url.pathname}`).toBe(redirectUri);
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    error,
    state: 'S1',
    iss: server.url,
  });
  expect(url.searchParams.has('code')).toBe(false);
}

describe('a redirect URI that is not registered MUST be a page, never a redirect', () => {
  const nul = String.fromCharCode(0);
  const rightToLeft = String.fromCodePoint(0x202e);
  const cyrillicA = String.fromCodePoint(0x0430);
  const rows: [string, Changes][] = [
    ['RU01 another host', { redirect_uri: 'https://evil.test/cb' }],
    ['RU02 none, of two', { client_id: 'WEB2', redirect_uri: undefined }],
    ['RU02 none, of one', { client_id: 'WEB', redirect_uri: undefined }],
    ['RU02 empty', { redirect_uri: '' }],
    ['RU03 trailing slash', { redirect_uri: `${loopbackCallback}/` }],
    ['RU03 another path', { redirect_uri: 'http://127.0.0.1:7777/CB' }],
    ['RU03 a path below', { redirect_uri: 'http://127.0.0.1:7777/x/../cb' }],
    ['RU04 a query', { redirect_uri: `${loopbackCallback}?x=1` }],
    ['RU06 loopback as userinfo', { redirect_uri: 'http://127.0.0.1:7777@evil.test/cb' }],
    ['RU06 host as userinfo', web('https://app.test@evil.test/cb')],
    ['RU06 two at signs', web('https://a@b@evil.test/cb')],
    ['RU07 as a label', web('https://app.test.evil.test/cb')],
    ['RU07 as a prefix', web('https://app.testevil.test/cb')],
    ['RU07 localhost as a label', { redirect_uri: 'https://localhost.evil.test/cb' }],
    ['RU08 upper case', web('HTTPS://APP.TEST/cb')],
    ['RU08 default port', web('https://app.test:443/cb')],
    ['RU08 a dot at the end', web('https://app.test./cb')],
    ['RU08 loopback in upper case', { redirect_uri: 'HTTP://127.0.0.1:7777/cb' }],
    ['RU09 a fragment', web(`${webCallback}#frag`)],
    ['RU09 a code in the fragment', web(`${webCallback}#code=x`)],
    ['RU09 an empty fragment', web(`${webCallback}#`)],
    ['RU10 a backslash', web('https://app.test\\@evil.test/cb')],
    ['RU10 a backslash, encoded', web('https://app.test%5c@evil.test')],
    ['RU11 without a scheme', web('//evil.test/cb')],
    ['RU11 a path', web('/cb')],
    ['RU11 a word', web('cb')],
    ['RU13 javascript', web('javascript:alert(1)')],
    ['RU13 javascript, mixed case', web('JaVaScRiPt:alert(1)')],
    ['RU13 javascript after a tab', web('\tjavascript:alert(1)')],
    ['RU13 javascript, encoded', web('java%0ascript:alert(1)')],
    ['RU14 data', web('data:text/html,x')],
    ['RU14 vbscript', web('vbscript:x')],
    ['RU14 file', web('file:///etc/passwd')],
    ['RU14 blob', web('blob:x')],
    ['RU14 about', web('about:blank')],
    ['RU15 CRLF', web(`${webCallback}\r\nSet-Cookie:x=1`)],
    ['RU15 CRLF, encoded twice', web(`${webCallback}%0d%0aSet-Cookie:x=1`)],
    ['RU16 NUL', web(`${webCallback}${nul}`)],
    ['RU16 right-to-left', web(`${rightToLeft}${webCallback}`)],
    ['RU16 a homoglyph', web(`https://${cyrillicA}pp.test/cb`)],
    ['RU17 10,000 characters', web(`${webCallback}${'a'.repeat(10_000)}`)],
    ['RU19 and a bad response_type', { ...web('https://evil.test/cb'), response_type: 'token' }],
    ['RU19 and a bad scope', { ...web('https://evil.test/cb'), scope: 'nothing:known' }],
    ['RU19 and a bad resource', { ...web('https://evil.test/cb'), resource: 'https://x.test/' }],
    ['RU19 and no PKCE', { ...web('https://evil.test/cb'), code_challenge: undefined }],
    ['RU19 and prompt=none', { ...web('https://evil.test/cb'), prompt: 'none' }],
    ['RU19 and prompt=nonsense', { ...web('https://evil.test/cb'), prompt: 'none login' }],
    ['RU19 and a bad response_mode', { ...web('https://evil.test/cb'), response_mode: 'x' }],
    ['RU19 and a request object', { ...web('https://evil.test/cb'), request: 'x.y.z' }],
    ['twice, once good', { client_id: 'WEB', redirect_uri: [webCallback, 'https://evil.test/cb'] }],
    ['twice the same', { client_id: 'WEB', redirect_uri: [webCallback, webCallback] }],
    ['of an unknown client', { client_id: 'NOBODY', redirect_uri: webCallback }],
    ['of no client', { client_id: undefined, redirect_uri: webCallback }],
    ['of another client', { client_id: 'PUB', redirect_uri: webCallback }],
  ];

  test.each(rows)('%s', async (_what, changes) => {
    const started = performance.now();
    await expectPage(changes);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test('RU15 no header is injected', async () => {
    for (const page of await bothWays(web(`${webCallback}\r\nSet-Cookie: x=1`))) {
      expect(page.headers.getSetCookie().join()).not.toContain('x=1');
    }
  });

  test('a redirect_uri in brackets is an unknown parameter', async () => {
    const flow = good({ redirect_uri: undefined, 'redirect_uri[0]': loopbackCallback });
    expect(await open(server, flow)).toMatchObject({ status: 400, location: null });
  });
});

test('RU18 another redirect_uri at the token endpoint is refused, and the code is not burned', async () => {
  const flow = good();
  const value = await code(server, flow);
  for (const redirect_uri of ['https://evil.test/cb', 'http://127.0.0.1:7778/cb', '']) {
    const response = await redeem(server, flow, value, { redirect_uri });
    const { error, ...answer } = await refusal(response);
    expect(answer).toMatchObject({ status: 400, stored: false, leaks: false });
    expect(error).toMatch(/^invalid_(grant|request)$/);
  }
  expect((await redeem(server, flow, value)).status).toBe(200);
});

describe('RU20 prompt=none without a session goes back with login_required', () => {
  test.each([
    ['PUB', loopbackCallback],
    ['WEB', webCallback],
  ])('%s', async (client_id, redirect_uri) => {
    const { location } = await open(server, good({ client_id, redirect_uri, prompt: 'none' }));
    expectBack(location, redirect_uri, 'login_required');
  });
});

describe('pages of ours lead nowhere else', () => {
  test('RU21 after signing out', async () => {
    const query = `post_logout_redirect_uri=${encodeURIComponent('https://evil.test/')}&state=x`;
    for (const path of ['/logout', '/oauth/logout', '/session/end', '/oauth/end_session']) {
      const page = await answered(await server.browser().send(`${path}?${query}`));
      expect(page.location ?? '').not.toContain('evil');
      expect(page.html).not.toContain('evil.test');
    }
  });

  test.each(['return_to', 'next', 'continue', 'returnUrl', 'redirect', 'redirect_uri', 'url'])(
    'RU22 %s on the sign-in page',
    async (name) => {
      for (const target of ['https://evil.test', '//evil.test', '/\\evil.test']) {
        const browser = server.browser();
        const first = await browser.open(authorizeUrl(server, good()));
        expect(first.url).toContain('/login/');
        const login = new URL(first.url);
        login.searchParams.set(name, target);
        const page = await answered(await browser.send(login.href));
        expect(page.html).not.toContain('evil.test');
        const wrong = await browser.submit(login.href, [[name, target]]);
        expect(new URL(wrong.url).origin).toBe(new URL(server.url).origin);
      }
    },
  );
});

describe('loopback redirect URIs (RFC 8252 §7.3)', () => {
  const registered = ['http://127.0.0.1/cb', 'http://[::1]:5000/cb', 'http://localhost:1/cb'];
  let clientId: string;
  beforeAll(async () => {
    clientId = (await register(server, { redirect_uris: registered })).client_id;
  });
  const asked = (redirect_uri: string) =>
    open(server, good({ client_id: clientId, redirect_uri, prompt: 'none' }));

  test.each([
    'http://127.0.0.1/cb',
    'http://127.0.0.1:1/cb',
    'http://127.0.0.1:65535/cb',
    'http://[::1]/cb',
    'http://[::1]:49152/cb',
    'http://localhost/cb',
    'http://localhost:49152/cb',
  ])('MUST match with any port: %s', async (uri) => {
    expectBack((await asked(uri)).location, uri, 'login_required');
  });

  test.each([
    'https://127.0.0.1:1/cb',
    'http://127.0.0.1:0/cb',
    'http://127.0.0.1:65536/cb',
    'http://127.0.0.1:/cb',
    'http://127.0.0.1:07/cb',
    'http://127.0.0.1:7777x/cb',
    'http://127.0.0.2:7777/cb',
    'http://127.1:7777/cb',
    'http://0.0.0.0:7777/cb',
    'http://[::2]:5000/cb',
    'http://[0:0:0:0:0:0:0:1]:5000/cb',
    'http://[::ffff:127.0.0.1]:5000/cb',
    'http://localhost.evil.test:1/cb',
    'http://LOCALHOST:1/cb',
    'http://localhost:1/cb/',
    'http://localhost:1/other',
    'http://localhost:1@evil.test/cb',
  ])('and nothing else: %s', async (uri) => {
    const page = await asked(uri);
    expect(page).toMatchObject({ status: 400, location: null });
    expect(page.html).toContain('<code>invalid_redirect_uri</code>');
  });

  test('each host is registered for itself', async () => {
    const { client_id } = await register(server, { redirect_uris: ['http://127.0.0.1/cb'] });
    for (const redirect_uri of ['http://localhost:9/cb', 'http://[::1]:9/cb']) {
      const page = await open(server, good({ client_id, redirect_uri, prompt: 'none' }));
      expect(page).toMatchObject({ status: 400, location: null });
    }
  });

  test('the whole way on a port that was never registered', async () => {
    const flow = good({ client_id: clientId, redirect_uri: 'http://127.0.0.1:50123/cb' });
    expect((await redeem(server, flow, await code(server, flow))).status).toBe(200);
  });
});

describe('open registration is no open redirector (RFC 9700 §4.11.2)', () => {
  const callback = 'https://bait.example/cb?campaign=1';
  const errors: [string, Changes][] = [
    ['login_required', { prompt: 'none' }],
    ['invalid_scope', { scope: 'nothing:known' }],
    ['invalid_target', { resource: 'https://unknown.test/mcp' }],
    ['invalid_request', { code_challenge: undefined }],
    ['unsupported_response_type', { response_type: 'nonsense' }],
    ['invalid_request', { prompt: 'none login' }],
  ];

  /** The way back that a page offers: a link that a person must follow. */
  function linkOn(html: string): URL {
    const href = /<a class="button" href="([^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
    return new URL(href ?? 'about:blank');
  }

  function expectOffer(page: Awaited<ReturnType<typeof open>>, name: string, error: string) {
    expect(page.status).toBeGreaterThanOrEqual(400);
    expect(page.status).toBeLessThan(500);
    expect(page.location).toBeNull();
    expect(page.headers.get('refresh')).toBeNull();
    expect(page.html).not.toMatch(/http-equiv|<script/i);
    expect(page.html).toContain(`Go back to <bdi>${name}</bdi>`);
    const link = linkOn(page.html);
    expect(Object.fromEntries(link.searchParams)).toMatchObject({
      error,
      state: 'S1',
      iss: server.url,
    });
    expect(link.searchParams.has('code')).toBe(false);
    return link;
  }

  test.each(errors)(
    '%s before sign-in for a client that registered itself: %j',
    async (error, changes) => {
      const { client_id } = await register(server, {
        client_name: 'Bait <b>',
        redirect_uris: [callback],
      });
      for (const page of await bothWays({ client_id, redirect_uri: callback, ...changes })) {
        const link = expectOffer(page, 'bait.example', error);
        expect(link.href).toContain('https://bait.example/cb?campaign=1');
        expect(page.html).toContain('Bait &lt;b&gt;');
      }
    },
  );

  test.each(errors)(
    '%s before sign-in for a client with a document: %j',
    async (error, changes) => {
      const client_id = 'https://client.test/bait.json';
      host.serve(client_id, { client_id, redirect_uris: [callback] });
      const page = await open(server, good({ client_id, redirect_uri: callback, ...changes }));
      expectOffer(page, 'bait.example', error);
    },
  );

  test('a program that asks for JSON is not redirected either', async () => {
    const { client_id } = await register(server, { redirect_uris: [callback] });
    const flow = good({ client_id, redirect_uri: callback, prompt: 'none' });
    const page = await open(server, flow, { headers: { accept: 'application/json' } });
    expect(page.location).toBeNull();
    expect(JSON.parse(page.html)).toMatchObject({ error: 'login_required' });
  });

  test.each<Changes>([
    { response_mode: 'fragment', prompt: 'none' },
    { response_type: 'token' },
    { response_mode: 'form_post', prompt: 'none' },
    { response_mode: 'web_message', prompt: 'none' },
  ])('nor in another response mode: %j', async (changes) => {
    const { client_id } = await register(server, { redirect_uris: [callback] });
    const page = await open(server, good({ client_id, redirect_uri: callback, ...changes }));
    expect(page).toMatchObject({ status: 400, location: null });
    expect(page.html).toContain('bait.example');
    expect(page.html).not.toMatch(/<form|<script|http-equiv/i);
  });

  test('a private-use scheme starts a program, so it waits for the person too', async () => {
    const redirect_uri = 'com.bait.app:/cb';
    const { client_id } = await register(server, { redirect_uris: [redirect_uri] });
    const page = await open(server, good({ client_id, redirect_uri, prompt: 'none' }));
    const link = expectOffer(page, 'com.bait.app:', 'login_required');
    expect(link.protocol).toBe('com.bait.app:');
  });

  test.each(errors)('loopback is excepted: %s', async (error, changes) => {
    const redirect_uri = 'http://127.0.0.1:4711/cb';
    const { client_id } = await register(server, { redirect_uris: [redirect_uri] });
    const page = await open(server, good({ client_id, redirect_uri, ...changes }));
    expect(page.status).toBe(303);
    expectBack(page.location?.replace('#', '?') ?? null, redirect_uri, error);
  });

  test.each(errors)('a client that an operator made is redirected: %s', async (error, changes) => {
    const page = await open(server, good({ ...web(webCallback), ...changes }));
    expect(page.status).toBe(303);
    expectBack(page.location?.replace('#', '?') ?? null, webCallback, error);
  });

  test('after sign-in the client is told by redirect', async () => {
    const { client_id } = await register(server, { redirect_uris: ['https://bait.example/cb'] });
    const params = { client_id, redirect_uri: 'https://bait.example/cb' };
    const { browser } = await openSignedIn(server, good(params));
    const response = await browser.send(authorizeUrl(server, good({ ...params, prompt: 'none' })));
    expectBack(response.headers.get('location'), params.redirect_uri, 'consent_required');
  });
});
