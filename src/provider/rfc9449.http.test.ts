import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { decodeJwt, exportJWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { basic, granted, ownClock, refused as refusedWith } from './answers.testing.ts';
import { createProver, type Prover, seconds } from './dpop.testing.ts';
import { code, type Flow, good, redeem, refresh } from './flow.testing.ts';
import {
  loopbackCallback,
  rs1,
  startServer,
  type TestServer,
  webSecret,
} from './server.testing.ts';

/** RFC 9449: OAuth 2.0 Demonstrating Proof of Possession. */

let server: TestServer;
let endpoint: string;
let prover: Prover;
beforeAll(async () => {
  server = await startServer();
  endpoint = `${server.url}/oauth/token`;
  prover = await createProver();
});
afterAll(() => server.close());
afterEach(() => vi.useRealTimers());

const asRs1 = basic('RS1', webSecret);
const read = async (answer: Response) =>
  z.record(z.string(), z.unknown()).parse(await answer.json());
const refused = (answer: Response, error = 'invalid_dpop_proof') => refusedWith(answer, 400, error);

/** Redeems one code with the given DPoP header; then shows that a refusal has not consumed the code. */
async function attempt(header: string) {
  const flow = good();
  const value = await code(server, flow);
  const answer = await redeem(server, flow, value, {}, { DPoP: header });
  return {
    answer,
    again: async () => redeem(server, flow, value, {}, await prover.headers(endpoint)),
  };
}

async function expectRefusedProof(header: string, error?: string) {
  const { answer, again } = await attempt(header);
  await refused(answer, error);
  await granted(await again());
}

describe('§5 a token that is bound to a key', () => {
  test('the answer says token_type DPoP and the token MUST carry cnf.jkt (DP13)', async () => {
    const flow = good();
    const value = await code(server, flow);
    const body = await granted(
      await redeem(server, flow, value, {}, await prover.headers(endpoint)),
    );
    expect(body.token_type).toBe('DPoP');
    expect(decodeJwt(body.access_token).cnf).toEqual({ jkt: prover.jkt });
    const seen = await read(
      await server.post('/oauth/introspect', { token: body.access_token }, asRs1),
    );
    expect(seen).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: prover.jkt } });
    const row = await server.db.kysely
      .selectFrom('issuances')
      .select(['jkt', 'token_type'])
      .where('jti', '=', String(decodeJwt(body.access_token).jti))
      .executeTakeFirst();
    expect(row).toEqual({ jkt: prover.jkt, token_type: 'DPoP' });
  });

  test('without a proof the token is a Bearer token', async () => {
    const flow = good();
    const body = await granted(await redeem(server, flow, await code(server, flow)));
    expect(body.token_type).toBe('Bearer');
    expect(decodeJwt(body.access_token).cnf).toBeUndefined();
  });

  test.each(['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'])(
    'a proof by %s is accepted',
    async (alg) => {
      const other = await createProver(alg);
      const { answer } = await attempt(await other.proof(endpoint));
      const body = await granted(answer);
      expect(decodeJwt(body.access_token).cnf).toEqual({ jkt: other.jkt });
    },
  );

  test('a refresh token of a public client MUST be bound to the key', async () => {
    const flow = good();
    const value = await code(server, flow);
    const first = await granted(
      await redeem(server, flow, value, {}, await prover.headers(endpoint)),
    );
    await refused(await refresh(server, first.refresh_token), 'invalid_grant');
    const thief = await createProver();
    await refused(
      await refresh(server, first.refresh_token, {}, await thief.headers(endpoint)),
      'invalid_grant',
    );
    const next = await granted(
      await refresh(server, first.refresh_token, {}, await prover.headers(endpoint)),
    );
    expect(next.token_type).toBe('DPoP');
    expect(next.refresh_token).not.toBe(first.refresh_token);
    expect(decodeJwt(next.access_token).cnf).toEqual({ jkt: prover.jkt });
  });

  test('the overlap window answers a repeated refresh only by the same key', async () => {
    const flow = good();
    const value = await code(server, flow);
    const first = await granted(
      await redeem(server, flow, value, {}, await prover.headers(endpoint)),
    );
    const next = await granted(
      await refresh(server, first.refresh_token, {}, await prover.headers(endpoint)),
    );
    const thief = await createProver();
    await refused(
      await refresh(server, first.refresh_token, {}, await thief.headers(endpoint)),
      'invalid_grant',
    );
    await refused(await refresh(server, first.refresh_token), 'invalid_grant');
    const again = await granted(
      await refresh(server, first.refresh_token, {}, await prover.headers(endpoint)),
    );
    expect(again.refresh_token).toBe(next.refresh_token);
  });

  test('a client with dpop_bound_access_tokens MUST send a proof (§5.2)', async () => {
    const bound = await startServer({
      extra: `
dcr: { rate_limit: 100 }`,
    });
    try {
      const registered = await fetch(`${bound.url}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          redirect_uris: [loopbackCallback],
          dpop_bound_access_tokens: true,
        }),
      });
      const { client_id: id } = await read(registered);
      const flow = good({ client_id: String(id) });
      const value = await code(bound, flow);
      await refused(await redeem(bound, flow, value), 'invalid_grant');
      const headers = await prover.headers(`${bound.url}/oauth/token`);
      const body = await granted(await redeem(bound, flow, value, {}, headers));
      expect(body.token_type).toBe('DPoP');
    } finally {
      await bound.close();
    }
  });
});

describe('§4.3 what a proof must be, row by row', () => {
  test('1: not more than one DPoP header (DP06)', async () => {
    const both = `${await prover.proof(endpoint)}, ${await prover.proof(endpoint)}`;
    await expectRefusedProof(both);
  });

  test.each(['garbage', 'a.b.c', '..', 'e30.e30.', 'x'.repeat(80), 'eyJhbGciOiJFUzI1NiJ9.e30.x'])(
    '2: one well-formed JWT, not %s',
    async (header) => {
      await expectRefusedProof(header);
    },
  );

  test.each(['jti', 'htm', 'htu', 'iat'])(
    '3: every required claim is there: without %s it is refused (DP07)',
    async (name) => {
      const claims = { [name]: undefined };
      await expectRefusedProof(await prover.proof(endpoint, { claims }));
    },
  );

  test.each([undefined, 'JWT', 'jwt', 'dpop', 'at+jwt'])(
    '4: typ is dpop+jwt, not %s (DP06)',
    async (typ) => {
      await expectRefusedProof(await prover.proof(endpoint, { header: { typ } }));
    },
  );

  test('5: alg is an asymmetric algorithm, neither none nor HS256 (DP06)', async () => {
    const claims = { jti: 'x1', htm: 'POST', htu: endpoint, iat: seconds() };
    const none = `${encoded({ alg: 'none', typ: 'dpop+jwt', jwk: prover.jwk })}.${encoded(claims)}.`;
    await expectRefusedProof(none);
    const secret = Buffer.from('0123456789abcdef0123456789abcdef');
    const jwk = { kty: 'oct', k: secret.toString('base64url') };
    const input = `${encoded({ alg: 'HS256', typ: 'dpop+jwt', jwk })}.${encoded(claims)}`;
    const mac = createHmac('sha256', secret).update(input).digest('base64url');
    await expectRefusedProof(`${input}.${mac}`);
  });

  test('5: an RSA key of 1024 bits is too weak (DP06)', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const jwk = await exportJWK(publicKey);
    const claims = { jti: 'x2', htm: 'POST', htu: endpoint, iat: seconds() };
    const input = `${encoded({ alg: 'RS256', typ: 'dpop+jwt', jwk })}.${encoded(claims)}`;
    const signature = sign('sha256', Buffer.from(input), privateKey).toString('base64url');
    await expectRefusedProof(`${input}.${signature}`);
  });

  test('6: the signature verifies by the key in the proof', async () => {
    const other = await createProver();
    await expectRefusedProof(await prover.proof(endpoint, { header: { jwk: other.jwk } }));
    const proof = await prover.proof(endpoint);
    await expectRefusedProof(`${proof.slice(0, -4)}AAAA`);
    await expectRefusedProof(proof.slice(0, proof.lastIndexOf('.') + 1));
    await expectRefusedProof(await prover.proof(endpoint, { header: { jwk: undefined } }));
  });

  test('7: the key in the proof is not a private one (DP06)', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const whole = await exportJWK(privateKey);
    expect(whole.d).toBeTruthy();
    expect((await exportJWK(publicKey)).d).toBeUndefined();
    const claims = { jti: 'x3', htm: 'POST', htu: endpoint, iat: seconds() };
    const input = `${encoded({ alg: 'ES256', typ: 'dpop+jwt', jwk: whole })}.${encoded(claims)}`;
    const signature = sign('sha256', Buffer.from(input), {
      key: privateKey,
      dsaEncoding: 'ieee-p1363',
    }).toString('base64url');
    await expectRefusedProof(`${input}.${signature}`);
  });

  test.each(['GET', 'post', 'PUT', '', 1])('8: htm is the method, not %s', async (htm) => {
    await expectRefusedProof(await prover.proof(endpoint, { claims: { htm } }));
  });

  test.each([
    'https://evil.test/oauth/token',
    '/oauth/token',
    'x',
    '',
    7,
    'ISSUER/oauth/introspect',
    'ISSUER/oauth/token/',
    'ISSUER/OAUTH/token',
  ])('9: htu is this endpoint, not %s', async (htu) => {
    const value = typeof htu === 'string' ? htu.replace('ISSUER', server.url) : htu;
    await expectRefusedProof(await prover.proof(endpoint, { claims: { htu: value } }));
  });

  test('9: query and fragment of htu are ignored, case of the host too', async () => {
    const htu = `${endpoint.replace('localhost', 'LOCALHOST')}?a=b#c`;
    const { answer } = await attempt(await prover.proof(endpoint, { claims: { htu } }));
    await granted(answer);
  });

  test.each(['http', 'https'])(
    '9: htu is compared with the issuer, whatever Host and X-Forwarded-* say (%s)',
    async (scheme) => {
      const proof = await prover.proof(`${scheme}://evil.test/oauth/token`);
      const flow = good();
      const value = await code(server, flow);
      const lies = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': scheme };
      await refused(await redeem(server, flow, value, {}, { DPoP: proof, ...lies }));
    },
  );

  test.each([-75, -250, -3600, 75, 250, 3600])(
    '11: iat is within dpop.proof_lifetime, not %i s away; the answer offers a nonce',
    async (away) => {
      const header = await prover.proof(endpoint, { claims: { iat: seconds() + away } });
      const { answer, again } = await attempt(header);
      const nonce = answer.headers.get('dpop-nonce') ?? '';
      expect(nonce).not.toBe('');
      await refused(answer, 'use_dpop_nonce');
      await granted(await again());
      const wrongClock = { claims: { iat: seconds() + away, nonce } };
      const second = await attempt(await prover.proof(endpoint, wrongClock));
      await granted(second.answer);
    },
  );

  test.each([-50, -15, 15, 50])('11: iat %i s away is accepted (R19)', async (away) => {
    const header = await prover.proof(endpoint, { claims: { iat: seconds() + away } });
    await granted((await attempt(header)).answer);
  });

  test.each(['now', null, 0, [1], {}])('11: iat %s is refused', async (iat) => {
    const { answer } = await attempt(await prover.proof(endpoint, { claims: { iat } }));
    expect(answer.status).toBe(400);
    expect((await read(answer)).error).toMatch(/^(invalid_dpop_proof|use_dpop_nonce)$/);
  });

  test('10: a nonce of somebody else is refused and ours is offered', async () => {
    const { answer, again } = await attempt(
      await prover.proof(endpoint, { claims: { nonce: 'from elsewhere' } }),
    );
    expect(answer.headers.get('dpop-nonce')).toBeTruthy();
    await refused(answer, 'use_dpop_nonce');
    await granted(await again());
    await expectRefusedProof(await prover.proof(endpoint, { claims: { nonce: 5 } }));
  });

  test.each([
    ['empty', ''],
    ['an array', ['a']],
    ['a number', 7],
    ['10 KB', 'x'.repeat(10_000)],
    ['with NUL', 'a\0b'],
  ])('jti is a text that can be remembered, not %s (DP07)', async (_what, jti) => {
    const { answer } = await attempt(await prover.proof(endpoint, { claims: { jti } }));
    await refused(answer);
  });
});

