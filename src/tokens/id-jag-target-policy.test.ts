import { describe, expect, test } from 'vitest';
import { OAuthError } from '../oauth/index.ts';
import { aResource } from '../resources/resource.testing.ts';
import { IdJagRefusal } from './id-jag-refusals.ts';
import { chooseAssertedResource, chooseAssertedScopes } from './id-jag-target-policy.ts';

const one = aResource({ uri: 'https://rs.test/mcp', defaultScopes: ['read'] });

function failure(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof IdJagRefusal) return `${error.error} ${error.reason}`;
    if (error instanceof OAuthError) return error.error;
    throw error;
  }
}

describe('the resource of an assertion', () => {
  const choose = (
    resource: unknown,
    {
      requested = [],
      issuer = {},
      client = {},
      source = 'config',
    }: {
      requested?: string[];
      issuer?: { clients?: string[]; resources?: string[] };
      client?: { resources?: string[] };
      source?: 'config' | 'builtin';
    } = {},
  ) =>
    chooseAssertedResource(
      { resource },
      {
        requested,
        resolve: (uri) => (one.uri === uri ? { ...one, source } : undefined),
        issuer,
        client: { clientId: 'app', ...client },
      },
    ).uri;

  test('is the registered one that it names', () => {
    expect(choose(one.uri)).toBe(one.uri);
    expect(choose([one.uri])).toBe(one.uri);
    expect(choose(one.uri, { requested: ['HTTPS://rs.test/mcp/', ''] })).toBe(one.uri);
    expect(choose(one.uri, { issuer: { clients: ['app'], resources: [`${one.uri}/`] } })).toBe(
      one.uri,
    );
  });

  test.each<[unknown, Parameters<typeof choose>[1], string]>([
    [undefined, {}, 'invalid_grant resource'],
    ['', {}, 'invalid_grant resource'],
    [[], {}, 'invalid_grant resource'],
    [[one.uri, one.uri], {}, 'invalid_grant resource'],
    ['https://other.test', {}, 'invalid_grant resource'],
    [one.uri, { source: 'builtin' }, 'invalid_grant resource'],
    [one.uri, { issuer: { clients: [] } }, 'invalid_grant client_not_allowed'],
    [one.uri, { issuer: { resources: [] } }, 'invalid_grant resource_not_allowed'],
    [one.uri, { client: { resources: [] } }, 'invalid_grant resource_not_allowed_for_client'],
    [one.uri, { requested: ['https://other.test'] }, 'invalid_target resource_mismatch'],
    [one.uri, { requested: [one.uri, 'https://other.test'] }, 'invalid_target resource_mismatch'],
  ])('%j with %j MUST be refused: %s', (claim, options, expected) => {
    expect(failure(() => choose(claim, options))).toBe(expected);
  });
});

describe('the scopes of an assertion', () => {
  interface Case {
    claim?: string;
    requested?: string;
    issuer?: string[];
    client?: string;
    allowed?: string[];
    requireScope?: boolean;
  }
  const choose = ({ claim, requested, issuer, client, allowed, requireScope = false }: Case) =>
    chooseAssertedScopes(
      { ...(claim !== undefined && { scope: claim }) },
      {
        requested,
        resource: allowed ? { ...one, access: [{ scopes: allowed }] } : one,
        issuer: issuer ? { scopes: issuer } : {},
        client: client === undefined ? {} : { scope: client },
        user: { id: 'usr_1', groups: [] },
        requireScope,
      },
    ).join(' ');

  test.each<[Case, string]>([
    [{ claim: 'read write' }, 'read write'],
    [{}, 'read'],
    [{ claim: '' }, 'read'],
    [{ claim: 'openid offline_access' }, 'read'],
    [{ claim: 'read nope' }, 'read'],
    [{ claim: 'write', requested: 'read' }, 'read'],
    [{ claim: 'read', requested: 'read write' }, 'read'],
    [{ claim: 'write', requested: 'openid' }, 'write'],
    [{ requested: 'read write' }, 'read'],
    [{ claim: 'read write', issuer: ['read'] }, 'read'],
    [{ claim: 'read', issuer: ['write'] }, 'read'],
    [{ claim: 'read write', client: 'read' }, 'read'],
    [{ claim: 'read write', allowed: ['read'] }, 'read'],
    [{ claim: 'read', requireScope: true }, 'read'],
    [{ requested: 'read', requireScope: true }, 'read'],
  ])('%j gives %s', (given, scopes) => {
    expect(choose(given)).toBe(scopes);
  });

  test.each<[Case, string]>([
    [{ claim: 'nope' }, 'invalid_grant scope'],
    [{ claim: 'read', requested: 'write' }, 'invalid_scope scope_not_allowed'],
    [{ claim: 'read', requested: 'nope' }, 'invalid_scope scope_not_allowed'],
    [{ requested: 'write' }, 'invalid_scope scope_not_allowed'],
    [{ claim: 'write', issuer: ['read'] }, 'invalid_scope scope_not_allowed'],
    [{ claim: 'write', issuer: [] }, 'invalid_scope scope_not_allowed'],
    [{ claim: 'write', client: 'read' }, 'invalid_scope'],
    [{ claim: 'write', allowed: ['read'] }, 'invalid_scope'],
    [{ requireScope: true }, 'invalid_scope'],
  ])('%j MUST be refused: %s', (given, expected) => {
    expect(failure(() => choose(given))).toBe(expected);
  });
});
