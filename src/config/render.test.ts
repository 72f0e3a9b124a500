import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { renderJsonSchema } from './json-schema.ts';
import { configKeys } from './keys.ts';
import { load, testDirectory } from './load.testing.ts';
import { loadConfig } from './load.ts';
import { renderReference } from './reference.ts';
import { renderConfig, renderProblems } from './render.ts';
import { exampleSecrets } from './rules-server.ts';

const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(`${projectRoot}${file}`, 'utf8');

test('config.example.yaml is valid and says what the defaults are', () => {
  const { config, warnings } = loadConfig({
    file: 'config.example.yaml',
    env: {},
    cwd: projectRoot,
  });
  const defaults = loadConfig({ env: {}, cwd: '/' }).config;
  const rows = { resources: [], clients: [], users: [], workspaces: [] };
  expect(warnings).toEqual([]);
  expect({ ...config, ...rows }).toEqual({ ...defaults, ...rows });
});

test('config.example.yaml gives editors the schema and mentions every key', () => {
  const text = read('config.example.yaml');
  expect(text.startsWith('# yaml-language-server: $schema=docs/config.schema.json\n')).toBe(true);
  expect(configKeys().filter(({ name }) => !isMentioned(name, text))).toEqual([]);
});

// Commented out or not, a key stands below the line of its section.
function isMentioned(name: string, text: string): boolean {
  const steps = name.split('.').map((step) => step.replace('[]', ''));
  let rest = text;
  for (const step of steps) {
    const start = step === steps[0] ? '^' : '(?:^|[{,])[ #-]*';
    const found = new RegExp(`${start}${step}:`, 'm').exec(rest);
    if (!found) return false;
    rest = rest.slice(found.index + found[0].length);
    if (step === steps[0]) rest = rest.split(/\n(?=[a-z])/)[0] ?? '';
  }
  return true;
}

test('the example secrets are those that a public server refuses', () => {
  const text = read('config.example.yaml');
  for (const secret of exampleSecrets) expect(text).toContain(secret);
});

test('docs/configuration.md is up to date (npm run docs)', () => {
  expect(read('docs/configuration.md')).toBe(renderReference());
});

test('defaults are shown as they are written: an empty mapping as none, never as [object Object]', () => {
  const reference = renderReference();
  expect(reference).toContain('| `resources[].claims` | mapping | none |');
  expect(reference).not.toContain('[object');
});

test('docs/config.schema.json is up to date (npm run docs)', () => {
  expect(read('docs/config.schema.json')).toBe(renderJsonSchema());
});

test('every key has a description, and every variable is one key’s alone', () => {
  const leaves = configKeys().filter(({ kind }) => kind !== 'section');
  expect(leaves.filter(({ description }) => description === '')).toEqual([]);
  const variables = leaves.flatMap(({ variable }) => variable ?? []);
  expect(new Set(variables).size).toBe(variables.length);
});

test('exactly the secrets are marked as such', () => {
  expect(configKeys().flatMap(({ name, secret }) => (secret ? name : []))).toEqual([
    'storage.postgres.dsn',
    'session.secret',
    'data_encryption.key',
    'admin.api_key',
    'observability.audit_webhook.secret',
    'resources[].claims_hook.secret',
    'clients[].client_secret',
    'users[].password',
    'identity_providers[].client_secret',
  ]);
});

const secretive = `oauth: {code_ttl: 90s}
storage: {postgres: {dsn: "postgres://u:hunter2@db/x"}}
session: {secret: hunter2}
data_encryption: {key: aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnQ=}
admin: {api_key: hunter2hunter2hunter2}
clients: [{client_id: c, client_secret: hunter2, redirect_uris: [https://a/cb]}]
users: [{email: a@b.c, password: hunter2hunter2}]
identity_providers: [{slug: a, issuer: https://a.example, client_id: x, client_secret: hunter2}]
`;

test('show masks every secret and says where each value comes from', () => {
  const shown = renderConfig(load(secretive, { AUTHPLANE_SERVER_WORKERS: '1' }));
  expect(shown).not.toMatch(/hunter2|aHVudGVy/);
  expect(shown.match(/ "?\*\*\*"? # c\.yaml:/g)).toHaveLength(7);
  expect(shown).toContain('  code_ttl: 90s # c.yaml:1\n');
  expect(shown).toContain('  workers: 1 # env:AUTHPLANE_SERVER_WORKERS\n');
  expect(shown).toContain('  access_ttl: 15m # default\n');
});

test('show hides the keys that collectors and webhooks take in the query', () => {
  const endpoint = 'https://otel.example/v1?api_key=hunter2';
  const shown = renderConfig(
    load(`observability: {tracing: {enabled: true, otlp_endpoint: "${endpoint}"}}`),
  );
  expect(shown).not.toContain('hunter2');
  expect(shown).toContain('https://otel.example/v1?***');
});

test('show without secrets can be loaded again and means the same', () => {
  const loaded = loadConfig({ file: 'config.example.yaml', env: {}, cwd: projectRoot });
  const cwd = testDirectory({ 'again.yaml': renderConfig(loaded) });
  expect(loadConfig({ file: 'again.yaml', env: {}, cwd }).config).toEqual(loaded.config);
});

test('the JSON schema knows secrets, old names, and sections without keys', () => {
  const schema = parse(renderJsonSchema());
  expect(schema.properties.session.properties.secret.writeOnly).toBe(true);
  expect(schema.properties.dcr.properties.default_token_expiry.deprecated).toBe(true);
  expect(schema.properties.server.type).toEqual(['object', 'null']);
  expect(schema.properties.server.additionalProperties).toBe(false);
});

test('a problem is one line whatever a key is called', () => {
  const line = renderProblems([
    { where: 'a:1', key: 'x\u001b[2J\ny', problem: 'is bad', fix: 'mend it' },
  ]);
  expect(line).toBe('a:1: x [2J y: is bad. Fix: mend it.');
});
