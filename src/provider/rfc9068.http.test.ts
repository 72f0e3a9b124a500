import { createHmac } from 'node:crypto';
import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { basic, isActive } from './answers.testing.ts';
import { createProver } from './dpop.testing.ts';
import { good, refresh, type Tokens, tokens } from './flow.testing.ts';
import { rs1, startServer, type TestServer, webSecret } from './server.testing.ts';

/** RFC 9068: JSON Web Token (JWT) Profile for OAuth 2.0 Access Tokens. */

let server: TestServer;
let issued: Tokens;
beforeAll(async () => {
  server = await startServer();
  issued = await tokens(server);
});
afterAll(() => server.close());

const published = z.object({
  keys: z.array(z.looseObject({ kid: z.string(), x: z.string() })),
});
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const keySet = () => createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));

async function inactive(token: string) {
  const answer = await server.post('/oauth/introspect', { token }, basic('RS1', webSecret));
  expect({ status: answer.status, text: await answer.text() }).toEqual({
    status: 200,
    text: '{"active":false}',
  });
}

describe('§2 what an access token says', () => {
  test('typ MUST be at+jwt, alg MUST be an asymmetric one, kid names a published key (§2.1)', async () => {
    const header = decodeProtectedHeader(issued.access_token);
    expect(header).toEqual({ typ: 'at+jwt', alg: 'ES256', kid: expect.any(String) });
    const options = { issuer: server.url, audience: rs1, typ: 'at+jwt', algorithms: ['ES256'] };
    await jwtVerify(issued.access_token, keySet(), options);
  });

  test('iss, exp, aud, sub, client_id, iat and jti are REQUIRED, scope is there (§2.2)', async () => {
    const claims = decodeJwt(issued.access_token);
    const now = Math.floor(Date.now() / 1000);
    expect(claims).toMatchObject({
      iss: server.url,
      aud: rs1,
      sub: expect.stringMatching(/^usr_/),
      client_id: 'PUB',
      scope: 'mcp:read',
      jti: expect.stringMatching(/^[\w-]{20,}$/),
    });
    expect(claims.iat).toBeGreaterThan(now - 60);
    expect(claims.iat).toBeLessThanOrEqual(now);
    expect(Number(claims.exp) - Number(claims.iat)).toBe(15 * 60);
    expect(issued.expires_in).toBe(15 * 60);
  });

  test('nothing else is in it: no e-mail, no name, no session', () => {
    const known = ['aud', 'auth_time', 'client_id', 'exp', 'iat', 'iss', 'jti', 'scope', 'sub'];
    const extra = Object.keys(decodeJwt(issued.access_token)).filter((one) => !known.includes(one));
    expect(extra).toEqual([]);
  });

  test('auth_time is when the person signed in, also after a refresh (§2.2.1)', async () => {
    const first = Number(decodeJwt(issued.access_token).auth_time);
    expect(Math.abs(first - Date.now() / 1000)).toBeLessThan(120);
    const next = await refresh(server, issued.refresh_token);
    const body: Tokens = JSON.parse(await next.text());
    expect(decodeJwt(body.access_token).auth_time).toBe(first);
  });

  test('every token has a jti of its own', async () => {
    const all = await Promise.all(Array.from({ length: 3 }, () => tokens(server)));
    expect(new Set(all.map((one) => decodeJwt(one.access_token).jti)).size).toBe(3);
  });

  test('scope is what was granted, in the answer and in the token', async () => {
    const body = await tokens(server, good({ scope: 'mcp:read unknown mcp:write' }));
    expect(body.scope.split(' ').sort()).toEqual(['mcp:read', 'mcp:write']);
    expect(decodeJwt(body.access_token).scope).toBe(body.scope);
  });

  test.each([
    ['PS256', 'PS256'],
    ['RS256', 'RS256'],
    ['EdDSA', 'EdDSA'],
  ])('signing.algorithm %s signs, is published and advertised', async (algorithm, alg) => {
    const other = await startServer({ extra: `signing: { algorithm: ${algorithm} }` });
    try {
      const { access_token: token } = await tokens(other);
      const keys = createRemoteJWKSet(new URL(`${other.url}/.well-known/jwks.json`));
      const { protectedHeader } = await jwtVerify(token, keys, { typ: 'at+jwt' });
      expect(protectedHeader.alg).toBe(alg);
      expect(await isActive(other, token, webSecret)).toBe(true);
    } finally {
      await other.close();
    }
  });
});

