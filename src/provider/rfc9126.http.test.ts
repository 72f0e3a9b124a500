import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basic, granted, ownClock, refused, stored } from './answers.testing.ts';
import { type DocumentHost, startDocumentHost } from './document-host.testing.ts';
import { createProver } from './dpop.testing.ts';
import { authorize, authorizeUrl, good, redeem } from './flow.testing.ts';
import { type Pushed, push, referring, sendPush } from './par.testing.ts';
import {
  answerOf,
  isConsent,
  isSignIn,
  press,
  selfRegistered,
  signedIn,
} from './people.testing.ts';
import { rs1, startServer, type TestServer, webCallback, webSecret } from './server.testing.ts';

/** RFC 9126: OAuth 2.0 Pushed Authorization Requests. */

const page = 'https://client.test/client.json';
const callback = 'https://client.test/cb';
let host: DocumentHost;
let server: TestServer;
beforeAll(async () => {
  host = await startDocumentHost();
  host.serve(page, {
    client_id: page,
    client_name: 'Documented client',
    redirect_uris: [callback],
    token_endpoint_auth_method: 'none',
  });
  server = await startServer({
    fetch: host.fetch,
    resources: `
  - { slug: rs3, uri: "https://rs3.test/mcp", display_name: Third, scopes: [{ name: "three:use", description: Use it }], dpop: required }`,
  });
  await server.app.rooms.clients.create(
    {
      client_id: 'STRICT',
      redirect_uris: [webCallback],
      token_endpoint_auth_method: 'none',
      require_pushed_authorization_requests: true,
    },
    'cli',
    { actor: { kind: 'cli' }, meta: { at: new Date() } },
  );
});
afterAll(async () => {
  await server?.close();
  await host?.close();
});

/** The page that a request_uri of no use leads to; never a redirect. */
async function expectPage(url: string, status = 400) {
  const answer = await fetch(url, { redirect: 'manual', headers: { accept: 'text/html' } });
  const html = await answer.text();
  expect({ status: answer.status, location: answer.headers.get('location') }).toEqual({
    status,
    location: null,
  });
  expect(html).toMatch(/trace/i);
  return html;
}

describe('§2 the push', () => {
  test('MUST answer 201 with a request_uri of great entropy that lives for a minute', async () => {
    const answer = await sendPush(server, good());
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    const body: Pushed = JSON.parse(await answer.text());
    expect(body).toEqual({
      request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]{21,}$/),
      expires_in: 60,
    });
  });

  test('only the hash of the reference is kept', async () => {
    const id = (await push(server, good())).split(':').at(-1) ?? '';
    const row = await stored(server, id);
    expect(JSON.stringify(row)).not.toContain(id);
    expect(row.kind).toBe('PushedAuthorizationRequest');
  });

  test.each([
    ['no credentials', {}],
    ['a wrong secret', basic('WEB', 'wrong')],
    ['the secret of another client', basic('PUB', webSecret)],
  ])(
    'a confidential client MUST authenticate as at the token endpoint: %s',
    async (_name, headers) => {
      const flow = good({ client_id: 'WEB', redirect_uri: webCallback });
      await refused(await sendPush(server, flow, headers), 401, 'invalid_client');
    },
  );

  test('it does by secret, in the header or in the body', async () => {
    const flow = good({ client_id: 'WEB2', redirect_uri: webCallback });
    expect((await sendPush(server, flow, basic('WEB2', webSecret))).status).toBe(201);
    const inBody = good({ ...flow.params, client_secret: webSecret });
    expect((await sendPush(server, inBody)).status).toBe(201);
  });

  test('a push that is longer than 16 KiB MUST be refused', async () => {
    const flow = good({ state: 'x'.repeat(17_000) });
    await refused(await sendPush(server, flow), 413, 'invalid_request');
  });

  test('a request_uri in a push MUST be refused', async () => {
    const request_uri = await push(server, good());
    await refused(await sendPush(server, good({ request_uri })), 400, 'invalid_request');
  });

  test('request objects are not supported', async () => {
    await refused(await sendPush(server, good({ request: 'x.y.z' })), 400, 'request_not_supported');
  });

  test.each([
    ['invalid_request', { redirect_uri: 'https://evil.test/cb' }],
    ['invalid_request', { redirect_uri: undefined }],
    ['invalid_request', { code_challenge: undefined }],
    ['invalid_request', { code_challenge_method: 'plain' }],
    ['invalid_request', { response_type: undefined }],
    ['invalid_request', { state: ['a', 'b'] }],
    ['unsupported_response_type', { response_type: 'token' }],
    ['invalid_scope', { scope: 'nonsense' }],
    ['invalid_target', { resource: 'https://evil.test/mcp' }],
    ['invalid_target', { resource: [rs1, 'https://rs2.test/mcp'] }],
    ['invalid_target', { resource: undefined }],
  ])('what would fail later MUST fail here, as JSON: %s for %j', async (error, changes) => {
    const answer = await sendPush(server, good(changes));
    await refused(answer, 400, error);
    expect(answer.headers.get('location')).toBeNull();
  });

  test('only POST is answered', async () => {
    const answer = await fetch(`${server.url}/oauth/par`, {
      headers: { accept: 'application/json' },
    });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toContain('POST');
  });

  test('scripts of other origins may call it', async () => {
    const answer = await fetch(`${server.url}/oauth/par`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.test', 'access-control-request-method': 'POST' },
    });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('a metadata document that nobody has seen before is fetched here', async () => {
    const flow = good({ client_id: page, redirect_uri: callback });
    const reference = referring(flow, await push(server, flow));
    expect(host.hits(page)).toBe(1);
    const { answer } = await authorize(server, reference);
    expect(answer.get('code')).toBeTruthy();
    expect(host.hits(page)).toBe(1);
  });
});

