import { describe, expect, it } from 'vitest';
import { protectMcp } from './index.ts';
import { resolveOptions } from './settings.ts';

const good = {
  issuer: 'https://as.test',
  resource: 'https://mcp.test/mcp',
  scopes: ['read', 'write'],
};

const wrong: [string, Record<string, unknown>, string][] = [
  ['an issuer that is no URL', { issuer: 'as.test' }, 'issuer: not a URL'],
  ['an issuer over http beyond loopback', { issuer: 'http://as.test' }, 'issuer: must be https'],
  ['an issuer with a query (RFC 8414 section 2)', { issuer: 'https://as.test?a=1' }, 'no query'],
  ['a missing resource', { resource: undefined }, 'resource: not a URL'],
  ['a resource over http beyond loopback', { resource: 'http://mcp.test/mcp' }, 'must be https'],
  [
    'a resource with a slash at the end',
    { resource: 'https://mcp.test/mcp/' },
    'https://mcp.test/mcp instead',
  ],
  [
    'a resource with an upper-case host',
    { resource: 'https://MCP.test/mcp' },
    'https://mcp.test/mcp instead',
  ],
  [
    'a resource with a default port',
    { resource: 'https://mcp.test:443/mcp' },
    'https://mcp.test/mcp instead',
  ],
  [
    'a resource with a fragment (RFC 8707 section 2)',
    { resource: 'https://mcp.test/mcp#a' },
    'instead of',
  ],
  ['a resource with a user', { resource: 'https://a:b@mcp.test/mcp' }, 'instead of'],
  ['a scope with a quote in it', { scopes: ['re"ad'] }, 'scopes: not a scope name'],
  ['scopes that are no list', { scopes: 'read' }, 'scopes: must be a list'],
  [
    'a tool that names an unknown scope',
    { toolScopes: { t: 'raed' } },
    'toolScopes: t names the scope raed',
  ],
  [
    'a hierarchy over an unknown scope',
    { implies: { admin: ['read'] } },
    'implies: admin names the scope admin',
  ],
  [
    'an initial scope that is unknown',
    { initialScopes: ['x'] },
    'initialScopes: 401 names the scope x',
  ],
  ['an unknown dpop mode', { dpop: 'on' }, 'dpop: off, supported or required'],
  ['a body limit of nothing', { maxBodyBytes: 0 }, 'maxBodyBytes'],
  ['a negative key age', { jwks: { maxAge: -1 } }, 'jwks.maxAge'],
  ['introspection without a client', { introspection: { clientSecret: 's' } }, 'clientId: the'],
  ['introspection without a secret', { introspection: { clientId: 'c' } }, 'give clientSecret or'],
  [
    'introspection with an empty secret',
    { introspection: { clientId: 'c', clientSecret: '' } },
    'introspection.clientSecret: must be text',
  ],
  [
    'introspection with a secret and a key',
    { introspection: { clientId: 'c', clientSecret: 's', privateKey: { kty: 'EC' } } },
    'give clientSecret or privateKey',
  ],
  [
    'a public key as private key',
    { introspection: { clientId: 'c', privateKey: { kty: 'EC', alg: 'ES256' } } },
    'must be a private JWK',
  ],
  [
    'a private key without alg',
    { introspection: { clientId: 'c', privateKey: { kty: 'EC', d: 'x' } } },
    'its alg is missing',
  ],
  [
    'answers kept for longer than 5 s',
    { introspection: { clientId: 'c', clientSecret: 's', cacheSeconds: 6 } },
    'cacheSeconds: 0 to 5',
  ],
  [
    'an endless time limit',
    { introspection: { clientId: 'c', clientSecret: 's', timeoutSeconds: Infinity } },
    'timeoutSeconds: above 0',
  ],
  [
    'a misspelt option of introspection',
    { introspection: { clientId: 'c', clientSecret: 's', cacheSecs: 1 } },
    'introspection.cacheSecs: no such option',
  ],
  ['a cap without a store', { dailyCap: { limit: 1 } }, 'dailyCap.store: must have increment'],
  [
    'a cap of nothing',
    { dailyCap: { limit: 0, store: { increment: () => 1 } } },
    'dailyCap.limit: a whole number',
  ],
  ['a nonce secret that is short', { dpopNonce: { secret: 'x' } }, 'dpopNonce.secret: 32'],
  [
    'nonces where DPoP is off',
    { dpop: 'off', dpopNonce: { secret: 'x'.repeat(32) } },
    'dpopNonce: has no use',
  ],
  ['an unknown word for unlisted tools', { unlistedTools: 'no' }, 'unlistedTools: allow or deny'],
  [
    'a misspelt option, which would leave tools open',
    { toolScope: { t: 'read' } },
    'toolScope: no such option',
  ],
];

describe('the options of protectMcp', () => {
  it.each(wrong)('refuses %s when it starts', (_, change, message) => {
    expect(() => Reflect.apply(protectMcp, undefined, [{ ...good, ...change }])).toThrow(message);
  });

  it('lists every problem at once', () => {
    const start = () => protectMcp({ issuer: 'x', resource: 'y', scopes: ['"'] });
    expect(start).toThrow(/issuer[\s\S]*resource[\s\S]*scopes/);
  });

  it('does not repeat a secret', () => {
    const introspection = { clientId: '', clientSecret: 'hunter2-hunter2' };
    expect(() => protectMcp({ ...good, introspection })).toThrow(/^(?![\s\S]*hunter2)/);
  });

  it('accepts http on this computer, an IPv6 loopback and a resource without path', () => {
    for (const url of ['http://localhost:8080/mcp', 'http://127.0.0.1:1', 'http://[::1]:8080']) {
      expect(resolveOptions({ ...good, issuer: url, resource: url }).resource).toBe(url);
    }
  });

  it('asks for all scopes first unless told otherwise', () => {
    expect(resolveOptions(good).initialScopes).toEqual(['read', 'write']);
    expect(resolveOptions({ ...good, initialScopes: ['read'] }).initialScopes).toEqual(['read']);
  });
});
