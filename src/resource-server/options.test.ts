import { describe, expect, it } from 'vitest';
import { protectMcp } from './index.ts';
import { resolveOptions } from './options.ts';

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
