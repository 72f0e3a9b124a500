import { createServer, type Server } from 'node:http';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import type { OAuthTokenVerifier as VerifierOfV1 } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import type { AuthInfo as AuthInfoOfV1 } from '@modelcontextprotocol/sdk/server/auth/types.js';
import {
  type AuthInfo as AuthInfoOfV2,
  OAuthError,
  OAuthErrorCode,
  requireBearerAuth as requireBearerAuthV2,
  type OAuthTokenVerifier as VerifierOfV2,
} from '@modelcontextprotocol/server';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { type AuthInfo, protectMcp, type TestTokenOptions, testIssuer } from './index.ts';
import { resource } from './requests.testing.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const local = await testIssuer({ resource, scopes: ['read', 'write'] });
const auth = protectMcp(local.options);
const errors: unknown[] = [];
const down = protectMcp({
  ...local.options,
  fetch: () => Promise.reject(new Error('unplugged')),
  onError: (error) => errors.push(error),
});
type App = (kit?: typeof auth) => Promise<(headers: Record<string, string>) => Promise<Response>>;

/** An Express app behind the middleware of SDK 1.x. */
const v1: App = async (kit = auth) => {
  const verifier: VerifierOfV1 = kit.verifier((text) => new InvalidTokenError(text));
  const app = express();
  const { resourceMetadataUrl } = auth;
  app.use(requireBearerAuth({ verifier, requiredScopes: ['read'], resourceMetadataUrl }));
  app.get('/mcp', (req, res) => {
    res.json(req.auth);
  });
  const server = createServer(app);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return (headers) => fetch(`http://127.0.0.1:${port}/mcp`, { headers });
};

/** A fetch handler behind the gate of SDK 2.x. */
const v2: App = async (kit = auth) => {
  const verifier: VerifierOfV2 = kit.verifier(
    (text) => new OAuthError(OAuthErrorCode.InvalidToken, text),
  );
  const { resourceMetadataUrl } = auth;
  const gate = requireBearerAuthV2({ verifier, requiredScopes: ['read'], resourceMetadataUrl });
  return async (headers) => {
    const result = await gate(new Request(resource, { headers }));
    return result instanceof Response ? result : Response.json(result);
  };
};

describe.each([
  ['1.x', v1],
  ['2.x', v2],
])('verifier() in the requireBearerAuth of the MCP SDK %s', (_, app) => {
  const kinds = ['jwt', 'opaque', 'personal', 'credential'] as const;
  const call = async (token: TestTokenOptions) =>
    (await app())({ authorization: `Bearer ${await local.testToken(token)}` });

  it.each(kinds)('lets a good token through with who calls: %s', async (kind) => {
    const response = await call({ kind, sub: 'usr_ada' });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      scopes: ['read', 'write'],
      extra: { sub: 'usr_ada' },
    });
  });

  it.each(kinds)('answers 401 with the metadata for a bad one: %s', async (kind) => {
    const response = await call({ kind, claims: { aud: 'https://other.test' } });
    expect(response.status).toBe(401);
    const challenge = response.headers.get('www-authenticate');
    expect(challenge).toContain('error="invalid_token"');
    expect(challenge).toContain(`resource_metadata="${auth.resourceMetadataUrl}"`);
  });

  it('answers 500 where nobody can be asked, never lets it through, and tells why', async () => {
    errors.length = 0;
    const token = await local.testToken({ kind: 'opaque' });
    const response = await (await app(down))({ authorization: `Bearer ${token}` });
    expect(response.status).toBe(500);
    expect(String(errors[0])).toContain('unplugged');
  });

  it('answers 403 where the scope is missing', async () => {
    expect((await call({ scopes: ['write'] })).status).toBe(403);
  });
});

describe('AuthInfo', () => {
  it('is the AuthInfo of the MCP SDK, 1.x and 2.x', () => {
    const caller: AuthInfo = {
      token: 't',
      clientId: 'c',
      scopes: [],
      expiresAt: 1,
      resource: new URL(resource),
      resourceMetadataUrl: auth.resourceMetadataUrl,
      extra: {},
    };
    const asV1: AuthInfoOfV1 = caller;
    const asV2: AuthInfoOfV2 = caller;
    expect([asV1, asV2]).toEqual([caller, caller]);
  });
});
