import { describe, expect, test } from 'vitest';
import { check, load } from './load.testing.ts';
import { claimNameProblem, reservedClaims, webhookKey } from './schema-claims.ts';

const resource = 'slug: a, uri: https://a.example/mcp, scopes: [{name: x}]';
const withClaims = (claims: string) => `resources: [{${resource}, claims: ${claims}}]`;
const withHook = (hook: string) => `resources: [{${resource}, claims_hook: ${hook}}]`;
const secret = '0123456789abcdefghijklmn';

test('every kind of source is accepted and kept as written', () => {
  const claims = `{mail: user.email, plan: {value: pro}, n: {value: [1, x, true]}, admin: {group: admins}, teams: {groups: [red]}, "https://a.example/app": client.client_id}`;
  expect(load(withClaims(claims)).config.resources[0]?.claims).toEqual({
    mail: 'user.email',
    plan: { value: 'pro' },
    n: { value: [1, 'x', true] },
    admin: { group: 'admins' },
    teams: { groups: ['red'] },
    'https://a.example/app': 'client.client_id',
  });
  expect(load(`resources: [{${resource}}]`).config.resources[0]?.claims).toEqual({});
});

test.each([
  ['dpop: { enabled: false }', `resources: [{${resource}, dpop: required}]`, 'resources[0].dpop'],
  [
    'dpop: { enabled: false }',
    'clients: [{client_id: a, client_secret: 0123456789abcdef, redirect_uris: ["https://a.example/cb"], dpop_bound_access_tokens: true}]',
    'clients[0].dpop_bound_access_tokens',
  ],
])('%s contradicts %s', (off, demand, path) => {
  expect(check(`${off}\n${demand}`)).toEqual([
    expect.stringContaining(`${path}: demands DPoP, which dpop.enabled switches off. Fix: `),
  ]);
});

test('a constant that no database can store is refused', () => {
  expect(check(withClaims('{a: {value: "x\\0y"}}'))).toEqual([
    expect.stringContaining('NUL character'),
  ]);
});

describe('a claim', () => {
  test.each(reservedClaims)('MUST NOT be named %s, which has a meaning', (name) => {
    expect(check(withClaims(`{${name}: user.id}`))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^c\\.yaml:1: resources\\[0\\]\\.claims\\.${name}: is a claim that the server or a standard gives a meaning to\\. Fix: .+\\.$`,
        ),
      ),
    ]);
  });

  test.each([
    '',
    ' a',
    'a b',
    '9a',
    '_a',
    '__proto__',
    'é',
    'a'.repeat(65),
    'https://',
    'urn:x',
    'ftp://a/b',
  ])('cannot be named %j', (name) => {
    expect(claimNameProblem(name)?.problem).toBe('is not usable as the name of a claim');
  });

  test.each(['a', 'email', 'Role-1', 'com.example.role', 'a_b', 'https://a.example/claims#role'])(
    'may be named %s',
    (name) => {
      expect(claimNameProblem(name)).toBeUndefined();
    },
  );

  test.each([
    ['{a: user.emial}', '"user.emial" is no attribute', 'write one of user.id, user.email'],
    ['{a: workspace.nmae}', 'is no attribute', 'workspace.id'],
    ['{a: user.password_hash}', 'is no attribute', 'write one of'],
    ['{a: {vale: 1}}', 'is not understood', 'A source is an attribute'],
    ['{a: {value: 1, group: x}}', 'is not understood', 'A source is'],
    ['{a: {value: {b: 1}}}', 'is not understood', 'A source is'],
    ['{a: {groups: []}}', 'is too short', 'list at least 1'],
    ['{a: 5}', 'is not understood', 'A source is'],
    ['[a]', 'is not', 'A source is'],
  ])('cannot come from %s', (claims, problem, fix) => {
    const lines = check(withClaims(claims));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(problem);
    expect(lines[0]).toContain(fix);
  });

  test('and all others are limited in size, since tokens travel in headers', () => {
    expect(check(withClaims(`{a: {value: ${'x'.repeat(2048)}}}`))).toEqual([
      expect.stringContaining('resources[0].claims: is larger than 2048 bytes'),
    ]);
  });
});

describe('a claims hook', () => {
  test('denies after a second unless told otherwise', () => {
    const { config } = load(withHook(`{url: https://a.example/h, secret: ${secret}}`));
    expect(config.resources[0]?.claims_hook).toEqual({
      url: 'https://a.example/h',
      secret,
      timeout: 1,
      on_failure: 'deny',
    });
  });

  test.each(['https://10.0.0.1/h', 'http://127.0.0.1:8000/h', 'http://localhost/h'])(
    'may be at %s',
    (url) => {
      expect(check(withHook(`{url: "${url}", secret: ${secret}}`))).toEqual([]);
    },
  );

  test.each([
    [`{url: http://hooks.example/h, secret: ${secret}}`, 'claims_hook.url', 'is not an https URL'],
    [`{url: "http://10.0.0.1/h", secret: ${secret}}`, 'claims_hook.url', 'is not an https URL'],
    ['{url: https://a.example/h}', 'claims_hook.secret', 'is missing'],
    ['{url: https://a.example/h, secret: short}', 'claims_hook.secret', 'is too short'],
    [
      '{url: https://a.example/h, secret: whsec_short-and-no-base64}',
      'claims_hook.secret',
      'is no key of 24 bytes',
    ],
    [
      `{url: https://a.example/h, secret: ${secret}, timeout: 6s}`,
      'claims_hook.timeout',
      'must lie',
    ],
    [`{url: https://a.example/h, secret: ${secret}, on_failure: x}`, 'on_failure', 'is not one of'],
  ])('cannot be %s', (hook, key, problem) => {
    const lines = check(withHook(hook));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(key);
    expect(lines[0]).toContain(problem);
    expect(lines[0]).not.toContain(secret);
  });
});

test('the key of a secret is what follows whsec_ in base64, or the text', () => {
  const key = Buffer.alloc(32, 5);
  expect(webhookKey(`whsec_${key.toString('base64')}`)).toEqual(key);
  expect(webhookKey(secret)).toEqual(Buffer.from(secret));
  expect(webhookKey(`whsec_${Buffer.alloc(23).toString('base64')}`)).toBeUndefined();
});

test('exchange is served: its policy has defaults and no warning', () => {
  const { config, warnings } = load(
    `resources: [{${resource}, exchange: {clients: [g], impersonation: [g]}}]
clients: [{client_id: g, client_secret: ${secret}, grant_types: [client_credentials]}]`,
  );
  expect(config.resources[0]?.exchange).toEqual({
    clients: ['g'],
    consent: 'required',
    impersonation: ['g'],
  });
  expect(warnings).toEqual([]);
});
