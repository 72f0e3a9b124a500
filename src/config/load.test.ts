// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration
import { describe, expect, test } from 'vitest';
import { check, load, problemsOf, testDirectory } from './load.testing.ts';
import { loadConfig } from './load.ts';

describe('without a file', () => {
  test('the defaults are the documented ones', () => {
    const { config, warnings } = loadConfig({ env: {}, cwd: '/' });
    expect(warnings).toEqual([]);
    expect(config.server).toMatchObject({
      issuer: 'http://localhost:9000',
      address: '127.0.0.1:9000',
      workers: 1,
      read_timeout: 30,
      write_timeout: 30,
      idle_timeout: 120,
      shutdown_wait: 10,
    });
    expect(config.storage).toMatchObject({
      driver: 'pglite',
      pglite: { path: 'data/authserver', accept_risk: false },
    });
    expect(config.signing).toEqual({
      algorithm: 'ES256',
      rotate_every: 90 * 86_400,
      publish_before: 86_400,
    });
    expect(config.oauth).toEqual({ require_scope: false, refresh_overlap: 60, code_ttl: 60 });
    expect(config.tokens).toEqual({
      access_ttl: 900,
      refresh_ttl: 604_800,
      refresh_absolute_ttl: 90 * 86_400,
      machine_ttl: 3600,
      personal_access_max_ttl: 365 * 86_400,
    });
    expect(config.dcr).toMatchObject({ mode: 'open', rate_limit: 10, rate_limit_burst: 20 });
    expect(config.dcr).toMatchObject({ unused_ttl: 30 * 86_400, allow_device: false });
    expect(config.cimd).toMatchObject({ enabled: true, cache_ttl: 3600, fetch_timeout: 3 });
    expect(config.dpop).toEqual({ enabled: true, require_nonce: false, proof_lifetime: 60 });
    expect(config.admin).toEqual({
      ...{ enabled: true, address: '127.0.0.1:9001' },
      ...{ session_idle: 1800, session_max_age: 43_200 },
    });
    expect(config.rate_limit).toEqual({
      enabled: true,
      requests_per_second: 100,
      burst: 200,
      auth_fail_max: 10,
      auth_fail_window: 600,
      auth_lockout: 900,
    });
    expect(config.retention).toEqual({
      issuances: 90 * 86_400,
      audit: 400 * 86_400,
      flows: 14 * 86_400,
    });
    expect(config.compatibility).toEqual({ strict: false, disabled: [] });
  });

  test('one demo resource is there, with a second scope to step up to', () => {
    const { resources } = loadConfig({ env: {}, cwd: '/' }).config;
    expect(resources).toHaveLength(1);
    expect(resources[0]).toMatchObject({
      slug: 'demo',
      uri: 'http://localhost:8080/mcp',
      default_scopes: ['access_boards'],
      token_format: 'jwt',
      token_prefix: 'as',
    });
    expect(resources[0]?.scopes.map(({ name }) => name)).toEqual(['access_boards', 'access_docs']);
  });

  test('the configuration is frozen all the way down', () => {
    const { config } = loadConfig({ env: {}, cwd: '/' });
    expect(() => config.resources[0]?.scopes.push()).toThrow(TypeError);
    expect(Object.isFrozen(config.storage.postgres)).toBe(true);
  });
});

test('no demo resource is there once resources are declared, even none, or the issuer is public', () => {
  expect(load('resources: []').config.resources).toEqual([]);
  const yaml = `
server: {issuer: https://auth.example.com}
storage: {pglite: {accept_risk: true}}
session: {secret: ${'0123456789abcdef'.repeat(2)}}
data_encryption: {key: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}
`;
  const { config } = load(yaml);
  expect(config.resources).toEqual([]);
  expect(config.server.address).toBe(':9000');
});

test('the environment overrides the file, which overrides the defaults', () => {
  const { config, sources } = load('oauth:\n  require_scope: false\n  code_ttl: 30s\n', {
    AUTHPLANE_OAUTH_REQUIRE_SCOPE: 'true',
    AUTHPLANE_SERVER_WORKERS: '2',
    AUTHPLANE_STORAGE_DRIVER: 'postgres',
    AUTHPLANE_STORAGE_POSTGRES_DSN: 'postgres://u:p@db/x',
    AUTHPLANE_SERVER_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    PATH: '/bin',
  });
  expect(config.oauth).toMatchObject({ require_scope: true, code_ttl: 30, refresh_overlap: 60 });
  expect(config.server.workers).toBe(2);
  expect(config.server.trusted_proxies).toEqual(['10.0.0.0/8', '::1']);
  expect(config.storage.postgres.dsn).toBe('postgres://u:p@db/x');
  expect(sources.get('oauth.require_scope')).toBe('env:AUTHPLANE_OAUTH_REQUIRE_SCOPE');
  expect(sources.get('oauth.code_ttl')).toBe('c.yaml:3');
  expect(sources.get('oauth.refresh_overlap')).toBe('default');
});