describe('§4 the authorization request', () => {
  test('goes the whole way with client_id and request_uri alone', async () => {
    const flow = good();
    const { answer, url } = await authorize(server, referring(flow, await push(server, flow)));
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:7777\/cb\?/);
    expect(answer.get('state')).toBe('S1');
    expect(answer.get('iss')).toBe(server.url);
    const { access_token } = await granted(await redeem(server, flow, answer.get('code') ?? ''));
    expect(decodeJwt(access_token)).toMatchObject({ aud: rs1, scope: 'mcp:read' });
  });

  test('defaults and canonical resources are settled at the push', async () => {
    const flow = good({ scope: undefined, resource: 'HTTPS://RS1.test/mcp/' });
    const { answer } = await authorize(server, referring(flow, await push(server, flow)));
    const { access_token } = await granted(await redeem(server, flow, answer.get('code') ?? ''));
    expect(decodeJwt(access_token)).toMatchObject({ aud: rs1, scope: 'mcp:read' });
  });

  test('what stands beside the request_uri MUST be ignored (RFC 9101 §5)', async () => {
    const flow = good({ state: 'pushed' });
    const { client_id, request_uri } = referring(flow, await push(server, flow)).params;
    const beside = good({ client_id, request_uri, state: 'beside', scope: 'mcp:write' });
    const { answer } = await authorize(server, beside);
    expect(answer.get('state')).toBe('pushed');
    const { access_token } = await granted(await redeem(server, flow, answer.get('code') ?? ''));
    expect(decodeJwt(access_token).scope).toBe('mcp:read');
  });

  test('of another client MUST be a page, even with a redirect URI beside it', async () => {
    const request_uri = await push(server, good());
    const other = { client_id: 'WEB', request_uri };
    await expectPage(authorizeUrl(server, { verifier: '', params: other }));
    const beside = good({ client_id: 'WEB', redirect_uri: webCallback, request_uri });
    await expectPage(authorizeUrl(server, beside));
  });

  test('expired MUST be a page', async () => {
    const clock = ownClock();
    try {
      const flow = good();
      const reference = referring(flow, await push(server, flow));
      clock.advance(61);
      await expectPage(authorizeUrl(server, reference));
    } finally {
      clock.release();
    }
  });

  test('used before MUST be a page', async () => {
    const flow = good();
    const reference = referring(flow, await push(server, flow));
    const { answer, browser } = await authorize(server, reference);
    expect(answer.get('code')).toBeTruthy();
    await expectPage(authorizeUrl(server, reference));
    const again = await browser.open(authorizeUrl(server, reference));
    expect(again.response.status).toBe(400);
    expect(again.html).toContain('start again');
  });

  test.each([
    ['unknown', `urn:ietf:params:oauth:request_uri:${randomBytes(16).toString('base64url')}`],
    ['empty', 'urn:ietf:params:oauth:request_uri:'],
    ['with a NUL', 'urn:ietf:params:oauth:request_uri:\0'],
    ['of 10 kB', `urn:ietf:params:oauth:request_uri:${'x'.repeat(10_000)}`],
    ['with markup', 'urn:ietf:params:oauth:request_uri:<script>'],
    ['doubled', 'urn:ietf:params:oauth:request_uri:a urn:ietf:params:oauth:request_uri:b'],
  ])('%s MUST be a page', async (_name, request_uri) => {
    await expectPage(authorizeUrl(server, referring(good(), request_uri)));
  });

  test('without a client_id it MUST be a page', async () => {
    const request_uri = await push(server, good());
    await expectPage(`${server.url}/oauth/authorize?${new URLSearchParams({ request_uri })}`);
  });

  test('of two tabs with one reference only one MUST get a code; the other gets a page', async () => {
    const flow = good({ prompt: 'consent' });
    const browser = await signedIn(server);
    const url = authorizeUrl(server, referring(flow, await push(server, flow)));
    const [one, other] = [await browser.open(url), await browser.open(url)];
    const first = await press(browser, one, [['decision', 'approve']]);
    expect(answerOf(first).get('code')).toBeTruthy();
    const second = await press(browser, other, [['decision', 'approve']]);
    expect(second.response.headers.get('location')).toBeNull();
    expect(second.response.status).toBe(400);
  });

  test('of 20 at once with a remembered consent exactly one MUST get a code', async () => {
    const browser = await signedIn(server);
    await authorize(server, good(), { browser });
    const flow = good();
    const url = authorizeUrl(server, referring(flow, await push(server, flow)));
    const answers = await Promise.all(Array.from({ length: 20 }, () => browser.open(url)));
    const codes = answers.filter((answer) => answerOf(answer).has('code'));
    expect(codes).toHaveLength(1);
    for (const { response, url: at } of answers.filter((answer) => !codes.includes(answer)))
      expect({ status: response.status, at }).toEqual({ status: 400, at: url });
  });
});

