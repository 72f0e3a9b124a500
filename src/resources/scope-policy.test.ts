import { describe, expect, test } from 'vitest';
import { OAuthError } from '../oauth/index.ts';
import { chooseScopes, impliedScopes, scopesOfUser } from './index.ts';
import { aResource } from './resource.testing.ts';

const resource = aResource();
const alice = { id: 'usr_alice', email: 'Alice@Example.com', groups: ['staff'] };
const bob = { id: 'usr_bob', email: 'bob@example.com', groups: [] };

type Request = Partial<Parameters<typeof chooseScopes>[0]>;

function choose(request: Request) {
  return chooseScopes({ resource, requireScope: false, ...request });
}

function refusal(request: Request): OAuthError {
  try {
    choose(request);
  } catch (error) {
    if (error instanceof OAuthError) return error;
    throw error;
  }
  return expect.fail('was not refused');
}

describe('a missing scope', () => {
  test.each([
    undefined,
    '',
    '  ',
    'openid',
    'openid email profile',
    'offline_access',
    'openid profile email phone address offline_access',
  ])('%j is defaulted to all scopes of the resource', (requested) => {
    expect(choose({ requested })).toMatchObject({
      scopes: ['read', 'write', 'admin'],
      defaulted: true,
    });
  });

  test('is defaulted to default_scopes where the resource has them', () => {
    const limited = aResource({ defaultScopes: ['read', 'gone'] });
    expect(choose({ resource: limited }).scopes).toEqual(['read']);
  });

  test.each([undefined, 'openid email profile', 'offline_access'])(
    'MUST be refused where require_scope is true: %j',
    (requested) => {
      const error = refusal({ requested, requireScope: true });
      expect(error.error).toBe('invalid_scope');
      expect(error.description).toContain('read write admin');
    },
  );

  test('is cut by the ceilings of client and person, and refused when nothing is left', () => {
    expect(choose({ client: { scope: 'read other' } }).scopes).toEqual(['read']);
    expect(refusal({ client: { scope: 'other' } }).error).toBe('invalid_scope');
    expect(refusal({ client: { scope: '' } }).error).toBe('invalid_scope');
    const limited = aResource({ access: [{ groups: ['staff'], scopes: ['read'] }] });
    expect(choose({ resource: limited, user: alice }).scopes).toEqual(['read']);
    expect(refusal({ resource: limited, user: bob }).error).toBe('invalid_scope');
    expect(choose({ resource: limited }).scopes).toHaveLength(3);
  });
});

