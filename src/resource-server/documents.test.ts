import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProtectMcpOptions, protectMcp } from './index.ts';
import { startTestIssuer, type TestIssuer } from './issuer.testing.ts';
import { refused, resource } from './requests.testing.ts';

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await startTestIssuer();
});
afterAll(() => issuer.close());

const kit = (options: Partial<ProtectMcpOptions> = {}) =>
  protectMcp({ issuer: issuer.issuer, resource, scopes: ['read', 'write'], ...options });

const get = (path: string, method = 'GET') => new Request(new URL(path, resource), { method });
const prm = '/.well-known/oauth-protected-resource';
const serverMetadata = '/.well-known/oauth-authorization-server';

describe('protected resource metadata (RFC 9728)', () => {
  it.each([`${prm}/mcp`, prm])('is served without a token at %s', async (path) => {
    const answer = await refused(await kit({ resourceName: 'Boards' }).handle(get(path)));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.body).toEqual({
      resource,
      authorization_servers: [issuer.issuer],
      scopes_supported: ['read', 'write'],
      bearer_methods_supported: ['header'],
      resource_name: 'Boards',
      dpop_signing_alg_values_supported: [
        'ES256',
        'ES384',
        'ES512',
        'EdDSA',
        'Ed25519',
        'PS256',
        'RS256',
      ],
    });
  });

  it('lies at the root alone for a resource without path, whose name stays without slash', async () => {
    const auth = kit({ resource: 'https://mcp.test' });
    expect(auth.resourceMetadataUrl).toBe(`https://mcp.test${prm}`);
    const answer = await refused(await auth.handle(get(prm)));
    expect(answer.body).toMatchObject({ resource: 'https://mcp.test' });
  });

  it('says nothing of DPoP where it is off, and that it is required where it is', async () => {
    const off = await refused(await kit({ dpop: 'off' }).handle(get(prm)));
    expect(off.body).not.toHaveProperty('dpop_signing_alg_values_supported');
    const required = await refused(await kit({ dpop: 'required' }).handle(get(prm)));
    expect(required.body).toMatchObject({ dpop_bound_access_tokens_required: true });
  });

  it('of another path is not served', async () => {
    expect((await refused(await kit().handle(get(`${prm}/other`)))).status).toBe(401);
    expect((await refused(await kit().handle(get(`${prm}/mcp/`)))).status).toBe(401);
  });

  it('answers HEAD without body and refuses to be written', async () => {
    const head = await kit().handle(get(prm, 'HEAD'));
    expect(head instanceof Response && [head.status, head.body]).toEqual([200, null]);
    const posted = await refused(await kit().handle(get(prm, 'POST')));
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });
});

describe("the issuer's metadata on this origin, for clients of 2025-03-26", () => {
  it.each([serverMetadata, `${serverMetadata}/mcp`])(
    'is passed on as it is at %s',
    async (path) => {
      const answer = await refused(await kit().handle(get(path)));
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        issuer: issuer.issuer,
        authorization_endpoint: `${issuer.issuer}/oauth/authorize`,
      });
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    },
  );

  it('can be switched off', async () => {
    const answer = await refused(await kit({ serveMetadata: false }).handle(get(serverMetadata)));
    expect(answer.status).toBe(401);
  });

  it('is 503 while the issuer is away', async () => {
    const fetch = async () => new Response(null, { status: 502 });
    expect((await refused(await kit({ fetch }).handle(get(serverMetadata)))).status).toBe(503);
  });
});

describe('a preflight', () => {
  it('is answered without a token and allows what MCP clients send', async () => {
    const answer = await kit().handle(get('/mcp', 'OPTIONS'));
    if (!(answer instanceof Response)) throw new Error('let through');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
    for (const name of ['Authorization', 'DPoP', 'MCP-Protocol-Version', 'Mcp-Session-Id']) {
      expect(answer.headers.get('access-control-allow-headers')).toContain(name);
    }
  });
});
