import { describe, expect, it } from 'vitest';
import { aResource } from '../resources/resource.testing.ts';
import {
  checkTokenLife,
  checkTokenName,
  checkTokenScopes,
  checkTokenWorkspace,
  isUseStale,
  offeredLives,
  PersonalTokenRefusal,
  refusedResource,
  resourcesFor,
  standingScopes,
} from './personal-access-tokens-policy.ts';

const day = 86_400;
const ada = { id: 'usr_ada', email: 'ada@example.test', groups: ['staff'] };
const limited = aResource({ access: [{ groups: ['staff'], scopes: ['write'] }] });

/** The field that a refusal names. */
function refusedField(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof PersonalTokenRefusal) return error.field;
    throw error;
  }
  return undefined;
}

it.each([
  ['  CI on\tmy laptop ', 'CI on my laptop'],
  ['evil\u202Egpj.exe', 'evilgpj.exe'],
  ['x'.repeat(100), 'x'.repeat(100)],
])('a name is kept as it can be shown: %j', (given, kept) => {
  expect(checkTokenName(given)).toBe(kept);
});

it.each(['', '  ', '\u200b\u202e', 'x'.repeat(101)])('the name %j is refused', (name) => {
  expect(refusedField(() => checkTokenName(name))).toBe('name');
});

it.each([
  [undefined, 365 * day, 90 * day],
  [undefined, 30 * day, 30 * day],
  [60, 365 * day, 60],
  [365 * day, 365 * day, 365 * day],
])('an expiry of %j under a maximum of %d s is %d s', (asked, maximum, life) => {
  expect(checkTokenLife(asked, maximum)).toBe(life);
});

it.each([
  [365 * day + 1, 365 * day],
  [59, 365 * day],
  [0, 365 * day],
  [-1, 365 * day],
  [Number.NaN, 365 * day],
  [Number.POSITIVE_INFINITY, 365 * day],
  [60.5, 365 * day],
])('an expiry of %d s under a maximum of %d s is refused', (asked, maximum) => {
  expect(refusedField(() => checkTokenLife(asked, maximum))).toBe('expires');
});

it.each([
  [365 * day, [7, 30, 90, 180, 365], 90],
  [400 * day, [7, 30, 90, 180, 365, 400], 90],
  [30 * day, [7, 30], 30],
  [day, [1], 1],
])('under a maximum of %d s a form offers the days %j', (maximum, days, usual) => {
  expect(offeredLives(maximum)).toEqual({
    lives: days.map((count) => count * day),
    usual: usual * day,
  });
});

it('scopes are those that were asked for, in the order of the resource', () => {
  expect(checkTokenScopes(['write', 'read', 'write'], aResource(), ada)).toEqual(['read', 'write']);
});

it('a scope that is implied by the ceiling is within it', () => {
  expect(checkTokenScopes(['read'], limited, ada)).toEqual(['read']);
});

it.each([
  ['none', []],
  ['an unknown one beside a known one', ['read', 'delete']],
  ['one above the ceiling (TK12)', ['read', 'admin']],
  ['offline_access', ['offline_access']],
])('scopes are refused, never dropped in silence: %s', (_what, scopes) => {
  expect(refusedField(() => checkTokenScopes(scopes, limited, ada))).toBe('scope');
});

it('who may use nothing at a resource can make no token for it', () => {
  const eve = { id: 'usr_eve', email: 'eve@example.test', groups: [] };
  expect(refusedField(() => checkTokenScopes(['read'], limited, eve))).toBe('scope');
  expect(resourcesFor(eve, [limited])).toEqual([]);
});

it('a form offers only resources that take personal access tokens, with the scopes within the ceiling', () => {
  const others = [
    aResource({ dpop: 'required' }),
    aResource({ workspaceScoped: true }),
    aResource({ enabled: false }),
  ];
  expect(resourcesFor(ada, [...others, limited])).toEqual([
    { resource: limited, scopes: ['read', 'write'] },
  ]);
});

it('a resource that demands DPoP takes none', () => {
  expect(refusedResource(aResource())).toBeUndefined();
  expect(refusedResource(aResource({ dpop: 'required' }))).toContain('DPoP');
});

describe('a workspace-scoped resource', () => {
  const scoped = aResource({
    workspaceScoped: true,
    access: [{ scopes: ['read'] }, { roles: ['admin'], scopes: ['write'] }],
  });
  const member = { ...ada, workspaceRoles: ['member'] };
  const admin = { ...ada, workspaceRoles: ['admin'] };

  it('is offered to members of a workspace only, with what their roles allow', () => {
    expect(resourcesFor(ada, [scoped])).toEqual([]);
    expect(resourcesFor(member, [scoped])).toEqual([{ resource: scoped, scopes: ['read'] }]);
    expect(resourcesFor(admin, [scoped])[0]?.scopes).toEqual(['read', 'write']);
  });

  it('roles MUST NOT count where no workspace is granted', () => {
    const plain = { ...scoped, workspaceScoped: false };
    expect(resourcesFor(admin, [plain])[0]?.scopes).toEqual(['read']);
  });

  it('a token for it MUST name a workspace, and one for another MUST NOT', () => {
    expect(checkTokenWorkspace('w1', scoped)).toBe('w1');
    expect(checkTokenWorkspace(undefined, aResource())).toBeUndefined();
    const refused = expect.objectContaining({ field: 'workspace', error: 'invalid_target' });
    expect(() => checkTokenWorkspace(undefined, scoped)).toThrow(refused);
    expect(() => checkTokenWorkspace('w1', aResource())).toThrow(refused);
  });

  it('a token MUST lose what the role does not allow any more, and all without a workspace', () => {
    expect(standingScopes(['read', 'write'], scoped, admin)).toEqual(['read', 'write']);
    expect(standingScopes(['read', 'write'], scoped, member)).toEqual(['read']);
    expect(standingScopes(['read', 'write'], scoped, ada)).toEqual([]);
  });
});

it('what the operator takes away later a token MUST lose', () => {
  expect(standingScopes(['read', 'admin'], aResource(), ada)).toEqual(['read', 'admin']);
  expect(standingScopes(['read', 'admin'], limited, ada)).toEqual(['read']);
  expect(standingScopes(['read'], limited, { ...ada, groups: [] })).toEqual([]);
  expect(standingScopes(['read'], aResource({ dpop: 'required' }), ada)).toEqual([]);
});

it('a use is noted again after a minute', () => {
  const now = new Date('2026-06-01T00:01:00Z');
  expect(isUseStale(null, now)).toBe(true);
  expect(isUseStale(new Date('2026-06-01T00:00:00Z'), now)).toBe(false);
  expect(isUseStale(new Date('2026-05-31T23:59:59.999Z'), now)).toBe(true);
});
