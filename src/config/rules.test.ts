import { describe, expect, test } from 'vitest';
import { check, load } from './load.testing.ts';

const goodSecret = '0123456789abcdef0123456789abcdef';
const goodKey = Buffer.from(goodSecret).toString('base64');
const publicServer = `server: {issuer: https://auth.example.com}
storage: {driver: postgres, postgres: {dsn: "postgres://u:p@db/x"}}
session: {secret: ${goodSecret}}
data_encryption: {key: ${goodKey}}
`;
const resource = 'slug: a, uri: https://a.example/mcp, scopes: [{name: x}, {name: y}]';

test('a public server with its secrets and Postgres is accepted', () => {
  expect(check(publicServer)).toEqual([]);
});

describe('server.issuer', () => {
  test.each([
    'http://localhost:9000',
    'http://127.0.0.1:9000',
    'http://127.8.8.8:80/auth'.replace(':80', ':81'),
    'http://[::1]:9000',
    'http://auth.localhost',
    'https://localhost/tenant/a',
  ])('accepts %s', (issuer) => {
    expect(load(`server: {issuer: "${issuer}"}`).config.server.issuer).toBe(issuer);
  });

  test.each([
    ['http://auth.example.com', 'is http', 'write https://auth.example.com'],
    ['http://127.0.0.1.example.com', 'is http', 'write https://127.0.0.1.example.com'],
    ['http://10.0.0.1:9000/a/', 'is http', 'write https://10.0.0.1:9000/a'],
    ['http://localhost:9000/', 'ends with a slash', 'write http://localhost:9000'],
    ['http://localhost:9000/a//', 'ends with a slash', 'write http://localhost:9000/a'],
    ['http://localhost:9000?x', 'has a query', 'remove it'],
    ['http://localhost:9000/a?', 'has a query', 'remove it'],
    ['http://localhost:9000#x', 'has a fragment', 'remove it'],
    ['http://LOCALHOST:9000', 'is not spelled canonically', 'write http://localhost:9000'],
    ['https://localhost:443', 'is not spelled canonically', 'write https://localhost'],
    ['http://localhost/a/../b', 'is not spelled canonically', 'write http://localhost/b'],
    ['http://u:p@localhost', 'holds a user name or password', 'remove them'],
    ['localhost:9000', 'is not an http or https URL', 'write it as https://auth.example.com'],
    ['ftp://localhost', 'is not an http or https URL', 'write it as https://auth.example.com'],
    ['https://', 'is not an http or https URL', 'write it as https://auth.example.com'],
  ])('refuses %s: it %s', (issuer, problem, fix) => {
    const line = check(`server: {issuer: "${issuer}"}`).find((one) =>
      one.includes('server.issuer'),
    );
    expect(line).toContain(problem);
    expect(line).toContain(`Fix: ${fix}`);
  });
});

