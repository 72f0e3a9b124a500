import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';
import { check, load } from './load.testing.ts';
import { nearest } from './nearest.ts';
import { decodeKey, parseAddress } from './values.ts';

describe('durations', () => {
  test.each([
    ['0s', 0],
    ['30s', 30],
    ['15m', 900],
    ['168h', 604_800],
    ['90d', 7_776_000],
    ['1h30m', 5400],
  ])('%s is %i seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
    expect(parseDuration(formatDuration(seconds))).toBe(seconds);
  });

  test.each(['', '15', '15 m', '-1s', '1.5h', 'm', '15M', '1w', '15m ', '1e3s'])(
    '"%s" is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test.each([
    ['900', '900 is not a duration. Fix: add a unit: 900s is seconds, 900m minutes'],
    ['"900"', '"900" is not a duration. Fix: add a unit: 900s is seconds'],
    ['15x', '"15x" is not a duration. Fix: write a number and a unit (s, m, h, d), such as 15m'],
    ['[15m]', 'is not a duration. Fix: write a number and a unit'],
    ['11m', 'must lie between 1s and 10m. Fix: write a duration from 1s to 10m'],
    ['0s', 'must lie between 1s and 10m'],
    ['~', 'has no value. Fix: give it a value or remove the line'],
  ])('code_ttl: %s is refused with the fix', (text, problem) => {
    expect(check(`oauth:\n  code_ttl: ${text}\n`)).toEqual([expect.stringContaining(problem)]);
  });

  test('are refused without a unit in the environment too', () => {
    expect(check('', { AUTHPLANE_OAUTH_CODE_TTL: '60' })).toEqual([
      expect.stringMatching(
        /^env:AUTHPLANE_OAUTH_CODE_TTL: oauth\.code_ttl: "60" is not a duration\. Fix: add a unit/,
      ),
    ]);
  });
});

describe('types', () => {
  test.each([
    ['oauth: {require_scope: yes}', '"yes" is not true or false. Fix: write true or false.'],
    ['server: {workers: many}', '"many" is not a number. Fix: write a whole number.'],
    ['server: {workers: 1.5}', '1.5 is not a whole number. Fix: write a whole number.'],
    ['server: {workers: 0}', '0 is too small. Fix: write at least 1.'],
    [
      'server: {trusted_proxies: ::1}',
      '"::1" is not a list. Fix: write a list such as [one, two].',
    ],
    [
      'server: {trusted_proxies: [10.0.0.0/33]}',
      'is not an IP address or CIDR range. Fix: write 10.0.0.0/8',
    ],
    [
      'server: {address: localhost}',
      '"localhost" is not host:port. Fix: write it as 127.0.0.1:9000',
    ],
    ['server: 9000', '9000 is not a mapping. Fix: write its keys indented below it.'],
    ['clients: {client_id: a}', 'is not a list. Fix: write a list: one "- " for each row'],
    ['admin: {external_url: 5}', '5 is not text. Fix: put the value in quotes.'],
    ['dcr: {mode: opne}', '"opne" is not one of the choices. Fix: write open.'],
    [
      'dcr: {mode: whatever}',
      'Fix: write one of open, approved_redirects, initial_access_token, admin_only.',
    ],
    [
      'resources: [{slug: a, uri: https://a.example}]',
      'resources[0].scopes: is missing. Fix: write a list',
    ],
    [
      'cimd: {denied_hosts: [https://a.example]}',
      'is not a host name. Fix: write a host such as example.com',
    ],
    ['admin: {external_url: "https://a.example/#x"}', 'is not an http or https URL'],
    [
      'users: [{email: a@b.c, workspaces: [{slug: a}]}]',
      'Fix: write a slug, or {slug: …, role: member}.',
    ],
  ])('%s is refused with the fix', (yaml, problem) => {
    expect(check(yaml)).toEqual([expect.stringContaining(problem)]);
  });
});

describe('unknown names', () => {
  test.each([
    [
      'oauth: {requireScope: true}',
      'oauth.requireScope: is not a known key. Fix: write require_scope.',
    ],
    ['oauth: {require-scope: true}', 'Fix: write require_scope.'],
    ['sevrer: {}', 'sevrer: is not a known key. Fix: write server.'],
    ['issuer: x', 'issuer: is not a known key. Fix: write it as server.issuer.'],
    ['device: {xyz: 1}', 'device.xyz: is not a known key. Fix: remove it; known here: enabled.'],
    ['users: [{email: a@b.c, mail: x}]', 'users[0].mail: is not a known key. Fix: write email.'],
    ['constructor: 1', 'constructor: is not a known key.'],
  ])('%s is refused with the nearest', (yaml, problem) => {
    expect(check(yaml)).toEqual([expect.stringContaining(problem)]);
  });

  test.each([
    [
      'AUTHPLANE_OAUTH_REQUIRE_SCOP',
      'is not a known variable. Fix: write AUTHPLANE_OAUTH_REQUIRE_SCOPE.',
    ],
    ['AUTHPLANE_WHATEVER', 'is not a known variable. Fix: unset it;'],
    [
      'AUTHPLANE_CLIENTS',
      'clients: cannot be set by the environment. Fix: declare it in the configuration file.',
    ],
    ['AUTHPLANE_CLIENTS_0_CLIENT_ID', 'clients: cannot be set by the environment.'],
  ])('%s is refused', (variable, problem) => {
    expect(check('', { [variable]: 'x' })).toEqual(
      [`env:${variable}: ${problem}`].map((line) => expect.stringContaining(line)),
    );
  });

  test('a word too far from all is not guessed at', () => {
    expect(nearest('abc', ['xyz', 'server'])).toBeUndefined();
  });
});

test.each([
  ['127.0.0.1:9000', { host: '127.0.0.1', port: 9000 }],
  [':0', { host: undefined, port: 0 }],
  ['[::1]:9001', { host: '::1', port: 9001 }],
  ['db.internal:65535', { host: 'db.internal', port: 65_535 }],
  ['::1:9000', undefined],
  [':65536', undefined],
  ['9000', undefined],
  ['http://a:1', undefined],
])('the address %s', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test('a key is 32 bytes in either alphabet, padded or not', () => {
  const bytes = Buffer.alloc(32, 0xfb);
  expect(decodeKey(bytes.toString('base64'))).toEqual(bytes);
  expect(decodeKey(bytes.toString('base64url'))).toEqual(bytes);
  expect(decodeKey(bytes.subarray(1).toString('base64'))).toBeUndefined();
  expect(decodeKey('x'.repeat(44))).toBeUndefined();
});

test('an api key of 16 characters, hosts in lower case and a role in a workspace are read', () => {
  const { config } = load(
    'admin: {api_key: sixteen-letters-}\ncimd: {allowed_hosts: ["*.Example.com"]}\nworkspaces: [{slug: a}, {slug: b}]\nusers: [{email: a@b.c, workspaces: [a, {slug: b, role: admin}]}]',
  );
  expect(config.admin.api_key).toBe('sixteen-letters-');
  expect(config.cimd.allowed_hosts).toEqual(['*.example.com']);
  expect(config.users[0]?.workspaces).toEqual([
    { slug: 'a', role: 'member' },
    { slug: 'b', role: 'admin' },
  ]);
});