describe('§4 a token that was not issued here is inactive', () => {
  const parts = () => {
    const [header = '', payload = '', signature = ''] = issued.access_token.split('.');
    return { header, payload, signature, claims: decodeJwt(issued.access_token) };
  };

  /** The same claims, well signed by a key that is not ours. */
  async function forged(header: Record<string, unknown>, claims: JWTPayload = parts().claims) {
    const { privateKey } = await crypto.subtle.generateKey(
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['sign', 'verify'],
    );
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...header })
      .sign(privateKey);
  }

  test('the genuine one is active', async () => {
    expect(await isActive(server, issued.access_token, webSecret)).toBe(true);
  });

  test.each(['none', 'None', 'NONE', 'nOnE'])('alg %s (TK01)', async (alg) => {
    const { payload, signature } = parts();
    const header = base64({ alg, typ: 'at+jwt' });
    await inactive(`${header}.${payload}.`);
    await inactive(`${header}.${payload}.${signature}`);
  });

  test('without a signature, or with one of another token (TK01)', async () => {
    const { header, payload } = parts();
    await inactive(`${header}.${payload}.`);
    await inactive(`${header}.${payload}`);
    const other = await tokens(server);
    await inactive(`${header}.${payload}.${other.access_token.split('.')[2]}`);
  });

  test('HS256 keyed by our public key (TK02)', async () => {
    const { payload } = parts();
    const { keys } = published.parse(
      await (await fetch(`${server.url}/.well-known/jwks.json`)).json(),
    );
    const [jwk] = keys;
    if (!jwk) throw new Error('no published key');
    const key = await crypto.subtle.importKey(
      'jwk',
      jwk,
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['verify'],
    );
    const spki = Buffer.from(await crypto.subtle.exportKey('spki', key));
    const pem = `-----BEGIN PUBLIC KEY-----\n${spki.toString('base64')}\n-----END PUBLIC KEY-----\n`;
    const secrets = [pem, spki, JSON.stringify(jwk), Buffer.from(jwk.x, 'base64url')];
    for (const secret of secrets) {
      const input = `${base64({ alg: 'HS256', typ: 'at+jwt', kid: jwk.kid })}.${payload}`;
      const mac = createHmac('sha256', secret).update(input).digest('base64url');
      await inactive(`${input}.${mac}`);
    }
  });

  test.each([
    {},
    { kid: 'unknown' },
    { kid: '../../etc/passwd' },
    { kid: "' or 1=1--" },
    { kid: 'x'.repeat(10_000) },
    { kid: 'OURS' },
    { kid: 'OURS', jku: 'https://evil.test/jwks' },
    { kid: 'OURS', x5u: 'https://evil.test/x5u' },
  ])('a foreign key with the header %j (TK03)', async (header) => {
    const { kid } = decodeProtectedHeader(issued.access_token);
    const text = JSON.stringify(header).replace('OURS', kid ?? '');
    await inactive(await forged(JSON.parse(text)));
  });

  test('a foreign key that the token brings along (TK03)', async () => {
    const prover = await createProver();
    const proof = await prover.proof(rs1, {
      header: { typ: 'at+jwt' },
      claims: { ...parts().claims },
    });
    await inactive(proof);
  });

  test.each([{ crit: ['b64'], b64: false }, { crit: ['exp'], exp: 1 }, { zip: 'DEF' }])(
    'the header %j (TK11)',
    async (header) => {
      const { payload, signature } = parts();
      const genuine = decodeProtectedHeader(issued.access_token);
      await inactive(`${base64({ ...genuine, ...header })}.${payload}.${signature}`);
    },
  );

  test('encrypted and nested tokens (TK11)', async () => {
    await inactive(`${base64({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`);
    await inactive(
      `${base64({ alg: 'none', cty: 'JWT' })}.${base64({ jwt: issued.access_token })}.`,
    );
  });

  test.each([
    ['another typ', { typ: 'JWT' }, {}],
    ['no typ', { typ: undefined }, {}],
    ['the typ of a proof', { typ: 'dpop+jwt' }, {}],
    ['the typ of an assertion', { typ: 'oauth-id-jag+jwt' }, {}],
    ['another issuer', {}, { iss: 'https://evil.test' }],
    ['an issuer that differs by a slash', {}, { iss: 'SLASH' }],
    ['no jti', {}, { jti: undefined }],
    ['an unknown jti', {}, { jti: 'unknown' }],
    ['a past exp (TK10)', {}, { exp: 1 }],
    ['a future nbf (TK10)', {}, { nbf: 4_000_000_000 }],
  ])('signed by our own key, with %s', async (_what, header, claims) => {
    const changed = { ...parts().claims, ...claims };
    if (changed.iss === 'SLASH') changed.iss = `${server.url}/`;
    await inactive(await signedByUs(header, changed));
  });

  test('signed by our own key and unchanged it is active: the rows above test what they say', async () => {
    const token = await signedByUs({}, parts().claims);
    expect(await isActive(server, token, webSecret)).toBe(true);
  });
});

describe('an access token is nothing else (TK04, RT10, CO08)', () => {
  test('neither a refresh token nor a code', async () => {
    const asRefresh = await refresh(server, issued.access_token);
    expect(await asRefresh.json()).toMatchObject({ error: 'invalid_grant' });
    const asCode = await server.post('/oauth/token', {
      grant_type: 'authorization_code',
      code: issued.access_token,
      redirect_uri: 'http://127.0.0.1:7777/cb',
      client_id: 'PUB',
      code_verifier: 'x'.repeat(43),
    });
    expect(await asCode.json()).toMatchObject({ error: 'invalid_grant' });
    expect(await isActive(server, issued.access_token, webSecret)).toBe(true);
  });

  test('nor a client assertion', async () => {
    const answer = await server.post('/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      client_assertion: issued.access_token,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    expect([400, 401]).toContain(answer.status);
    expect(await answer.json()).toMatchObject({ error: 'invalid_client' });
  });
});

async function signedByUs(header: Record<string, unknown>, claims: JWTPayload): Promise<string> {
  const { kid } = server.app.rooms.keys.current();
  const jwk = server.app.rooms.keys.providerJwks().keys.find((one) => one.kid === kid);
  if (!jwk) throw new Error('no signing key');
  const key = await crypto.subtle.importKey(
    'jwk',
    { ...jwk, key_ops: undefined, alg: undefined, use: undefined },
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['sign'],
  );
  const merged = { alg: 'ES256', typ: 'at+jwt', kid, ...header };
  return new SignJWT(claims).setProtectedHeader(merged).sign(key);
}
