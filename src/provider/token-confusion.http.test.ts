import {
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { createServer } from 'node:http';
import { decodeJwt, decodeProtectedHeader, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { refused } from './answers.testing.ts';
import { createProver } from './dpop.testing.ts';
import type { TestServer } from './server.testing.ts';
import {
  as,
  exchange,
  exchanged,
  introspect,
  opaque,
  personalToken,
  startExchange,
  subjectToken,
} from './token-exchange.testing.ts';

/**
 * Token confusion (threat T11; RFC 8725, RFC 9068 §4) at every door that takes a token: introspection,
 * revocation, exchange as subject and as actor. Introspection of JWTs has more rows in rfc9068.
 */

let server: TestServer;
let genuine: string;
/** An address that a header of a token points to; nobody may come there. */
let sink: { url: string; visits: number; close(): void };
let publicJwk: Record<string, unknown>;

beforeAll(async () => {
  server = await startExchange();
  genuine = (await subjectToken(server)).access_token;
  sink = await openSink();
  const { kid } = decodeProtectedHeader(genuine);
  const set = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });
  const { keys } = set.parse(await (await fetch(`${server.url}/.well-known/jwks.json`)).json());
  publicJwk = keys.find((key) => key.kid === kid) ?? {};
});
afterAll(async () => {
  sink.close();
  await server.close();
});