describe('a requested scope', () => {
  test('is granted as it was asked for, in its order, implied ones not added', () => {
    expect(choose({ requested: 'write read write' })).toEqual({
      scopes: ['write', 'read'],
      offlineAccess: false,
      dropped: [],
      defaulted: false,
    });
    expect(choose({ requested: ['admin'] }).scopes).toEqual(['admin']);
    expect(choose({ requested: ['admin', 'admin'], requireScope: true }).scopes).toEqual(['admin']);
  });

  test('unknown ones are dropped if some are known', () => {
    const choice = choose({ requested: 'openid read nothing * offline_access' });
    expect(choice).toEqual({
      scopes: ['read'],
      offlineAccess: true,
      dropped: ['openid', 'nothing', '*'],
      defaulted: false,
    });
  });

  test.each([
    'nothing',
    '*',
    'openid nothing',
    'offline_access nothing',
    'READ',
    'read\0',
    'r\u{435}ad',
    'read,write',
    'read\twrite',
    '\ud800',
    '__proto__',
    'constructor',
  ])('MUST be refused as invalid_scope if none is known: %j', (requested) => {
    const error = refusal({ requested });
    expect(error.error).toBe('invalid_scope');
    expect(error.description).toContain('read write admin');
  });

  test('RS07: a scope of another resource is not granted', () => {
    const other = aResource({ scopes: [{ name: 'rs2', description: 'x', implies: [] }] });
    expect(choose({ resource: other, requested: 'rs2 read' }).scopes).toEqual(['rs2']);
    expect(refusal({ resource: other, requested: 'read' }).error).toBe('invalid_scope');
  });

  test('offline_access is accepted and never is a scope of the resource', () => {
    const choice = choose({ requested: 'offline_access read' });
    expect(choice).toMatchObject({ scopes: ['read'], offlineAccess: true, dropped: [] });
    const client = { scope: 'read' };
    expect(choose({ requested: 'offline_access read', client }).offlineAccess).toBe(true);
  });

  test('MUST NOT exceed the ceiling of the client, which includes what it implies', () => {
    const client = { scope: 'write' };
    expect(choose({ requested: 'read write admin', client })).toMatchObject({
      scopes: ['read', 'write'],
      dropped: ['admin'],
    });
    const error = refusal({ requested: 'admin', client });
    expect(error.error).toBe('invalid_scope');
    expect(error.description).toContain('It may ask for: read write');
  });

  test('MUST NOT be granted at a resource that the client may not ask for', () => {
    const client = { resources: ['https://rs2.test/mcp'] };
    expect(refusal({ requested: 'read', client }).error).toBe('invalid_target');
  });

  test('MUST NOT exceed what the person may use', () => {
    const limited = aResource({ access: [{ users: ['alice@example.com'], scopes: ['write'] }] });
    const choice = choose({ resource: limited, requested: 'read write admin', user: alice });
    expect(choice).toMatchObject({ scopes: ['read', 'write'], dropped: ['admin'] });
    const error = refusal({ resource: limited, requested: 'admin', user: alice });
    expect(error.error).toBe('invalid_scope');
    expect(error.description).toContain('person');
  });

  test.each([
    ['500 unknown', Array.from({ length: 500 }, (_, index) => `s${index}`).join(' ')],
    ['100,000 duplicates', 'nothing '.repeat(100_000)],
    ['one of a million characters', 'x'.repeat(1_000_000)],
    ['NUL', 'a\0b c\0d'],
  ])('RS06: %s are refused quickly', (_title, requested) => {
    const started = performance.now();
    expect(refusal({ requested }).description.length).toBeLessThanOrEqual(1000);
    expect(performance.now() - started).toBeLessThan(1000); // 100 ms and slack for a busy machine
  });

  test('RS06: what was dropped is safe and short in the log', () => {
    const hostile = [
      '\0',
      '\ud800',
      'x'.repeat(1000),
      ...Array.from({ length: 500 }, (_, index) => `s${index}`),
    ];
    const { dropped } = choose({ requested: ['read', ...hostile] });
    expect(dropped).toHaveLength(50);
    expect(dropped.slice(0, 2)).toEqual(['?', '?']);
    expect(dropped[2]).toHaveLength(100);
  });
});

describe('access rules', () => {
  const limited = aResource({
    access: [
      { scopes: ['read'] },
      { users: ['usr_bob'], scopes: ['write'] },
      { groups: ['staff'], roles: ['admin'], scopes: ['admin'] },
    ],
  });

  test.each([
    ['someone', { id: 'usr_x', groups: [] }, ['read']],
    ['a user by id', bob, ['read', 'write']],
    ['a group', alice, ['read', 'admin', 'write']],
    [
      'a workspace role',
      { id: 'usr_x', groups: [], workspaceRoles: ['member', 'admin'] },
      ['read', 'admin', 'write'],
    ],
    ['another role', { id: 'usr_x', groups: [], workspaceRoles: ['member'] }, ['read']],
  ])('%s may use the scopes of all matching rules', (_title, user, scopes) => {
    expect(scopesOfUser(limited, user)).toEqual(scopes);
  });

  test('without a rule everybody may use everything, with rules who matches none may nothing', () => {
    expect(scopesOfUser(resource, bob)).toEqual(['read', 'write', 'admin']);
    const closed = aResource({ access: [{ groups: ['staff'], scopes: ['read'] }] });
    expect(scopesOfUser(closed, bob)).toEqual([]);
  });

  test('somebody without an address never matches a rule for addresses', () => {
    const rule = aResource({ access: [{ users: ['undefined', ''], scopes: ['read'] }] });
    expect(scopesOfUser(rule, { id: 'usr_x', groups: [] })).toEqual([]);
  });
});

test('implied scopes are followed through chains and cycles', () => {
  expect(impliedScopes(resource, ['admin'])).toEqual(['admin', 'write', 'read']);
  expect(impliedScopes(resource, ['unknown'])).toEqual(['unknown']);
  const cyclic = aResource({
    scopes: [
      { name: 'a', description: '', implies: ['b', 'outside'] },
      { name: 'b', description: '', implies: ['a'] },
    ],
  });
  expect(impliedScopes(cyclic, ['b'])).toEqual(['b', 'a', 'outside']);
});