test('an empty file and a section without keys mean the defaults', () => {
  const defaults = loadConfig({ env: {}, cwd: '/' }).config;
  expect(load('').config).toEqual(defaults);
  expect(load('# nothing\n---\n').config).toEqual(defaults);
  expect(load('server:\nclients:\nobservability:\n  logging:\n').config).toEqual(defaults);
});

test('an empty variable counts as not set and is a warning; an empty list is a list', () => {
  const { config, warnings } = load('cimd: {allowed_hosts: [a.com]}\nserver: {workers: 1}', {
    AUTHPLANE_SERVER_WORKERS: '',
    AUTHPLANE_CIMD_ALLOWED_HOSTS: '',
  });
  expect(config.cimd.allowed_hosts).toEqual([]);
  expect(warnings).toMatchObject([
    { where: 'env:AUTHPLANE_SERVER_WORKERS', key: 'server.workers' },
  ]);
});

describe('old names of keys', () => {
  test('are accepted in the file and in the environment', () => {
    const { config, sources } = load('dcr:\n  default_token_expiry: 5m\n', {
      AUTHPLANE_DCR_DEFAULT_REFRESH_EXPIRY: '2h',
    });
    expect(config.tokens).toMatchObject({ access_ttl: 300, refresh_ttl: 7200 });
    expect(sources.get('tokens.access_ttl')).toBe('c.yaml:2');
    expect(sources.get('tokens.refresh_ttl')).toBe('env:AUTHPLANE_DCR_DEFAULT_REFRESH_EXPIRY');
  });

  test('must not contradict the new ones', () => {
    expect(
      check('dcr:\n  default_token_expiry: 5m\ntokens:\n  access_ttl: 5m\n', {
        AUTHPLANE_DCR_DEFAULT_REFRESH_EXPIRY: '2h',
        AUTHPLANE_TOKENS_REFRESH_TTL: '2h',
      }),
    ).toEqual([
      'env:AUTHPLANE_DCR_DEFAULT_REFRESH_EXPIRY: dcr.default_refresh_expiry: is another name of tokens.refresh_ttl, which AUTHPLANE_TOKENS_REFRESH_TTL sets too. Fix: keep one of them.',
      'c.yaml:2: dcr.default_token_expiry: is another name of tokens.access_ttl, which is given too. Fix: keep one of them.',
    ]);
  });
});

test('every problem is told at once, in the order of the file, each with its line', () => {
  const lines = check(
    `server:
  issuer: http://auth.example.com
  wokers: 3
  read_timeout: 30
oauth:
  code_ttl: 15x
  code_ttl: 15s
session:
  secret: short
resources:
  - slug: a
    uri: https://a.example/mcp
    scopes:
      - name: x
        implies: [y]
  - slug: Bad
    uri: not a uri
    scopes: [{name: x}]
clients:
  - just text
  - client_id: c
    redirect_uris: [http://evil.example/cb]
  - client_id: c
    redirect_uris: [https://good.example/cb]
`,
    { AUTHPLANE_OAUTH_REQUIRE_SCOP: 'true' },
  );
  expect(lines.map((line) => line.replace(/^(\S+) (\S+:)?.*$/, '$1 $2').trim())).toEqual([
    'env:AUTHPLANE_OAUTH_REQUIRE_SCOP:',
    'c.yaml:2: server.issuer:',
    'c.yaml:2: storage.pglite.accept_risk:',
    'c.yaml:2: data_encryption.key:',
    'c.yaml:3: server.wokers:',
    'c.yaml:4: server.read_timeout:',
    'c.yaml:7: oauth.code_ttl:',
    'c.yaml:9: session.secret:',
    'c.yaml:15: resources[0].scopes[0].implies:',
    'c.yaml:16: resources[1].slug:',
    'c.yaml:17: resources[1].uri:',
    'c.yaml:20: clients[0]:',
    'c.yaml:22: clients[1].redirect_uris[0]:',
    'c.yaml:23: clients[2].client_id:',
  ]);
});

test('no problem shows a secret', () => {
  const lines = check(
    `storage: {postgres: {dsn: "mysql://root:hunter2@db"}}
admin: {api_key: hunter2}
data_encryption: {key: hunter2}
users: [{email: a@b.c, password: hunter2}]
clients: [{client_id: c, client_secret: {a: hunter2}, redirect_uris: [https://a.example/cb]}]
server: {issuer: "https://me:hunter2@localhost"}
observability: {tracing: {otlp_endpoint: "https://me:hunter2@otel"}}
`,
    { AUTHPLANE_SESSION_SECRETT: 'hunter2', AUTHPLANE_SERVER_WORKERS: '${env:NOPE}hunter2' },
  );
  expect(lines).toHaveLength(9);
  expect(lines.join('\n')).not.toContain('hunter2');
});

test('a file that cannot be used says why', () => {
  const cwd = testDirectory();
  const problem = (file: string) => problemsOf(() => loadConfig({ file, env: {}, cwd }));
  expect(problem('none.yaml')).toMatchObject([{ where: 'none.yaml', problem: 'does not exist' }]);
  expect(problem('.')).toMatchObject([{ where: '.', problem: 'is a directory' }]);
  expect(problem('/dev/zero')).toMatchObject([{ problem: 'is larger than 1024 KiB' }]);
});
