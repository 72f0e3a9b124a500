import { generateKeyPairSync, sign } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProtectMcpOptions, protectMcp } from './index.ts';
import { startTestIssuer, type TestIssuer, testDpopKey } from './issuer.testing.ts';
import { bearer, granted, post, refused, resource } from './requests.testing.ts';

let issuer: TestIssuer;
let key: Awaited<ReturnType<typeof testDpopKey>>;
let bound: string;

beforeAll(async () => {
  issuer = await startTestIssuer();
  key = await testDpopKey();
  bound = await issuer.mint(resource, { cnf: { jkt: key.thumbprint } });
});
afterAll(() => issuer.close());

const kit = (options: Partial<ProtectMcpOptions> = {}) =>
  protectMcp({
    issuer: issuer.issuer,
    resource,
    scopes: ['read', 'docs'],
    toolScopes: { search_docs: 'docs' },
    ...options,
  });

const withProof = (dpop: string, token = bound) => post({ authorization: `DPoP ${token}`, dpop });
const now = () => Math.floor(Date.now() / 1000);
const algs = 'algs="ES256 ES384 ES512 EdDSA Ed25519 PS256 RS256"';
const metadata =
  'resource_metadata="https://mcp.test/.well-known/oauth-protected-resource/mcp", scope="read docs"';

describe('a DPoP proof (RFC 9449 4.3)', () => {
  it('that is right lets its token through', async () => {
    await granted(await kit().handle(withProof(await key.proof(bound, resource))));
  });

  type Change = [row: string, claims: Record<string, unknown>, header?: Record<string, unknown>];
  const rows: Change[] = [
    ['3: jti MUST be there', { jti: undefined }],
    ['3: jti MUST be a non-empty string', { jti: '' }],
    ['3: jti MUST NOT be a list', { jti: ['a'] }],
    ['3: jti of 10 KB is refused', { jti: 'x'.repeat(10_240) }],
    ['3: htm MUST be there', { htm: undefined }],
    ['3: htu MUST be there', { htu: undefined }],
    ['3: iat MUST be there', { iat: undefined }],
    ['3: ath MUST be there at a resource', { ath: undefined }],
    ['4: typ MUST be dpop+jwt', {}, { typ: 'JWT' }],
    ['4: typ MUST NOT be missing', {}, { typ: undefined }],
    ['6: jwk MUST be there', {}, { jwk: undefined }],
    ['8: htm MUST be the method', { htm: 'GET' }],
    ['8: htm MUST match in case', { htm: 'post' }],
    ['9: htu MUST be this resource', { htu: 'https://mcp.test/other' }],
    ['9: htu MUST have this host', { htu: 'https://evil.test/mcp' }],
    ['9: htu MUST have this scheme', { htu: 'http://mcp.test/mcp' }],
    ['9: htu MUST have this port', { htu: 'https://mcp.test:8443/mcp' }],
    ['9: htu MUST be a URL', { htu: '/mcp' }],
    ['11: iat MUST NOT be older than 60 s', { iat: now() - 70 }],
    ['11: iat MUST NOT be more than 60 s ahead', { iat: now() + 75 }],
    ['11: iat MUST be a number', { iat: `${now()}` }],
    ['12: ath MUST be of this token', { ath: 'x'.repeat(43) }],
  ];

  it.each(rows)('row %s', async (_, claims, header) => {
    const proof = await key.proof(bound, resource, claims, header);
    const answer = await refused(await kit().handle(withProof(proof)));
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_dpop_proof' } });
    expect(answer.challenge).toMatch(
      /^DPoP resource_metadata="[^"]+", scope="read docs", error="invalid_dpop_proof", error_description="[^"\\]+", algs="[^"]+"$/,
    );
  });

  it('row 1: there MUST be one DPoP header, not none and not two', async () => {
    const none = post({ authorization: `DPoP ${bound}` });
    expect((await refused(await kit().handle(none))).body.error).toBe('invalid_dpop_proof');
    const two = withProof(await key.proof(bound, resource));
    two.headers.append('dpop', await key.proof(bound, resource));
    expect((await refused(await kit().handle(two))).body.error_description).toContain(
      'more than one',
    );
  });

  it.each(['', 'x', 'a.b.c', '{}'])('row 2: it MUST be one well-formed JWT (%s)', async (proof) => {
    const answer = await refused(await kit().handle(withProof(proof)));
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_dpop_proof' } });
  });

  it('row 5: alg MUST be asymmetric, never none or HMAC', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(key.jwk));
    const hmac = await new SignJWT({ jti: 'j', htm: 'POST', htu: resource, iat: now() })
      .setProtectedHeader({ alg: 'HS256', typ: 'dpop+jwt', jwk: key.jwk })
      .sign(secret);
    const [, payload] = hmac.split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'dpop+jwt', jwk: key.jwk }));
    for (const proof of [hmac, `${header.toString('base64url')}.${payload}.`]) {
      expect((await refused(await kit().handle(withProof(proof)))).status).toBe(401);
    }
  });

  it('row 6: the signature MUST verify by the key in jwk', async () => {
    const other = await testDpopKey();
    const proof = await other.proof(bound, resource, {}, { jwk: key.jwk });
    const answer = await refused(await kit().handle(withProof(proof)));
    expect(answer.body.error).toBe('invalid_dpop_proof');
  });

  it('row 6: a key that is no key is refused, never a 5xx', async () => {
    for (const jwk of [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }, { kty: 'oct', k: 'AA' }, 'x']) {
      const proof = await key.proof(bound, resource, {}, { jwk });
      expect((await refused(await kit().handle(withProof(proof)))).status).toBe(401);
    }
  });

  it('row 7: jwk MUST NOT hold a private key, nor a part of one', async () => {
    for (const extra of [key.privateJwk, { ...key.jwk, p: 'AQ' }]) {
      const proof = await key.proof(bound, resource, {}, { jwk: extra });
      expect((await refused(await kit().handle(withProof(proof)))).status).toBe(401);
    }
  });

  it('row 9: htu is compared normalised, its query and fragment ignored', async () => {
    for (const htu of ['HTTPS://MCP.test:443/mcp', `${resource}?a=1`, `${resource}#b`]) {
      await granted(await kit().handle(withProof(await key.proof(bound, resource, { htu }))));
    }
  });

  it('row 9: htu is the configured resource whatever the Host of the request', async () => {
    const headers = { authorization: `DPoP ${bound}`, dpop: await key.proof(bound, resource) };
    await granted(await kit().handle(post(headers, '{}', 'http://10.0.0.1:3000/mcp?session=1')));
    const inside = await key.proof(bound, 'http://10.0.0.1:3000/mcp');
    const answer = await refused(
      await kit().handle(
        post({ authorization: `DPoP ${bound}`, dpop: inside }, '{}', 'http://10.0.0.1:3000/mcp'),
      ),
    );
    expect(answer.status).toBe(401);
  });

  it('row 12: the key MUST be the one that the token is bound to', async () => {
    const thief = await testDpopKey();
    const answer = await refused(await kit().handle(withProof(await thief.proof(bound, resource))));
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    expect(answer.body.error_description).toContain('another key');
  });

  it('is accepted by each advertised algorithm', async () => {
    for (const alg of ['ES384', 'Ed25519', 'PS256', 'RS256']) {
      const other = await testDpopKey(alg);
      const token = await issuer.mint(resource, { cnf: { jkt: other.thumbprint } });
      await granted(await kit().handle(withProof(await other.proof(token, resource), token)));
    }
  });

  it('by an RSA key of 1024 bits is refused', async () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const jwk = pair.publicKey.export({ format: 'jwk' });
    const [, payload] = (await key.proof(bound, resource)).split('.');
    const header = JSON.stringify({ alg: 'RS256', typ: 'dpop+jwt', jwk });
    const signed = `${Buffer.from(header).toString('base64url')}.${payload}`;
    const signature = sign('sha256', Buffer.from(signed), pair.privateKey).toString('base64url');
    const answer = await refused(await kit().handle(withProof(`${signed}.${signature}`)));
    expect(answer.body.error_description).toContain('not a JWT that verifies');
  });
});

