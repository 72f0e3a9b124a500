import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorize, good } from './flow.testing.ts';
import { startServer, type TestServer } from './server.testing.ts';

/** RFC 9207: OAuth 2.0 Authorization Server Issuer Identification. */

let root: TestServer;
let tenant: TestServer;
beforeAll(async () => {
  root = await startServer();
  tenant = await startServer({ path: '/tenant' });
});
afterAll(() => Promise.all([root.close(), tenant.close()]));

/** The parameters at the client, in the query or in the fragment. */
function answerIn(url: string): URLSearchParams {
  const { search, hash, origin } = new URL(url);
  expect(origin).toBe('http://127.0.0.1:7777');
  return new URLSearchParams(hash ? hash.slice(1) : search);
}

async function bothIssuers(
  flow: () => ReturnType<typeof good>,
  options: Parameters<typeof authorize>[2],
  expected: Record<string, unknown>,
) {
  for (const server of [root, tenant]) {
    const { url } = await authorize(server, flow(), options);
    const answer = answerIn(url);
    expect(answer.getAll('iss')).toEqual([server.url]);
    expect(answer.getAll('state')).toEqual(['S1']);
    expect(Object.fromEntries(answer)).toMatchObject(expected);
    if (!('code' in expected)) expect(answer.has('code')).toBe(false);
  }
}

test('a successful answer MUST carry iss, byte for byte the issuer (§2)', async () => {
  await bothIssuers(() => good(), {}, { code: expect.any(String) });
});

test('it does in the fragment too', async () => {
  await bothIssuers(() => good({ response_mode: 'fragment' }), {}, { code: expect.any(String) });
});

describe('an error answer MUST carry iss (§2.2)', () => {
  test.each([
    ['access_denied', { scope: 'mcp:write' }, { decision: 'deny' }],
    ['login_required', { prompt: 'none' }, {}],
    ['invalid_scope', { scope: 'nonsense' }, {}],
    ['invalid_target', { resource: 'https://evil.test/mcp' }, {}],
    ['invalid_target', { resource: 'nonsense' }, {}],
    ['unsupported_response_type', { response_type: 'token', response_mode: 'query' }, {}],
    ['unsupported_response_type', { response_type: 'code token' }, {}],
    ['invalid_request', { code_challenge: undefined }, {}],
    ['invalid_request', { code_challenge_method: 'plain' }, {}],
    ['invalid_request', { code_challenge: 'short' }, {}],
    ['invalid_request', { response_type: undefined }, {}],
    ['invalid_request', { prompt: 'none login' }, {}],
    ['invalid_request', { scope: ['mcp:read', 'mcp:write'] }, {}],
    ['request_not_supported', { request: 'x.y.z' }, {}],
    ['request_uri_not_supported', { request_uri: 'https://evil.test/r' }, {}],
  ])('%s for %j', async (error, changes, options) => {
    await bothIssuers(() => good(changes), options, { error });
  });

  test('consent_required for a person who is signed in (CN11)', async () => {
    const { browser } = await authorize(root, good());
    const { url } = await authorize(root, good({ prompt: 'none', scope: 'mcp:write' }), {
      browser,
    });
    const answer = answerIn(url);
    expect(answer.get('error')).toBe('consent_required');
    expect(answer.get('iss')).toBe(root.url);
    expect(answer.get('state')).toBe('S1');
  });
});

test('a client cannot put an iss of its own into the answer', async () => {
  const { url } = await authorize(root, good({ iss: 'https://evil.test' }));
  expect(answerIn(url).getAll('iss')).toEqual([root.url]);
});

test('the metadata says so (§3)', async () => {
  const answer = await fetch(`${root.url}/.well-known/oauth-authorization-server`);
  expect(await answer.json()).toMatchObject({
    issuer: root.url,
    authorization_response_iss_parameter_supported: true,
  });
});