describe('our own rules hold with a pushed request', () => {
  const metadata = {
    redirect_uris: ['https://stranger.test/cb'],
    token_endpoint_auth_method: 'none',
  };
  const stranger = async () =>
    good({
      client_id: await selfRegistered(server, metadata),
      redirect_uri: 'https://stranger.test/cb',
    });
  const from = (site: string) => ({ headers: { 'sec-fetch-site': site } });

  test('a browser from another site MUST be asked again, whatever was pushed (T16)', async () => {
    const browser = await signedIn(server);
    const flow = await stranger();
    await authorize(server, flow, { browser });
    for (const value of [undefined, '0', '']) {
      const next = good({ ...flow.params, authserver_cross_site: value, prompt: undefined });
      const url = authorizeUrl(server, referring(next, await push(server, next)));
      expect(isConsent(await browser.open(url, from('cross-site')))).toBe(true);
    }
  });

  test('and MUST be asked after a sign-in on the way, too', async () => {
    const flow = await stranger();
    await authorize(server, flow);
    const browser = server.browser();
    const url = authorizeUrl(server, referring(flow, await push(server, flow)));
    const asked = await browser.open(url, from('cross-site'));
    expect(isSignIn(asked)).toBe(true);
    const typed: [string, string][] = [
      ['username', 'alice@example.test'],
      ['password', 'correct horse alice'],
    ];
    expect(isConsent(await press(browser, asked, typed))).toBe(true);
  });

  test('a pushed request MUST NOT say for the browser that it came from another site', async () => {
    const browser = await signedIn(server);
    const flow = await stranger();
    await authorize(server, flow, { browser });
    const next = good({ ...flow.params, authserver_cross_site: '1' });
    const url = authorizeUrl(server, referring(next, await push(server, next)));
    expect(answerOf(await browser.open(url)).get('code')).toBeTruthy();
  });

  test('an error before sign-in MUST be a page for a client that registered itself (RFC 9700 §4.11.2)', async () => {
    const flow = good({ ...(await stranger()).params, prompt: 'none' });
    const html = await expectPage(authorizeUrl(server, referring(flow, await push(server, flow))));
    expect(html).toContain('stranger.test');
  });

  test('it is redirected with state and iss for a client of an operator', async () => {
    const flow = good({ prompt: 'none', client_id: 'WEB', redirect_uri: webCallback });
    const request_uri = await push(server, flow, basic('WEB', webSecret));
    const { answer, url } = await authorize(server, referring(flow, request_uri));
    expect(url.startsWith(`${webCallback}?`)).toBe(true);
    expect(Object.fromEntries(answer)).toMatchObject({
      error: 'login_required',
      state: 'S1',
      iss: server.url,
    });
  });
});

