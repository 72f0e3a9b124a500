import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCircuit, createGuardedRequest } from '../http/index.ts';
import {
  type Manners,
  type StrangeServer,
  startStrangeServer,
} from './authorization-server.testing.ts';
import { createDiscovery } from './discovery.ts';
import { serverMetadataPlaces } from './discovery-places.ts';
import { createWays } from './ways.ts';

let strange: StrangeServer;
let good: Manners;
const now = () => new Date();
const discover = createDiscovery({
  request: createGuardedRequest({ timeoutMs: 400, now }),
  ways: createWays({ privateAddresses: true }),
  circuit: createCircuit({ failures: 50, pause: 30 }, now),
});

beforeAll(async () => {
  strange = await startStrangeServer();
  good = structuredClone(strange.manners);
});
afterAll(() => strange.close());
beforeEach(() => {
  strange.manners = structuredClone(good);
  strange.requests.length = 0;
});

describe('where the authorization server of an MCP server is (MCP authorization 2026-07-28)', () => {
  test('the challenge leads to the resource metadata, and that to the issuer', async () => {
    expect(await discover(strange.url)).toEqual({
      resource: strange.url,
      issuer: strange.origin,
      authorizationEndpoint: `${strange.origin}/authorize`,
      tokenEndpoint: `${strange.origin}/token`,
      registrationEndpoint: `${strange.origin}/register`,
      revocationEndpoint: `${strange.origin}/revoke`,
      scopesRequested: ['read'],
      codeChallengeMethodsSupported: ['S256'],
      clientIdMetadataDocumentSupported: false,
      authorizationResponseIssParameterSupported: true,
      resourceMetadataUrl: `${strange.origin}/.well-known/oauth-protected-resource/mcp`,
    });
  });

  test('without a challenge the well-known address with the path is asked, and its scopes are taken', async () => {
    strange.manners.challenge = 'Bearer';
    expect(await discover(strange.url)).toMatchObject({
      issuer: strange.origin,
      scopesRequested: ['read', 'write'],
    });
  });

  test('a server of 2025-03-26 without resource metadata is its own authorization server', async () => {
    strange.manners.challenge = 'Bearer';
    const url = `${strange.origin}/old`;
    expect(await discover(url)).toMatchObject({ resource: url, issuer: strange.origin });
  });

  test('metadata of an issuer with a path is looked for at all three places, in order', () => {
    expect(serverMetadataPlaces('https://as.test/tenant')).toEqual([
      'https://as.test/.well-known/oauth-authorization-server/tenant',
      'https://as.test/.well-known/openid-configuration/tenant',
      'https://as.test/tenant/.well-known/openid-configuration',
    ]);
  });

  test('a challenge that names metadata on another host MUST NOT be followed', async () => {
    const other = await startStrangeServer();
    strange.manners.challenge = `Bearer resource_metadata="${other.origin}/.well-known/oauth-protected-resource/mcp"`;
    expect(await discover(strange.url)).toMatchObject({ issuer: strange.origin });
    expect(other.requests).toEqual([]);
    await other.close();
  });
});

describe('what is wrong MUST be refused with the name of the member (U01)', () => {
  const bad = [
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://as.test/authorize',
    'a:$(calc)',
    'https://as.test/$(calc)',
    `https://as.test/"onload="x`,
    "https://as.test/'x",
    'https://as.test/\r\nSet-Cookie: a=b',
    'https://user@as.test/',
    'https://as.test/#fragment',
    '//as.test/authorize',
    '',
    7,
    null,
  ];
  test.each(
    [
      'authorization_endpoint',
      'token_endpoint',
      'registration_endpoint',
      'revocation_endpoint',
    ].flatMap((name) => bad.map((value) => [name, value] as const)),
  )('%s = %j', async (field, value) => {
    strange.manners.serverMetadata[field] = value;
    await expect(discover(strange.url)).rejects.toMatchObject({
      code: 'metadata',
      field,
      message: expect.stringContaining(field),
    });
  });

  test.each(['https://evil.test', 'ORIGIN/', 'ORIGIN/mcp'])(
    'metadata of the issuer %s in place of the one that was named',
    async (other) => {
      strange.manners.serverMetadata.issuer = other.replace('ORIGIN', strange.origin);
      await expect(discover(strange.url)).rejects.toMatchObject({ field: 'issuer' });
    },
  );

  test.each(['https://other.test/mcp', 'ORIGIN/other', 'ORIGIN/mc', 'ORIGIN/mcp#x', '', 7])(
    'resource metadata about %j',
    async (resource) => {
      strange.manners.resourceMetadata.resource =
        typeof resource === 'string' ? resource.replace('ORIGIN', strange.origin) : resource;
      await expect(discover(strange.url)).rejects.toMatchObject({ field: 'resource' });
    },
  );

  test('an issuer on plain http elsewhere', async () => {
    strange.manners.resourceMetadata.authorization_servers = ['http://as.test'];
    await expect(discover(strange.url)).rejects.toMatchObject({ field: 'authorization_servers' });
  });

  test.each(['http://mcp.test/mcp', 'file:///etc/passwd', 'https://169.254.169.254/latest'])(
    'the address %s',
    async (url) => {
      await expect(discover(url)).rejects.toMatchObject({ name: 'UpstreamProblem' });
    },
  );

  test('in production an address on this computer MUST NOT be asked', async () => {
    const request = createGuardedRequest({ timeoutMs: 400, now });
    const ways = createWays({ privateAddresses: false });
    const circuit = createCircuit({ failures: 5, pause: 30 }, now);
    await expect(createDiscovery({ request, ways, circuit })(strange.url)).rejects.toMatchObject({
      field: 'url',
    });
    expect(strange.requests).toEqual([]);
  });
});
