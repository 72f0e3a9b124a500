import { expect, test } from 'vitest';
import { ownPage, signInUrl } from './return-to.ts';

test.each([
  ['', '/account'],
  ['', '/account/workspaces/acme?done=invited'],
  ['', '/account/invitations/abc'],
  ['', '/connect/abc'],
  ['', '/reconnect/abc'],
  ['/tenant', '/tenant/account/workspaces/acme'],
])('a sign-in under %j may lead back to %j', (base, path) => {
  expect(ownPage(base, path)).toBe(path);
  expect(signInUrl(base, path)).toBe(
    `${base}/account/sign-in?return_to=${encodeURIComponent(path)}`,
  );
});

test.each([
  '//evil.test/account',
  '/\\evil.test/account',
  '/account/../../evil',
  '/account/../oauth/authorize?x=1',
  '/account/%2e%2e/oauth/authorize',
  '/account%2f..%2foauth/authorize',
  'https://evil.test/account',
  'account',
  '/accounts',
  '/oauth/authorize?client_id=x',
  '/login/abc',
  '/account/\u0000',
  '/account /x',
  `/account/${'x'.repeat(3000)}`,
  undefined,
  ['/account', '/account'],
])('a sign-in MUST NOT lead to %j (RU22, CN07)', (asked) => {
  expect(ownPage('', asked)).toBeUndefined();
});

test('a sign-in of an issuer with a path MUST NOT lead out of it', () => {
  expect(ownPage('/tenant', '/account')).toBeUndefined();
  expect(ownPage('/tenant', '/tenantx/account')).toBeUndefined();
});
