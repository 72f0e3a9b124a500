import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basic, refused } from './answers.testing.ts';
import { tokens } from './flow.testing.ts';
import { startServer, type TestServer, webSecret } from './server.testing.ts';

/** RFC 9701: JWT Response for OAuth Token Introspection. */

const jwtAnswer = 'application/token-introspection+jwt';
let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await startServer();
  token = (await tokens(server)).access_token;
});
afterAll(() => server.close());

function ask(presented: string, accept: string, client = 'RS1') {
  const headers = { ...basic(client, webSecret), accept };
  return server.post('/oauth/introspect', { token: presented }, headers);
}

async function verified(answer: Response) {
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^application\/token-introspection\+jwt/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
  const jwt = await answer.text();
  expect(decodeProtectedHeader(jwt).typ).toBe('token-introspection+jwt');
  const { payload } = await jwtVerify(jwt, keys, { issuer: server.url, audience: 'RS1' });
  return payload;
}

describe('§4, §5 who asks by Accept gets a signed answer', () => {
  test('iss, aud and iat MUST be present, the answer is inside token_introspection alone', async () => {
    const plain: unknown = await (await ask(token, 'application/json')).json();
    const payload = await verified(await ask(token, jwtAnswer));
    expect(Object.keys(payload).sort()).toEqual(['aud', 'iat', 'iss', 'token_introspection']);
    expect(payload.token_introspection).toEqual(plain);
    expect(plain).toMatchObject({ active: true, client_id: 'PUB' });
  });

  test('an inactive token MUST be told by active false and nothing else', async () => {
    const payload = await verified(await ask('garbage', jwtAnswer));
    expect(payload.token_introspection).toEqual({ active: false });
  });

  test.each(['*/*', 'application/json', `application/json, ${jwtAnswer};q=0.5`, 'text/html'])(
    'Accept: %s gets plain JSON',
    async (accept) => {
      const answer = await ask(token, accept);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    },
  );

  test('a caller who is in no audience gets a signed inactive answer', async () => {
    const answer = await ask(token, jwtAnswer, 'WEB2');
    const [, body] = (await answer.text()).split('.');
    const payload = JSON.parse(Buffer.from(String(body), 'base64url').toString());
    expect(payload).toMatchObject({ aud: 'WEB2', token_introspection: { active: false } });
  });

  test('a refusal stays JSON (§8.1: without authentication there is no answer to sign)', async () => {
    const headers = { ...basic('RS1', 'wrong'), accept: jwtAnswer };
    const answer = await server.post('/oauth/introspect', { token }, headers);
    await refused(answer, 401, 'invalid_client');
  });
});

test('§8.1 the answer is never an access token: typ and the missing sub tell them apart', async () => {
  const jwt = await (await ask(token, jwtAnswer)).text();
  const answer = await ask(jwt, 'application/json');
  expect(await answer.text()).toBe('{"active":false}');
});

test('§7 the metadata names the algorithm of the answers', async () => {
  const answer = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
  const { introspection_signing_alg_values_supported: algs } = JSON.parse(await answer.text());
  expect(algs).toEqual(['ES256']);
});
