import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newOpaqueToken } from '../tokens/index.ts';
import { basic, granted, refused } from './answers.testing.ts';
import { code, good, tokens } from './flow.testing.ts';
import { rs1, startServer, type TestServer, webSecret } from './server.testing.ts';

/**
 * What is no token of ours, or not the one that belongs here, presented wherever a token, a code or an
 * assertion can be presented: each time the answer of the RFC, never a 5xx (families IN, TK, OV).
 */

const { privateKey } = await generateKeyPair('ES256');
const megabyte = 'x'.repeat(1024 * 1024);
let server: TestServer;
let presented: Record<string, string>;

beforeAll(async () => {
  server = await startServer({
    extra: `device: { enabled: true }`,
  });
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  await server.app.rooms.clients.create(
    {
      client_id: 'ALL',
      client_secret: webSecret,
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: ['https://app.test/cb'],
      grant_types: [
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
        'urn:ietf:params:oauth:grant-type:device_code',
      ],
    },
    'cli',
    by,
  );
  presented = await everyBadToken();
});
afterAll(() => server.close());

async function everyBadToken(): Promise<Record<string, string>> {
  const mine = await tokens(server);
  const unused = await code(server, good());
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: server.url, sub: 'usr_x', aud: rs1, client_id: 'PUB', jti: 'j', iat: now };
  const sign = (payload: object, header = {}) =>
    new SignJWT({ ...claims, ...payload })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k', ...header })
      .sign(privateKey);
  return {
    garbage: 'garbage',
    'three dots': '...',
    'a truncated token': mine.access_token.slice(0, -20),
    'a token with a letter more': `${mine.access_token}A`,
    'a token of another issuer': await sign({ iss: 'https://other.test', exp: now + 60 }),
    'a token signed by a stranger': await sign({ exp: now + 60 }),
    'an expired one of a stranger': await sign({ exp: now - 60 }),
    'an unsigned one': new UnsecuredJWT({ ...claims, exp: now + 60 }).encode(),
    'an opaque one that was never issued': newOpaqueToken('as', 'oat'),
    'a personal one that was never issued': newOpaqueToken('as', 'pat'),
    'an authorization code': unused,
    'a megabyte': megabyte,
    'a megabyte of JWT': `${mine.access_token}${megabyte}`,
    'ten thousand brackets': '['.repeat(10_000),
    'letters of another alphabet': 'жетон',
    'a refresh token of somebody else': mine.refresh_token,
  };
}

const kinds = [
  'garbage',
  'three dots',
  'a truncated token',
  'a token with a letter more',
  'a token of another issuer',
  'a token signed by a stranger',
  'an expired one of a stranger',
  'an unsigned one',
  'an opaque one that was never issued',
  'a personal one that was never issued',
  'an authorization code',
  'a megabyte',
  'a megabyte of JWT',
  'ten thousand brackets',
  'letters of another alphabet',
  'a refresh token of somebody else',
];
const as = (client: string) => basic(client, webSecret);
const token = (kind: string): string => presented[kind] ?? '';
const urn = (name: string) => `urn:ietf:params:oauth:${name}`;

describe.each(kinds)('%s', (kind) => {
  test('at introspection MUST be inactive, and nothing else (RFC 7662 §2.2)', async () => {
    const answer = await server.post('/oauth/introspect', { token: token(kind) }, as('RS1'));
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('{"active":false}');
  });

  test('at revocation is answered with 200 and nothing (RFC 7009 §2.2)', async () => {
    const answer = await server.post('/oauth/revoke', { token: token(kind) }, as('ALL'));
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('');
  });

  test.each([
    ['refresh_token', 'refresh_token', 'refresh_token', 'invalid_grant'],
    ['code', 'authorization_code', 'code', 'invalid_grant'],
    ['device code', urn('grant-type:device_code'), 'device_code', 'invalid_grant'],
    ['assertion', urn('grant-type:jwt-bearer'), 'assertion', 'invalid_grant'],
  ])('as a %s MUST be refused (RFC 6749 §5.2)', async (_name, grant_type, parameter, error) => {
    const extra = { redirect_uri: 'https://app.test/cb', code_verifier: 'v'.repeat(43) };
    const form = { grant_type, [parameter]: token(kind), ...(parameter === 'code' ? extra : {}) };
    await refused(await server.post('/oauth/token', form, as('ALL')), 400, error);
  });

  test('as a subject token MUST be refused (RFC 8693 §2.2.2)', async () => {
    const grant_type = urn('grant-type:token-exchange');
    const type = urn('token-type:access_token');
    const subject = { subject_token: token(kind), subject_token_type: type };
    const form = { grant_type, resource: rs1, ...subject };
    await refused(await server.post('/oauth/token', form, as('ALL')), 400, 'invalid_request');
  });

  test('as a client assertion MUST be refused (RFC 7521 §4.2.1)', async () => {
    const client_assertion_type = urn('client-assertion-type:jwt-bearer');
    const form = { client_assertion_type, client_assertion: token(kind), client_id: 'ALL' };
    const answer = await server.post('/oauth/token', {
      grant_type: 'client_credentials',
      resource: rs1,
      ...form,
    });
    await refused(answer, 401, 'invalid_client');
  });
});

test('after all of it whoever owns the good ones goes on undisturbed', async () => {
  const { refresh_token } = { refresh_token: token('a refresh token of somebody else') };
  const form = { grant_type: 'refresh_token', refresh_token, client_id: 'PUB' };
  await granted(await server.post('/oauth/token', form));
  expect(server.logged()).not.toContain(token('a truncated token'));
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
});