const cases: [rule: string, yaml: string, key: string, problem: string][] = [
  [
    'more than one worker needs Postgres',
    'server: {workers: 2}',
    'server.workers',
    'needs Postgres',
  ],
  ['Postgres needs a DSN', 'storage: {driver: postgres}', 'storage.postgres.dsn', 'is missing'],
  [
    'a DSN is a URL',
    'storage: {driver: postgres, postgres: {dsn: "host=db"}}',
    'storage.postgres.dsn',
    'is not a Postgres URL',
  ],
  [
    'a public issuer on the embedded database needs accept_risk',
    publicServer.replace(/storage.*\n/, ''),
    'storage.pglite.accept_risk',
    'must be true',
  ],
  [
    'a public issuer needs session.secret',
    publicServer.replace(/session.*\n/, ''),
    'session.secret',
    'is required',
  ],
  [
    'session.secret has 32 characters',
    publicServer.replace(goodSecret, 'abcdefghijk'),
    'session.secret',
    'is shorter than 32',
  ],
  [
    'session.secret is not the example',
    publicServer.replace(goodSecret, 'replace-me-with-openssl-rand-hex-32'),
    'session.secret',
    'is the example value',
  ],
  [
    'session.secret is not one letter',
    publicServer.replace(goodSecret, 'a'.repeat(32)),
    'session.secret',
    'is easy to guess',
  ],
  [
    'a public issuer needs data_encryption.key',
    publicServer.replace(/data_enc.*\n/, ''),
    'data_encryption.key',
    'is required',
  ],
  [
    'data_encryption.key is not the example',
    publicServer.replace(goodKey, 'cmVwbGFjZS1tZS13aXRoLTMyLXJhbmRvbS1ieXRlcyE='),
    'data_encryption.key',
    'is the example value',
  ],
  [
    'data_encryption.key is not zeros',
    publicServer.replace(goodKey, `${'A'.repeat(43)}=`),
    'data_encryption.key',
    'is easy to guess',
  ],
  [
    'data_encryption.key is 32 bytes',
    'data_encryption: {key: c2hvcnQ=}',
    'data_encryption.key',
    'is not 32 bytes',
  ],
  [
    'documents from private addresses need an issuer on this computer',
    `${publicServer}cimd: {allow_private_addresses: true}`,
    'cimd.allow_private_addresses',
    'private network',
  ],
  [
    'admin.api_key has 16 characters',
    'admin: {api_key: fifteen-letters}',
    'admin.api_key',
    'is too short',
  ],
  [
    'approved_redirects are listed',
    'dcr: {mode: approved_redirects}',
    'dcr.approved_redirects',
    'is empty',
  ],
  [
    'a key is published within its time',
    'signing: {rotate_every: 2h, publish_before: 2h}',
    'signing.publish_before',
    'must be shorter',
  ],
  [
    'tracing needs a collector',
    'observability: {tracing: {enabled: true}}',
    'observability.tracing.otlp_endpoint',
    'is missing',
  ],
];

test.each(cases)('%s', (_, yaml, key, problem) => {
  const lines = check(yaml);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^c\.yaml:[1-9][0-9]*: .+\. Fix: .+\.$/);
  expect(lines[0]).toContain(` ${key}: `);
  expect(lines[0]).toContain(problem);
});

test.each([
  ['tokens: {refresh_ttl: 100d}', 'tokens.refresh_ttl', 'is cut by'],
  ['dcr: {approved_redirects: [https://a.example]}', 'dcr.approved_redirects', 'has no effect'],
  ['server: {issuer: "http://localhost:9300"}', 'server.address', 'listens on port 9000'],
  ['admin: {address: ":9001"}', 'admin.external_url', 'is missing'],
  ['oauth: {default_resource: https://a.example}', 'oauth.default_resource', 'is not declared'],
  ['users: [{email: a@b.c, workspaces: [acme]}]', 'users[0].workspaces[0]', 'is not declared'],
  [`resources: [{${resource}, clients: [nope]}]`, 'resources[0].clients[0]', 'is not declared'],
  [
    `resources: [{${resource}, exchange: {clients: [nope]}}]`,
    'resources[0].exchange.clients[0]',
    'is not declared',
  ],
  [
    `resources: [{${resource}, exchange: {impersonation: [nope]}}]`,
    'resources[0].exchange.impersonation[0]',
    'is not declared',
  ],
  [
    `trusted_issuers: [{issuer: https://idp.example, clients: [nope, "https://app.example/c"]}]`,
    'trusted_issuers[0].clients[0]',
    'is not declared',
  ],
  [
    `trusted_issuers: [{issuer: https://idp.example, scopes: [nope]}]`,
    'trusted_issuers[0].scopes[0]',
    'is not declared',
  ],
  [
    `resources: [{${resource}, access: [{workspace_roles: [admin], scopes: [x]}]}]`,
    'resources[0].access[0].workspace_roles',
    'matches nobody',
  ],
])('%s is a warning', (yaml, key, problem) => {
  expect(load(yaml).warnings).toMatchObject([
    { where: 'c.yaml:1', key, problem: expect.stringContaining(problem) },
  ]);
});
