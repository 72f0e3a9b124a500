import { describe, expect, test } from 'vitest';
import { aTarget, source } from './token-exchange.testing.ts';
import { narrowedScopes, scopesForTarget } from './token-exchange-scopes.ts';

const invalid = expect.objectContaining({ error: 'invalid_scope' });

describe('for the own resource', () => {
  const narrow = (requested: string | undefined, held = 'write') =>
    narrowedScopes({ requested, held, source });

  test.each([
    ['omitted: all that the subject has, no more', undefined, ['write']],
    ['empty', ' ', ['write']],
    ['offline_access and identity scopes alone mean nothing', 'openid offline_access', ['write']],
    ['the same', 'write', ['write']],
    ['what is implied', 'read', ['read']],
    ['both, and a habit', 'read write offline_access', ['read', 'write']],
  ])('%s', (_what, requested, expected) => {
    expect(narrow(requested)).toEqual(expected);
  });

  test.each([
    ['more', 'admin'],
    ['more beside what is allowed', 'read admin'],
    ['what no resource has', 'nonsense'],
    ['another case', 'READ'],
  ])('%s MUST be refused with invalid_scope (TX04)', (_what, requested) => {
    expect(() => narrow(requested)).toThrow(invalid);
  });
});

describe('for another resource', () => {
  const caller = { clientId: 'GW' };
  const forTarget = (changes: Partial<Parameters<typeof scopesForTarget>[0]>) =>
    scopesForTarget({
      requested: undefined,
      held: 'write',
      source,
      target: aTarget(),
      caller,
      consented: undefined,
      user: undefined,
      ...changes,
    });
  const limited = aTarget({ access: [{ groups: ['staff'], scopes: ['use'] }] });
  const staff = { id: 'usr_alice', groups: ['staff'] };

  test.each([
    ['omitted under consent: what was consented', { consented: ['manage'] }, ['manage']],
    ['part of it', { consented: ['manage', 'use'], requested: 'use' }, ['use']],
    ['what consent implies', { consented: ['manage'], requested: 'use' }, ['use']],
    ['the rest is cut', { consented: ['use'], requested: 'use manage' }, ['use']],
    ['unknown ones are dropped', { consented: ['use'], requested: 'use other' }, ['use']],
    [
      'omitted under a policy: the defaults',
      { target: aTarget({ defaultScopes: ['use'] }) },
      ['use'],
    ],
    ['without defaults all but what is held back', {}, ['use', 'manage']],
    ['asked for under a policy', { requested: 'manage' }, ['manage']],
    ['the ceiling of the client', { caller: { ...caller, scope: 'use' } }, ['use']],
    ['the ceiling of the user', { target: limited, user: staff }, ['use']],
    ['a scope of both that the subject has', { held: 'admin', requested: 'admin' }, ['admin']],
    ['identity scopes alone', { consented: ['use'], requested: 'openid' }, ['use']],
  ])('%s', (_what, changes, expected) => {
    expect(forTarget(changes)).toEqual(expected);
  });

  test.each([
    ['nothing of it is consented', { consented: ['use'], requested: 'manage' }],
    ['the consent is empty', { consented: [] }],
    ['the consent is empty and only habits are asked for', { consented: [], requested: 'openid' }],
    ['scopes of the source are asked for', { requested: 'write' }],
    [
      'the client may have none of it',
      { requested: 'manage', caller: { ...caller, scope: 'use' } },
    ],
    ['the user may have none of it', { target: limited, user: { ...staff, groups: [] } }],
    ['both resources have it, the subject has not', { requested: 'admin' }],
    ['that is so even under consent', { requested: 'admin', consented: ['admin'] }],
  ])('MUST be refused with invalid_scope when %s', (_what, changes) => {
    expect(() => forTarget(changes)).toThrow(invalid);
  });
});