async function openSink() {
  const seen = { visits: 0 };
  const listener = createServer((_req, res) => {
    seen.visits += 1;
    res.end('{"keys":[]}');
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/jwks`;
  return Object.assign(seen, { url, close: () => listener.close() });
}

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const claims = () => decodeJwt(genuine);
const header = () => decodeProtectedHeader(genuine);
const parts = () => {
  const [head = '', payload = '', signature = ''] = genuine.split('.');
  return { head, payload, signature };
};

/** A JWS over any header and payload, signed by a key of the test's choice. */
function signed(head: object, payload: object, key: KeyObject): string {
  const input = `${base64(head)}.${base64(payload)}`;
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function hs256(head: object, secret: string | Buffer): string {
  const input = `${base64({ ...header(), alg: 'HS256', ...head })}.${parts().payload}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** The key that signs here, which an attacker has not; it shows that a row fails for its reason. */
function ourKey(): KeyObject {
  const { kid } = header();
  const jwk = server.app.rooms.keys.providerJwks().keys.find((one) => one.kid === kid);
  if (!jwk) throw new Error('no signing key');
  const { kty, crv, x, y, d } = jwk;
  return createPrivateKey({ format: 'jwk', key: { kty, crv, x, y, d } });
}

async function publicPem(): Promise<string> {
  const key = await importJWK({ ...publicJwk, kty: 'EC' }, 'ES256', { extractable: true });
  if (key instanceof Uint8Array) throw new Error('not a public key');
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', key)).toString('base64');
  return `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`;
}

/** Nobody takes it for a token: neither to tell of it, nor to end the real one, nor to exchange it. */
async function isNothing(token: string) {
  for (const by of ['TOOL', 'TOOL2']) {
    expect(await introspect(server, token, by)).toEqual({ active: false });
  }
  await refused(await exchange(server, token), 400, 'invalid_request');
  const form = {
    actor_token: token,
    actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  };
  await refused(await exchange(server, genuine, { form }), 400, 'invalid_request');
  const anonymous = await server.post('/oauth/revoke', { token, client_id: 'PUB' });
  expect(anonymous.status).toBe(200);
  expect((await server.post('/oauth/revoke', { token }, as('TOOL'))).status).toBe(200);
  expect(await introspect(server, genuine)).toMatchObject({ active: true });
}

test('signed by our key and unchanged it is a token: the rows below fail for their reason', async () => {
  const same = signed(header(), claims(), ourKey());
  expect(await introspect(server, same)).toMatchObject({ active: true });
  await exchanged(server, same);
});

describe('a JWT that MUST be nothing', () => {
  test.each(['none', 'None', 'NONE'])(
    'alg %s, with and without a signature (TK01)',
    async (alg) => {
      const { payload, signature } = parts();
      const head = base64({ ...header(), alg });
      await isNothing(`${head}.${payload}.`);
      await isNothing(`${head}.${payload}.${signature}`);
    },
  );

  test('a signature that was cut off, or that is of zeros (TK01)', async () => {
    const { head, payload } = parts();
    await isNothing(`${head}.${payload}.`);
    await isNothing(`${head}.${payload}`);
    await isNothing(`${head}.${payload}.${Buffer.alloc(64).toString('base64url')}`);
  });

  test('HS256 keyed by our public key as PEM or as JWK (TK02)', async () => {
    const pem = await publicPem();
    for (const secret of [pem, pem.trim(), JSON.stringify(publicJwk), String(publicJwk.x)]) {
      await isNothing(hs256({}, secret));
    }
    await isNothing(hs256({ kid: undefined }, pem));
  });

  test.each([
    ['an unknown kid', { kid: 'unknown' }],
    ['a path as kid', { kid: '../../../../dev/null' }],
    ['SQL as kid', { kid: "' OR 1=1 --" }],
    ['a long kid', { kid: 'x'.repeat(4000) }],
    ['no kid', { kid: undefined }],
    ['our kid', {}],
    ['jku', { jku: 'SINK' }],
    ['x5u', { x5u: 'SINK' }],
    ['jwk', { jwk: 'STRANGER' }],
    ['x5c', { x5c: ['AAAA'] }],
  ])('signed by a stranger, with %s (TK03)', async (_what, change) => {
    const told = Object.entries(change).map(([name, value]) => {
      if (value === 'SINK') return [name, sink.url];
      if (value === 'STRANGER') return [name, stranger.publicKey.export({ format: 'jwk' })];
      return [name, value];
    });
    await isNothing(
      signed({ ...header(), ...Object.fromEntries(told) }, claims(), stranger.privateKey),
    );
    expect(sink.visits).toBe(0);
  });

  test.each([
    ['crit that nobody knows', { crit: ['exp'], exp: 1 }],
    ['crit that is empty', { crit: [] }],
    ['an unencoded payload', { b64: false, crit: ['b64'] }],
  ])('signed by our key, with %s (TK11)', async (_what, change) => {
    await isNothing(signed({ ...header(), ...change }, claims(), ourKey()));
  });

  test('encrypted, nested and JSON-serialised ones (TK11)', async () => {
    const { head, payload, signature } = parts();
    await isNothing(`${base64({ alg: 'dir', enc: 'A256GCM', typ: 'at+jwt' })}..AAAA.AAAA.AAAA`);
    await isNothing(signed({ ...header(), cty: 'JWT' }, { jwt: genuine }, ourKey()));
    await isNothing(JSON.stringify({ protected: head, payload, signature }));
    await isNothing(JSON.stringify({ payload, signatures: [{ protected: head, signature }] }));
  });

  test.each([
    ['typ JWT', { typ: 'JWT' }, {}],
    ['no typ', { typ: undefined }, {}],
    ['the typ of an identity assertion', { typ: 'oauth-id-jag+jwt' }, {}],
    ['the typ of an introspection answer', { typ: 'token-introspection+jwt' }, {}],
    ['the typ of a proof', { typ: 'dpop+jwt' }, {}],
    ['another issuer', {}, { iss: 'https://evil.test' }],
    ['no jti', {}, { jti: undefined }],
    ['a jti that is a number', {}, { jti: 1 }],
    ['a jti that nobody issued', {}, { jti: 'unknown' }],
    ['an exp in the past (TK10)', {}, { exp: Math.floor(Date.now() / 1000) - 60 }],
    ['an nbf in the future (TK10)', {}, { nbf: Math.floor(Date.now() / 1000) + 3600 }],
    ['an exp that is text', {}, { exp: '9999999999' }],
  ])('signed by our key, with %s', async (_what, head, payload) => {
    await isNothing(signed({ ...header(), ...head }, { ...claims(), ...payload }, ourKey()));
  });

  test('an answer of our introspection, signed by our own key (RFC 9701)', async () => {
    const accept = { accept: 'application/token-introspection+jwt', ...as('TOOL') };
    const answer = await server.post('/oauth/introspect', { token: genuine }, accept);
    const jwt = await answer.text();
    expect(decodeProtectedHeader(jwt).typ).toBe('token-introspection+jwt');
    await isNothing(jwt);
  });

  test('a DPoP proof and a client assertion', async () => {
    const proof = await (await createProver()).proof(`${server.url}/oauth/token`);
    await isNothing(proof);
    const who = { iss: 'TOOL', sub: 'TOOL', aud: server.url, jti: 'a', exp: 9999999999 };
    await isNothing(signed({ alg: 'ES256' }, who, stranger.privateKey));
  });

  test('one that was spelled otherwise: a token has one spelling (TK07)', async () => {
    const { head, payload, signature } = parts();
    const last = signature.slice(-1);
    const twin = String.fromCharCode(last.charCodeAt(0) + 1); // may decode to the same bytes
    for (const wrong of [
      ...[`${genuine} `, ` ${genuine}`, `${genuine}\n`, `${genuine}=`, `${genuine}.`],
      ...[`.${genuine}`, genuine.toUpperCase(), genuine.slice(0, -1), `${genuine}A`],
      ...[
        `${head}..${payload}.${signature}`,
        `${head}.${payload}.${signature.slice(0, -1)}${twin}`,
      ],
      ...[`Bearer ${genuine}`, `${genuine},${genuine}`, encodeURIComponent(`${genuine}%`)],
    ]) {
      await isNothing(wrong);
    }
  });
});

describe('an opaque token that MUST be nothing (TK07)', () => {
  test('truncated, extended, in another case, with a space, with another prefix or kind', async () => {
    const form = { resource: opaque };
    const { access_token: token } = await exchanged(server, genuine, { form });
    const { value: personal } = await personalToken(server, ['s:read']);
    for (const real of [token, personal]) {
      for (const wrong of [
        ...[real.slice(0, -1), real.slice(1), `${real}0`, `0${real}`, `${real} `, ` ${real}`],
        ...[real.toUpperCase(), real.toLowerCase(), `${real}\n`, `Bearer ${real}`],
        real.includes('_pat_') ? real.replace('_pat_', '_oat_') : real.replace('_oat_', '_pat_'),
        real.replace(/^[a-z]+_/, 'zz_'),
      ]) {
        if (wrong !== real) await isNothing(wrong);
      }
      expect(await introspect(server, real)).toMatchObject({ active: true });
    }
  });
});

describe('a personal access token that MUST be nothing (TK12)', () => {
  test('when it has expired', async () => {
    const other = await startExchange();
    try {
      const { value } = await personalToken(other, ['s:read']);
      expect(await introspect(other, value)).toMatchObject({ active: true });
      other.advance(366 * 86_400);
      expect(await introspect(other, value)).toEqual({ active: false });
      await refused(await exchange(other, value), 400, 'invalid_request');
    } finally {
      await other.close();
    }
  });

  test('when it was ended, and when its person is disabled', async () => {
    const { id, value } = await personalToken(server, ['s:read']);
    const kept = await personalToken(server, ['s:read']);
    const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() }, reason: 'test' };
    await server.app.rooms.tokens.personal.revoke(id, by);
    await isNothing(value);
    const users = server.db.kysely.updateTable('users');
    await users.set({ status: 'disabled' }).execute();
    expect(await introspect(server, kept.value)).toEqual({ active: false });
    await refused(await exchange(server, kept.value), 400, 'invalid_request');
    await users.set({ status: 'active' }).execute();
  });

  test('as a code or a refresh token', async () => {
    const { value } = await personalToken(server, ['s:read']);
    const requests: Record<string, string>[] = [
      { grant_type: 'refresh_token', refresh_token: value },
      { grant_type: 'authorization_code', code: value, code_verifier: 'x'.repeat(43) },
    ];
    for (const form of requests) {
      const request = { ...form, redirect_uri: 'https://app.test/cb' };
      await refused(await server.post('/oauth/token', request, as('TOOL')), 400, 'invalid_grant');
    }
    expect(await introspect(server, value)).toMatchObject({ active: true });
  });
});