describe('the scheme (RFC 9449 7.1, 7.2)', () => {
  it('a bound token sent as Bearer MUST be refused, even with a good proof', async () => {
    const proof = await key.proof(bound, resource);
    const answer = await refused(await kit().handle(post({ ...bearer(bound), dpop: proof })));
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    expect(answer.challenge).toMatch(/^Bearer .*error="invalid_token".*, DPoP .*algs="[^"]+"$/);
  });

  it('an unbound token sent as DPoP is refused', async () => {
    const token = await issuer.mint(resource);
    const proof = await key.proof(token, resource);
    const answer = await refused(await kit().handle(withProof(proof, token)));
    expect(answer.body.error_description).toContain('not DPoP-bound');
  });

  it('both schemes are offered where DPoP is supported, Bearer first', async () => {
    const answer = await refused(await kit().handle(post({})));
    expect(answer.challenge).toBe(`Bearer ${metadata}, DPoP ${metadata}, ${algs}`);
  });

  it('an unbound token goes as Bearer where DPoP is supported', async () => {
    await granted(await kit().handle(post(bearer(await issuer.mint(resource)))));
  });

  it('DPoP alone is offered where it is required, and unbound tokens are refused', async () => {
    const auth = kit({ dpop: 'required' });
    expect((await refused(await auth.handle(post({})))).challenge).toBe(
      `DPoP ${metadata}, ${algs}`,
    );
    const answer = await refused(await auth.handle(post(bearer(await issuer.mint(resource)))));
    expect(answer.body).toMatchObject({ error: 'invalid_token' });
    await granted(await auth.handle(withProof(await key.proof(bound, resource))));
  });

  it('a bound token is refused where DPoP is off, even with a good proof', async () => {
    const dpop = await key.proof(bound, resource);
    const answer = await refused(await kit({ dpop: 'off' }).handle(withProof(dpop)));
    expect(answer.status).toBe(401);
    expect(answer.challenge).toMatch(/^Bearer [^D]*error="invalid_token"/);
  });

  it('a missing scope is challenged in the scheme that was used', async () => {
    const body = JSON.stringify({ method: 'tools/call', params: { name: 'search_docs' } });
    const dpop = await key.proof(bound, resource);
    const request = post({ authorization: `DPoP ${bound}`, dpop }, body);
    const answer = await refused(await kit().handle(request));
    expect(answer.status).toBe(403);
    expect(answer.challenge).toMatch(/^DPoP .*scope="docs", error="insufficient_scope"/);
  });
});
