import { describe, expect, test } from 'vitest';
import { check, load } from './load.testing.ts';

const resource = 'slug: a, uri: https://a.example/mcp, scopes: [{name: x}, {name: y}]';
const client = 'client_id: c, redirect_uris: [https://a.example/cb]';

const cases: [rule: string, yaml: string, key: string, problem: string][] = [
  [
    'client ids are unique',
    `clients: [{${client}}, {${client}}]`,
    'clients[1].client_id',
    'is taken',
  ],
  [
    'a client_id is no user id',
    `clients: [{${client.replace('c,', 'usr_1,')}}]`,
    'clients[0].client_id',
    'looks like the id of a user',
  ],
  [
    'a client_id has no colon',
    `clients: [{${client.replace('c,', '"a:b",')}}]`,
    'clients[0].client_id',
    'is not a usable client_id',
  ],
  [
    'slugs are unique',
    `resources: [{${resource}}, {${resource.replace('a.example', 'b.example')}}]`,
    'resources[1].slug',
    'is taken',
  ],
  [
    'the slug of the workspace API is taken',
    `resources: [{${resource.replace('slug: a', 'slug: api')}}]`,
    'resources[0].slug',
    'belongs to the workspace API',
  ],
  [
    'the URI of the workspace API is taken, in any spelling',
    `resources: [{${resource.replace('https://a.example/mcp', 'http://LOCALHOST:9000/api/')}}]`,
    'resources[0].uri',
    'is the workspace API',
  ],
  [
    'no resource has the workspace API as an alias',
    `resources: [{${resource}, aliases: [https://b.example, http://localhost:9000/api]}]`,
    'resources[0].aliases[1]',
    'is the workspace API',
  ],
  [
    'resource URIs are unique in any spelling',
    `resources: [{${resource}}, {${resource.replace('slug: a', 'slug: b').replace('a.example/mcp', 'A.example:443/mcp/')}}]`,
    'resources[1].uri',
    'is already',
  ],
  [
    'an alias is no other resource',
    `resources: [{${resource}}, {slug: b, uri: https://b.example, aliases: [https://c.example, https://a.example/mcp], scopes: [{name: x}]}]`,
    'resources[1].aliases[1]',
    'is already',
  ],
  [
    'e-mail addresses are unique in any case',
    'users: [{email: a@b.c}, {email: A@B.C}]',
    'users[1].email',
    'is taken',
  ],
  ['workspaces are unique', 'workspaces: [{slug: a}, {slug: a}]', 'workspaces[1].slug', 'is taken'],
  [
    'a resource URI has no fragment',
    'resources: [{slug: a, uri: "https://a.example/#x", scopes: [{name: x}]}]',
    'resources[0].uri',
    'is not a resource URI',
  ],
  [
    'a resource URI is absolute',
    'resources: [{slug: a, uri: /mcp, scopes: [{name: x}]}]',
    'resources[0].uri',
    'is not a resource URI',
  ],
  [
    'default scopes exist',
    `resources: [{${resource}, default_scopes: [z]}]`,
    'resources[0].default_scopes',
    'names "z"',
  ],
  [
    'implied scopes exist',
    'resources: [{slug: a, uri: https://a.example, scopes: [{name: x, implies: [z]}]}]',
    'resources[0].scopes[0].implies',
    'names "z"',
  ],
  [
    'access scopes exist',
    `resources: [{${resource}, access: [{groups: [g], scopes: [z]}]}]`,
    'resources[0].access[0].scopes',
    'names "z"',
  ],
  [
    'scopes are declared once',
    'resources: [{slug: a, uri: https://a.example, scopes: [{name: x}, {name: x}]}]',
    'resources[0].scopes',
    'declares "x" twice',
  ],
  [
    'OpenID scopes are nobody’s',
    'resources: [{slug: a, uri: https://a.example, scopes: [{name: openid}]}]',
    'resources[0].scopes[0].name',
    'is reserved',
  ],
  [
    'clients’ resources exist',
    `clients: [{${client}, resources: [https://nope.example]}]`,
    'clients[0].resources[0]',
    'is no declared resource',
  ],
  [
    'a secret method needs a secret',
    `clients: [{${client}, token_endpoint_auth_method: client_secret_post}]`,
    'clients[0].client_secret',
    'is missing for client_secret_post',
  ],
  [
    'no method but a secret',
    `clients: [{${client}, token_endpoint_auth_method: none, client_secret: abc}]`,
    'clients[0].token_endpoint_auth_method',
    'is none, but',
  ],
  [
    'private_key_jwt needs keys',
    `clients: [{${client}, token_endpoint_auth_method: private_key_jwt}]`,
    'clients[0].jwks_uri',
    'is missing',
  ],
  [
    'keys come from one place',
    `clients: [{${client}, jwks: {keys: []}, jwks_uri: https://a.example}]`,
    'clients[0].jwks_uri',
    'is given beside jwks',
  ],
  [
    'keys are public',
    `clients: [{${client}, jwks: {keys: [{kty: EC, d: x}]}}]`,
    'clients[0].jwks',
    'holds private keys',
  ],
  [
    'machines authenticate',
    'clients: [{client_id: c, grant_types: [client_credentials]}]',
    'clients[0].grant_types',
    'needs a client that authenticates',
  ],
  [
    'machines that exchange tokens authenticate',
    'clients: [{client_id: c, grant_types: ["urn:ietf:params:oauth:grant-type:token-exchange"]}]',
    'clients[0].grant_types',
    'needs a client that authenticates',
  ],
  [
    'clients that present assertions authenticate',
    `clients: [{${client}, grant_types: [authorization_code, "urn:ietf:params:oauth:grant-type:jwt-bearer"]}]`,
    'clients[0].grant_types',
    'has urn:ietf:params:oauth:grant-type:jwt-bearer, which needs a client that authenticates',
  ],
  [
    'a client has keys in its key set',
    `clients: [{${client}, jwks: {keys: []}}]`,
    'clients[0].jwks',
    'has no key that could verify a signature',
  ],
  [
    'a trusted issuer has keys in its key set',
    'trusted_issuers: [{issuer: https://a.example, jwks: {keys: []}}]',
    'trusted_issuers[0].jwks',
    'has no key that could verify a signature',
  ],
  [
    'a key lies on its curve as far as its length tells',
    'trusted_issuers: [{issuer: https://a.example, jwks: {keys: [{kty: EC, crv: P-256, x: AA, y: AA}]}}]',
    'trusted_issuers[0].jwks',
    'has a key that is malformed or too short: keys[0]',
  ],
  [
    'a key for encryption verifies nothing',
    `trusted_issuers: [{issuer: https://a.example, jwks: {keys: [{kty: OKP, crv: Ed25519, x: ${'A'.repeat(43)}, use: enc}]}}]`,
    'trusted_issuers[0].jwks',
    'has no key that could verify a signature',
  ],
  [
    'a key that may only encrypt verifies nothing',
    `trusted_issuers: [{issuer: https://a.example, jwks: {keys: [{kty: OKP, crv: Ed25519, x: ${'A'.repeat(43)}, key_ops: [encrypt]}]}}]`,
    'trusted_issuers[0].jwks',
    'has no key that could verify a signature',
  ],
  [
    'a short RSA key signs nothing',
    'trusted_issuers: [{issuer: https://a.example, jwks: {keys: [{kty: RSA, n: AAAA, e: AQAB}]}}]',
    'trusted_issuers[0].jwks',
    'has a key that is malformed or too short: keys[0]',
  ],
  [
    'the code grant needs a redirect URI',
    'clients: [{client_id: c}]',
    'clients[0].redirect_uris',
    'is missing',
  ],
  [
    'redirect URIs are not http beyond this computer',
    'clients: [{client_id: c, redirect_uris: [http://a.example]}]',
    'clients[0].redirect_uris[0]',
    'is http beyond',
  ],
  [
    'redirect URIs run no script',
    'clients: [{client_id: c, redirect_uris: ["javascript:alert(1)"]}]',
    'clients[0].redirect_uris[0]',
    'never allowed',
  ],
  [
    'redirect URIs have no wildcard',
    'clients: [{client_id: c, redirect_uris: ["https://*.example/cb"]}]',
    'clients[0].redirect_uris[0]',
    'has a wildcard',
  ],
  [
    'redirect URIs have no fragment',
    'clients: [{client_id: c, redirect_uris: ["https://a.example/cb#x"]}]',
    'clients[0].redirect_uris[0]',
    'has a fragment',
  ],
  [
    'trusted issuers have one source of keys',
    'trusted_issuers: [{issuer: https://a.example, jwks_uri: https://a.example/keys, jwks: {keys: []}}]',
    'trusted_issuers[0].jwks_uri',
    'is given beside jwks',
  ],
  [
    'nobody trusts itself as an identity provider',
    'trusted_issuers: [{issuer: "http://localhost:9000"}]',
    'trusted_issuers[0].issuer',
    'is this server itself',
  ],
  [
    'nobody signs in here with an account of here',
    'identity_providers: [{slug: a, issuer: "http://localhost:9000/", client_id: x}]',
    'identity_providers[0].issuer',
    'is this server itself',
  ],
  [
    'an identity provider is reached by https',
    'identity_providers: [{slug: a, issuer: "http://idp.example", client_id: x}]',
    'identity_providers[0].issuer',
    'is not an https URL',
  ],
  [
    'without passwords there is another way to sign in',
    'session: {local_sign_in: false}',
    'session.local_sign_in',
    'leaves nobody a way to sign in',
  ],
  [
    'nobody trusts itself with a slash either',
    'trusted_issuers: [{issuer: "http://localhost:9000/"}]',
    'trusted_issuers[0].issuer',
    'is this server itself',
  ],
];

