import { describe, expect, test } from 'vitest';
import { isComplete, isSubject, readPerson } from './federation-policy.ts';

const none = { groups_claim: 'groups', roles: {}, groups: {} };
const mapped = {
  groups_claim: 'https://acme.test/groups',
  roles: { everyone: 'viewer', admins: 'owner', ops: 'operator' },
  groups: { eng: 'staff', sales: 'sellers' },
} as const;
const claims = (...groups: unknown[]) => ({ 'https://acme.test/groups': groups });

describe('the role', () => {
  test.each([
    [['everyone', 'ops'], 'operator'],
    [['admins', 'everyone'], 'owner'],
    [['strangers'], null],
    [[], null],
    [['constructor', '__proto__', 'toString'], null],
    [[{ name: 'admins' }, 5, null, ['admins']], null],
  ])('of somebody in %j is %s', (groups, role) => {
    expect(readPerson(mapped, claims(...groups)).role).toBe(role);
  });

  test('is left alone where no group is mapped to one', () => {
    expect(readPerson(none, { groups: ['admins'] }).role).toBeUndefined();
  });

  test('comes from a lone group written as text, too, and is taken away where the claim is missing', () => {
    expect(readPerson(mapped, { 'https://acme.test/groups': 'ops' }).role).toBe('operator');
    expect(readPerson(mapped, {}).role).toBeNull();
  });
});

describe('groups', () => {
  test('that are mapped come and go; all others stay', () => {
    const { groups } = readPerson(mapped, claims('sales', 'sales', 'unknown'));
    expect(groups(['ours', 'staff'])).toEqual(['ours', 'sellers']);
    expect(readPerson(mapped, claims()).groups(['ours', 'staff'])).toEqual(['ours']);
    expect(readPerson(none, { groups: ['x'] }).groups(['ours'])).toEqual(['ours']);
  });
});

describe('what a person is called', () => {
  test.each([
    [
      { name: 'Ada', email: 'ada@x.test' },
      { name: 'Ada', email: 'ada@x.test' },
    ],
    [
      { given_name: 'Ada', family_name: 'L.' },
      { name: 'Ada L.', email: undefined },
    ],
    [
      { name: ' ', email: 'no address' },
      { name: undefined, email: undefined },
    ],
    [
      { name: 'a\0b', email: 'a\0@x.test' },
      { name: undefined, email: undefined },
    ],
    [
      { name: ['Ada'], email: { a: 1 } },
      { name: undefined, email: undefined },
    ],
  ])('%j', (said, person) => {
    expect(readPerson(none, said)).toMatchObject(person);
  });
});

test('userinfo is asked where name, e-mail or mapped groups are missing', () => {
  const whole = { name: 'Ada', email: 'ada@x.test' };
  expect(isComplete(none, whole)).toBe(true);
  expect(isComplete(none, { name: 'Ada' })).toBe(false);
  expect(isComplete(mapped, whole)).toBe(false);
  expect(isComplete(mapped, { ...whole, ...claims() })).toBe(true);
});

test('a subject has 1 to 255 characters that can be stored', () => {
  for (const subject of ['', 'x'.repeat(256), 'a\0', '\ud800'])
    expect(isSubject(subject)).toBe(false);
  for (const subject of ['x', 'x'.repeat(255), 'auth0|5f']) expect(isSubject(subject)).toBe(true);
});