describe('§11.1 a proof is used once', () => {
  test('the same proof twice is refused, also with another code (DP01)', async () => {
    const proof = await prover.proof(endpoint);
    await granted((await attempt(proof)).answer);
    await expectRefusedProof(proof);
  });

  test('a proof that a refused request has shown is used up too', async () => {
    const flow = good();
    const value = await code(server, flow);
    const first = await granted(
      await redeem(server, flow, value, {}, await prover.headers(endpoint)),
    );
    const thief = await createProver();
    const proof = await thief.proof(endpoint);
    await refused(await refresh(server, first.refresh_token, {}, { DPoP: proof }), 'invalid_grant');
    await expectRefusedProof(proof);
  });

  test('of parallel requests with one proof exactly one wins', async () => {
    const headers = await prover.headers(endpoint);
    const flows = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const flow = good();
        return { flow, value: await code(server, flow) };
      }),
    );
    const answers = await Promise.all(
      flows.map(({ flow, value }) => redeem(server, flow, value, {}, headers)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(2);
  });

  test('a jti that another key has used is free: nobody can burn it (DP11)', async () => {
    const attacker = await createProver();
    const claims = { jti: 'one and the same' };
    await granted((await attempt(await attacker.proof(endpoint, { claims }))).answer);
    await granted((await attempt(await prover.proof(endpoint, { claims }))).answer);
    await expectRefusedProof(await prover.proof(endpoint, { claims }));
  });

  test('a proof with a nonce is no exception as long as its nonce lives (DP04)', async () => {
    const time = ownClock();
    const first = await attempt(await prover.proof(endpoint));
    const nonce = first.answer.headers.get('dpop-nonce') ?? '';
    const proof = await prover.proof(endpoint, { claims: { nonce } });
    await granted((await attempt(proof)).answer);
    time.advance(119);
    await refused((await attempt(proof)).answer);
  });

  test('a proof stays used when the clock ran an hour ahead, rows were swept, and it was set back (R19)', async () => {
    const time = ownClock();
    const proof = await prover.proof(endpoint);
    await granted((await attempt(proof)).answer);
    time.advance(3600);
    await server.app.rooms.tokens.sweep.removeExpired(server.now(), 1000);
    time.advance(-3590);
    await refused((await attempt(proof)).answer);
  });
});