test.each(cases)('%s', (_, yaml, key, problem) => {
  const lines = check(yaml);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^c\.yaml:[1-9][0-9]*: .+\. Fix: .+\.$/);
  expect(lines[0]).toContain(` ${key}: `);
  expect(lines[0]).toContain(problem);
});

test('key sets of every kind that verifies signatures are taken, with keys of other kinds beside', () => {
  const keys = [
    { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43), use: 'sig' },
    { kty: 'EC', crv: 'P-521', x: 'A'.repeat(88), y: 'A'.repeat(88) },
    { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), key_ops: ['verify'] },
    { kty: 'RSA', n: 'u'.repeat(342), e: 'AQAB' },
  ];
  const others = [
    { kty: 'RSA', n: 'AA', e: 'AQAB', use: 'enc' },
    { kty: 'AKP', pub: 'AA' },
  ];
  for (const key of keys) {
    const jwks = JSON.stringify({ keys: [...others, key] });
    expect(check(`trusted_issuers: [{issuer: https://a.example, jwks: ${jwks}}]`)).toEqual([]);
    expect(check(`clients: [{${client}, jwks: ${jwks}}]`)).toEqual([]);
  }
});

test('a trusted issuer needs no keys in the file: discovery finds them', () => {
  expect(check('trusted_issuers: [{issuer: https://a.example}]')).toEqual([]);
});

describe('a client', () => {
  test.each([
    ['', 'none'],
    [', client_secret: abc', 'client_secret_basic'],
    [', jwks_uri: https://a.example/keys', 'private_key_jwt'],
  ])('with "%s" authenticates by %s', (more, method) => {
    const { clients } = load(`clients: [{${client}${more}}]`).config;
    expect(clients[0]?.token_endpoint_auth_method).toBe(method);
    expect(clients[0]?.grant_types).toEqual(['authorization_code', 'refresh_token']);
  });

  test('may name a resource in any spelling', () => {
    const yaml = `resources: [{${resource}}]\nclients: [{${client}, resources: ["https://A.example/mcp/"]}]`;
    expect(check(yaml)).toEqual([]);
  });
});
