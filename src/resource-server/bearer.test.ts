import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProtectMcpOptions, protectMcp } from './index.ts';
import { startTestIssuer, type TestIssuer, testDpopKey } from './issuer.testing.ts';
import { bearer, granted, post, refused, resource } from './requests.testing.ts';

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await startTestIssuer();
});
afterAll(() => issuer.close());

const kit = (options: Partial<ProtectMcpOptions> = {}) =>
  protectMcp({
    issuer: issuer.issuer,
    resource,
    scopes: ['read', 'write', 'docs'],
    toolScopes: { look: 'read', change: ['read', 'write'], search_docs: 'docs' },
    implies: { write: 'read' },
    dpop: 'off',
    ...options,
  });

describe('a request without a token', () => {
  it('MUST be answered 401 with resource_metadata and scope, and SHOULD carry no error code (RFC 9728 5.1, RFC 6750 3.1)', async () => {
    const answer = await refused(await kit().handle(post({})));
    expect(answer.status).toBe(401);
    expect(answer.challenge).toBe(
      'Bearer resource_metadata="https://mcp.test/.well-known/oauth-protected-resource/mcp", scope="read write docs"',
    );
  });

  it('names only the initial scopes where the author says so', async () => {
    const answer = await refused(await kit({ initialScopes: ['read'] }).handle(post({})));
    expect(answer.challenge).toContain('scope="read"');
  });

  it('can be read by a page of any origin', async () => {
    const { headers } = await refused(await kit().handle(post({})));
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-expose-headers')).toBe(
      'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id',
    );
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('is what a token in the query or in a form body MUST count as (MCP authorization, RFC 9700 4.3.2)', async () => {
    const token = await issuer.mint(resource);
    const inQuery = post({}, '{}', `${resource}?access_token=${token}`);
    expect((await refused(await kit().handle(inQuery))).status).toBe(401);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const inBody = post(form, `access_token=${token}`);
    expect((await refused(await kit().handle(inBody))).status).toBe(401);
  });

  it('is what another scheme counts as, DPoP included where it is off', async () => {
    const token = await issuer.mint(resource);
    for (const authorization of ['Basic YTpi', token, `DPoP ${token}`, `Token ${token}`]) {
      const answer = await refused(await kit().handle(post({ authorization })));
      expect(answer.status).toBe(401);
    }
  });
});

describe('the Authorization header', () => {
  it('sent twice MUST be refused 400 invalid_request (RFC 6750 3.1)', async () => {
    const token = await issuer.mint(resource);
    const request = post(bearer(token));
    request.headers.append('authorization', `Bearer ${token}`);
    const answer = await refused(await kit().handle(request));
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('together with a token in the query MUST be refused 400 invalid_request (RFC 6750 2)', async () => {
    const token = await issuer.mint(resource);
    const request = post(bearer(token), '{}', `${resource}?access_token=${token}`);
    expect((await refused(await kit().handle(request))).status).toBe(400);
  });

  it.each(['Bearer', 'Bearer a b', 'Bearer "x"', 'Bearer a=b=c'])(
    'malformed as %s is 401 invalid_token',
    async (authorization) => {
      const answer = await refused(await kit().handle(post({ authorization })));
      expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    },
  );

  it('takes the scheme in any case (RFC 9110 11.1)', async () => {
    const token = await issuer.mint(resource);
    await granted(await kit().handle(post({ authorization: `bEARER ${token}` })));
  });
});

describe('a JWT access token (RFC 9068 4)', () => {
  it('that is right is let through with who calls', async () => {
    const token = await issuer.mint(resource, {
      scope: 'write offline_access',
      workspace_id: 'w1',
    });
    const result = await granted(await kit().handle(post(bearer(token))));
    expect(result).toMatchObject({
      auth: {
        token,
        clientId: 'client',
        scopes: ['write', 'offline_access', 'read'],
        resourceMetadataUrl: 'https://mcp.test/.well-known/oauth-protected-resource/mcp',
        extra: { sub: 'usr_1', workspace_id: 'w1' },
      },
    });
  });

  const now = () => Math.floor(Date.now() / 1000);
  const rows: [string, Record<string, unknown>, Record<string, unknown>, string][] = [
    ['with typ JWT', {}, { typ: 'JWT' }, 'typ at+jwt'],
    ['without typ', {}, { typ: undefined }, 'typ at+jwt'],
    ['with typ dpop+jwt', {}, { typ: 'dpop+jwt' }, 'typ at+jwt'],
    ['of an issuer that differs by a slash', { iss: 'SLASH' }, {}, 'another issuer'],
    ['without iss', { iss: undefined }, {}, 'issuer'],
    ['for another audience', { aud: 'https://other.test/mcp' }, {}, 'another audience'],
    ['for an audience that differs by a slash', { aud: `${resource}/` }, {}, 'another audience'],
    ['for this origin only', { aud: 'https://mcp.test' }, {}, 'another audience'],
    ['for this and another audience', { aud: [resource, 'https://o.test'] }, {}, 'more than this'],
    ['without aud', { aud: undefined }, {}, 'audience'],
    ['that expired more than 5 s ago', { exp: now() - 10 }, {}, 'has expired'],
    ['without exp', { exp: undefined }, {}, 'lacks a claim'],
    ['that is valid later', { nbf: now() + 60 }, {}, 'not valid yet'],
    ['without sub', { sub: undefined }, {}, 'lacks a claim'],
    ['without client_id', { client_id: undefined }, {}, 'lacks a claim'],
    ['without jti', { jti: undefined }, {}, 'lacks a claim'],
    ['with a scope that is no string', { scope: ['read'] }, {}, 'malformed claims'],
    ['with a sub that is no string', { sub: 1 }, {}, 'malformed'],
    ['bound by a certificate', { cnf: { 'x5t#S256': 'x' } }, {}, 'unknown way'],
    ['bound in an unknown way beside jkt', { cnf: { jkt: 'x', kid: 'y' } }, {}, 'unknown way'],
    ['with an unknown critical header', {}, { crit: ['x'], x: 1 }, 'well-formed'],
    ['by a key that the issuer does not publish', {}, { kid: 'other' }, 'no key'],
  ];

  it.each(rows)('%s MUST be refused 401 invalid_token', async (_, claims, header, sentence) => {
    const changed = claims.iss === 'SLASH' ? { ...claims, iss: `${issuer.issuer}/` } : claims;
    // jose refuses to sign an unknown critical header, so that one is put together by hand below.
    const token = header.crit ? await withCrit() : await issuer.mint(resource, changed, header);
    const answer = await refused(await kit().handle(post(bearer(token))));
    expect(answer.status).toBe(401);
    expect(answer.body.error).toBe('invalid_token');
    expect(answer.body.error_description).toContain(sentence);
    expect(answer.challenge).toMatch(
      /^Bearer resource_metadata="[^"]+", scope="[^"]+", error="invalid_token", error_description="[^"\\]+"$/,
    );
  });

  async function withCrit() {
    const [, payload, signature] = (await issuer.mint(resource)).split('.');
    const header = {
      alg: 'ES256',
      typ: 'at+jwt',
      crit: ['x'],
      x: 1,
      kid: issuer.state.keys[0]?.kid,
    };
    return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`;
  }

  it('within 5 s of its end is let through (clock skew)', async () => {
    const token = await issuer.mint(resource, { exp: now() - 2 });
    await granted(await kit().handle(post(bearer(token))));
  });

  it('with application/at+jwt and a one-element aud array is let through', async () => {
    const token = await issuer.mint([resource], {}, { typ: 'application/at+jwt' });
    await granted(await kit().handle(post(bearer(token))));
  });

  it('with a changed payload MUST be refused', async () => {
    const [header, , signature] = (await issuer.mint(resource)).split('.');
    const [, payload] = (await issuer.mint(resource, { scope: 'read write docs' })).split('.');
    const forged = `${header}.${payload}.${signature}`;
    const answer = await refused(await kit().handle(post(bearer(forged))));
    expect(answer.body.error_description).toContain('signature');
  });

  it.each(['none', 'HS256'])('with alg %s MUST be refused', async (alg) => {
    const key = issuer.state.keys[0];
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [, payload] = (await issuer.mint(resource)).split('.');
    const signed = `${encode({ alg, typ: 'at+jwt', kid: key?.kid })}.${payload}`;
    const secret = JSON.stringify(key?.jwk);
    const mac = createHmac('sha256', secret).update(signed).digest('base64url');
    const token = `${signed}.${alg === 'none' ? 'AA' : mac}`;
    const answer = await refused(await kit().handle(post(bearer(token))));
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    expect(answer.body.error_description).toContain('algorithm');
  });

  it.each(['cp_oat_abc', 'a.b.c', 'a.b', '....', 'eyJ.eyJ.'])(
    'that is none (%s) is refused 401, never a 5xx',
    async (token) => {
      expect((await refused(await kit().handle(post(bearer(token))))).status).toBe(401);
    },
  );

  it('bound to a DPoP key MUST be refused where DPoP is off, since nobody checks the key', async () => {
    const { thumbprint } = await testDpopKey();
    const token = await issuer.mint(resource, { cnf: { jkt: thumbprint } });
    const answer = await refused(await kit().handle(post(bearer(token))));
    expect(answer.body.error_description).toContain('DPoP-bound');
  });
});

describe('verifier(), for the MCP SDK', () => {
  it('returns AuthInfo for a good token', async () => {
    const token = await issuer.mint(resource);
    const auth = await kit().verifier().verifyAccessToken(token);
    expect(auth).toMatchObject({ clientId: 'client', scopes: ['read'] });
    expect(auth.resource.href).toBe(resource);
  });

  it('throws the error of the SDK in use for a bad one', async () => {
    const verifier = kit().verifier((text) => new RangeError(text));
    await expect(verifier.verifyAccessToken('x')).rejects.toThrow(RangeError);
    await expect(kit().verifier().verifyAccessToken('x')).rejects.toMatchObject({
      error: 'invalid_token',
    });
  });

  it('MUST refuse a DPoP-bound token, whose proof it cannot see (RFC 9449 7.2)', async () => {
    const token = await issuer.mint(resource, { cnf: { jkt: randomUUID() } });
    const verifier = kit({ dpop: 'supported' }).verifier();
    await expect(verifier.verifyAccessToken(token)).rejects.toThrow('DPoP-bound');
  });

  it('does not start where DPoP is required', () => {
    expect(() => kit({ dpop: 'required' }).verifier()).toThrow('required');
  });
});