describe('§10 a code that is bound to a key by dpop_jkt', () => {
  const bound = (changes: Record<string, string> = {}): Flow =>
    good({ dpop_jkt: prover.jkt, ...changes });

  test('the code is redeemed by that key', async () => {
    const flow = bound();
    const value = await code(server, flow);
    await granted(await redeem(server, flow, value, {}, await prover.headers(endpoint)));
  });

  test('no other key, and no request without a proof, MAY redeem it', async () => {
    const flow = bound();
    const value = await code(server, flow);
    const thief = await createProver();
    const stolen = await redeem(server, flow, value, {}, await thief.headers(endpoint));
    expect(stolen.status).toBe(400);
    expect((await read(stolen)).error).toMatch(/^invalid_(grant|dpop_proof)$/);
    const bare = await redeem(server, flow, value);
    expect(bare.status).toBe(400);
    expect((await read(bare)).error).toMatch(/^invalid_(grant|dpop_proof)$/);
    await granted(await redeem(server, flow, value, {}, await prover.headers(endpoint)));
  });
});

describe('§8 a server that asks for nonces', () => {
  let strict: TestServer;
  beforeAll(async () => {
    strict = await startServer({ extra: 'dpop: { require_nonce: true }' });
  });
  afterAll(() => strict.close());

  test('the first proof is answered with use_dpop_nonce and a nonce, and consumes nothing', async () => {
    const url = `${strict.url}/oauth/token`;
    const flow = good();
    const value = await code(strict, flow);
    const first = await redeem(strict, flow, value, {}, await prover.headers(url));
    const nonce = first.headers.get('dpop-nonce') ?? '';
    await refused(first, 'use_dpop_nonce');
    expect(nonce).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(first.headers.get('access-control-expose-headers')).toContain('dpop-nonce');
    const headers = await prover.headers(url, { claims: { nonce } });
    const body = await granted(await redeem(strict, flow, value, {}, headers));
    expect(body.token_type).toBe('DPoP');
  });

  test('a nonce is refused when its time is over', async () => {
    const url = `${strict.url}/oauth/token`;
    const time = ownClock();
    const flow = good();
    const value = await code(strict, flow);
    const first = await redeem(strict, flow, value, {}, await prover.headers(url));
    const nonce = first.headers.get('dpop-nonce') ?? '';
    time.advance(600);
    const late = good();
    const lateCode = await code(strict, late);
    const headers = await prover.headers(url, { claims: { nonce } });
    await refused(await redeem(strict, late, lateCode, {}, headers), 'use_dpop_nonce');
  });

  test('a token request without a proof still gets a Bearer token', async () => {
    const flow = good();
    const body = await granted(await redeem(strict, flow, await code(strict, flow)));
    expect(body.token_type).toBe('Bearer');
  });
});

test('dpop.enabled: false binds nothing and advertises nothing', async () => {
  const off = await startServer({ extra: 'dpop: { enabled: false }' });
  try {
    const flow = good();
    const value = await code(off, flow);
    const headers = await prover.headers(`${off.url}/oauth/token`);
    const body = await granted(await redeem(off, flow, value, {}, headers));
    expect(body.token_type).toBe('Bearer');
    const metadata = await read(await fetch(`${off.url}/.well-known/oauth-authorization-server`));
    expect(metadata.dpop_signing_alg_values_supported).toBeUndefined();
    const resources = off.db.kysely.updateTable('resources').set({ dpop: 'required' });
    await resources.where('uri', '=', rs1).execute();
    await off.app.rooms.resources.reload();
    const again = good();
    const late = await redeem(off, again, await code(off, again), {}, headers);
    await refusedWith(late, 503, 'temporarily_unavailable'); // never a token that is not bound
  } finally {
    await off.close();
  }
});

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