describe('DPoP at the push (RFC 9449 §10.1)', () => {
  test('a proof binds the code to its key', async () => {
    const prover = await createProver();
    const flow = good();
    const proof = () => prover.headers(`${server.url}/oauth/par`);
    const request_uri = await push(server, flow, await proof());
    const { answer } = await authorize(server, referring(flow, request_uri));
    const code = answer.get('code') ?? '';
    await refused(await redeem(server, flow, code), 400, 'invalid_grant');
    const bound = await prover.headers(`${server.url}/oauth/token`);
    expect((await granted(await redeem(server, flow, code, {}, bound))).token_type).toBe('DPoP');
  });

  test('a proof MUST be good for one push', async () => {
    const prover = await createProver();
    const proof = await prover.headers(`${server.url}/oauth/par`);
    expect((await sendPush(server, good(), proof)).status).toBe(201);
    expect((await sendPush(server, good(), proof)).status).toBe(400);
  });

  test('a proof for another endpoint or of long ago MUST be refused', async () => {
    const prover = await createProver();
    const elsewhere = await prover.headers(`${server.url}/oauth/token`);
    await refused(await sendPush(server, good(), elsewhere), 400, 'invalid_dpop_proof');
    const old = await prover.headers(`${server.url}/oauth/par`, {
      claims: { iat: Math.floor(Date.now() / 1000) - 120 },
    });
    await refused(await sendPush(server, good(), old), 400, 'use_dpop_nonce');
  });
});

describe('§5 and §6 metadata', () => {
  test('names the endpoint and does not require it of all', async () => {
    const answer = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
    expect(await answer.json()).toMatchObject({
      pushed_authorization_request_endpoint: `${server.url}/oauth/par`,
      require_pushed_authorization_requests: false,
    });
  });

  const strict = () => good({ client_id: 'STRICT', redirect_uri: webCallback });

  test('a client that requires it of itself MUST be refused without', async () => {
    const { answer, url } = await authorize(server, strict());
    expect(url.startsWith(`${webCallback}?`)).toBe(true);
    expect(Object.fromEntries(answer)).toMatchObject({ error: 'invalid_request', state: 'S1' });
    expect(answer.get('error_description')).toBe('Pushed Authorization Request must be used');
  });

  test('it MUST be served with', async () => {
    const flow = strict();
    const { answer } = await authorize(server, referring(flow, await push(server, flow)));
    await granted(await redeem(server, flow, answer.get('code') ?? ''));
  });

  test('a client that registers itself may require it, and is told so', async () => {
    const body = {
      redirect_uris: ['https://own.test/cb'],
      require_pushed_authorization_requests: true,
    };
    const response = await fetch(`${server.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const registered: Record<string, unknown> = JSON.parse(await response.text());
    expect(registered.require_pushed_authorization_requests).toBe(true);
    const flow = good({
      client_id: String(registered.client_id),
      redirect_uri: 'https://own.test/cb',
    });
    await expectPage(authorizeUrl(server, flow));
    const { answer } = await authorize(server, referring(flow, await push(server, flow)));
    expect(answer.get('code')).toBeTruthy();
  });
});

test('a pushed reference is no code (CO08)', async () => {
  const flow = good();
  const request_uri = await push(server, flow);
  for (const value of [request_uri, request_uri.split(':').at(-1) ?? ''])
    await refused(await redeem(server, flow, value), 400, 'invalid_grant');
});
