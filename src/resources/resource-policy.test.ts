import { describe, expect, test } from 'vitest';
import { OAuthError } from '../oauth/index.ts';
import { chooseResource, mayAskFor, onlyResource, protectedResourceMetadata } from './index.ts';
import { aResource } from './resource.testing.ts';

const longUri = `https://rs1.test/${'a'.repeat(100_000)}`;
const rs1 = aResource({ aliases: ['https://old.rs1.test/v1/', 'urn:rs:one'] });
const rs2 = aResource({ uri: 'https://rs2.test/mcp/', slug: 'rs2' });
const api = aResource({ uri: 'https://as.test/api', slug: 'api', source: 'builtin' });
const off = aResource({ uri: 'https://off.test/mcp', slug: 'off', enabled: false });

function refusal(request: Parameters<typeof chooseResource>[0]): OAuthError {
  try {
    chooseResource(request);
  } catch (error) {
    if (error instanceof OAuthError) return error;
    throw error;
  }
  return expect.fail('was not refused');
}

describe('chooseResource', () => {
  test.each([
    'https://rs1.test/mcp',
    'https://rs1.test/mcp/',
    'HTTPS://RS1.test/mcp',
    'https://rs1.test:443/mcp',
    'https://old.rs1.test/v1',
    'https://OLD.rs1.test/v1/',
    'urn:rs:one',
  ])('RS08: accepts %s, and aud is the registered URI', (uri) => {
    expect(chooseResource({ requested: [uri], resources: [rs1, rs2] }).uri).toBe(
      'https://rs1.test/mcp',
    );
  });

  test('aud keeps the slash with which the resource was registered', () => {
    const chosen = chooseResource({ requested: ['https://rs2.test/mcp'], resources: [rs1, rs2] });
    expect(chosen.uri).toBe('https://rs2.test/mcp/');
  });

  test.each([
    'https://rs1.test/MCP',
    'https://rs1.test/mcp//',
    'https://rs1.test/mcp/x',
    'https://rs1.test/mcp?x=1',
    'https://rs1.test',
    'http://rs1.test/mcp',
    'https://rs1.test:8443/mcp',
    'https://rs1.test.evil.test/mcp',
    'https://off.test/mcp',
    'https://rs1.test/mcp#f',
    'https://u@rs1.test/mcp',
    'rs1',
    '/mcp',
    '*',
    'https://rs1.test/mcp\0',
    '\ud800',
    longUri,
  ])('MUST refuse the unknown resource %.60j and say what to send', (uri) => {
    const error = refusal({ requested: [uri], resources: [rs1, rs2, off] });
    expect(error.error).toBe('invalid_target');
    expect(error.description).toContain('https://rs1.test/mcp https://rs2.test/mcp/');
    expect(error.description.split('one of: ')[1]).not.toContain('off.test');
  });

  test('RS04: more than one distinct resource MUST be refused', () => {
    const two = ['https://rs1.test/mcp', 'https://rs2.test/mcp'];
    expect(refusal({ requested: two, resources: [rs1, rs2] }).error).toBe('invalid_target');
    const withUnknown = ['https://rs1.test/mcp', 'https://evil.test/mcp'];
    expect(refusal({ requested: withUnknown, resources: [rs1, rs2] }).error).toBe('invalid_target');
  });

  test('spellings and aliases of one resource are not distinct', () => {
    const requested = ['https://rs1.test/mcp', 'https://RS1.test/mcp/', 'urn:rs:one'];
    expect(chooseResource({ requested, resources: [rs1, rs2] })).toBe(rs1);
  });

  test('a missing or empty resource is the default one', () => {
    const resources = [rs1, rs2];
    const defaultResource = 'https://RS2.test/mcp';
    expect(chooseResource({ requested: [], resources, defaultResource })).toBe(rs2);
    expect(chooseResource({ requested: [''], resources, defaultResource })).toBe(rs2);
  });

  test('without a default it is the only enabled resource; the built-in one never counts', () => {
    expect(chooseResource({ requested: [], resources: [api, rs1, off] })).toBe(rs1);
    expect(onlyResource([api])).toBeUndefined();
    expect(refusal({ requested: [], resources: [api] }).error).toBe('invalid_target');
  });

  test('else it is refused with what to send, the built-in one left out', () => {
    const { error, description } = refusal({ requested: [], resources: [rs1, rs2, api] });
    expect(error).toBe('invalid_target');
    expect(description).toContain('https://rs1.test/mcp https://rs2.test/mcp/');
    expect(description).not.toContain('as.test');
    expect(refusal({ requested: [], resources: [] }).description).toContain('No resource');
  });

  test('a default that is not registered is never replaced by another resource', () => {
    const request = { requested: [], resources: [rs1], defaultResource: 'https://gone.test' };
    expect(refusal(request).error).toBe('invalid_target');
    expect(refusal({ ...request, defaultResource: 'nonsense' }).error).toBe('invalid_target');
    const builtin = { ...request, resources: [rs1, api], defaultResource: api.uri };
    expect(refusal(builtin).error).toBe('invalid_target');
  });

  test('the built-in resource is there for who names it', () => {
    const request = { requested: ['https://as.test/api'], resources: [rs1, api] };
    expect(chooseResource(request)).toBe(api);
  });

  test('a client is held to its resources, asked for or defaulted', () => {
    const client = { resources: ['https://RS2.test/mcp'] };
    const request = { resources: [rs1, rs2], client };
    expect(chooseResource({ ...request, requested: ['https://rs2.test/mcp'] })).toBe(rs2);
    const error = refusal({ ...request, requested: ['https://rs1.test/mcp'] });
    expect(error.error).toBe('invalid_target');
    expect(error.description).toContain('may not ask for the resource https://rs1.test/mcp');
    expect(error.description).toContain('one of: https://rs2.test/mcp/');
    expect(refusal({ requested: [], resources: [rs1], client }).error).toBe('invalid_target');
    expect(refusal({ requested: [], resources: [rs1], client: { resources: [] } }).error).toBe(
      'invalid_target',
    );
    expect(mayAskFor({ resources: ['urn:rs:one'] }, rs1)).toBe(true);
    expect(mayAskFor({ resources: ['nonsense', ''] }, rs1)).toBe(false);
    expect(mayAskFor({}, rs1)).toBe(true);
    expect(mayAskFor(undefined, rs1)).toBe(true);
  });

  test('takes little time for many parameters and many resources', () => {
    const resources = Array.from({ length: 500 }, (_, index) =>
      aResource({ uri: `https://rs.test/${index}`, slug: `rs${index}` }),
    );
    const started = performance.now();
    const { description } = refusal({
      requested: Array.from({ length: 1000 }, (_, index) => `https://evil.test/${index}`),
      resources,
    });
    expect(description.length).toBeLessThanOrEqual(1000);
    expect(refusal({ requested: [], resources }).description).toContain('and 490 more');
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

test('protected resource metadata names the registered URI byte for byte (RFC 9728 §3.3)', () => {
  expect(protectedResourceMetadata(rs2, 'https://as.test')).toEqual({
    resource: 'https://rs2.test/mcp/',
    authorization_servers: ['https://as.test'],
    scopes_supported: ['read', 'write', 'admin'],
    bearer_methods_supported: ['header'],
    resource_name: 'Resource one',
  });
  const bound = protectedResourceMetadata(aResource({ dpop: 'required' }), 'https://as.test');
  expect(bound.dpop_bound_access_tokens_required).toBe(true);
});
