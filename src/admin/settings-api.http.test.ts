import { appendFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alice, webSecret } from '../provider/server.testing.ts';
import { apiKey, startApi, type TestApi } from './api.testing.ts';
import { settings } from './contract/index.ts';

/** Nothing else says these, so that they would be found wherever they went. */
const secrets = {
  session: 'distinctive-session-secret-0123456789',
  dsn: 'distinctive-database-password',
  hook: Buffer.from('distinctive-hook-secret-of-32-by').toString('base64'),
  provider: 'distinctive-provider-secret',
  data: Buffer.from('distinctive-data-key-of-32-bytes').toString('base64'),
};
const hooked = `
  - slug: hooked
    uri: https://hooked.test/mcp
    display_name: With a hook
    scopes: [{ name: "h:use" }]
    claims_hook: { url: "https://hook.test/", secret: "${secrets.hook}" }`;

let api: TestApi;
beforeAll(async () => {
  api = await startApi({
    resources: hooked,
    extra: `
identity_providers:
  - { slug: corp, issuer: "https://idp.test", client_id: us, client_secret: "${secrets.provider}", display_name: Corp }
tokens: { access_ttl: 10m }`,
    env: {
      AUTHPLANE_SESSION_SECRET: secrets.session,
      AUTHPLANE_DATA_ENCRYPTION_KEY: secrets.data,
      AUTHPLANE_STORAGE_POSTGRES_DSN: `postgres://us:${secrets.dsn}@db.test/authserver`,
      AUTHPLANE_TOKENS_MACHINE_TTL: '30m',
    },
  });
});
afterAll(() => api.close());

test('no answer MUST hold a secret, from the file or from the environment', async () => {
  const passwords = [webSecret, alice.password, apiKey];
  for (const path of ['settings', 'settings/health', 'openapi.json', 'stats/overview']) {
    const { status, body } = await api.get(`/admin/api/${path}`);
    expect(status).toBe(200);
    for (const secret of [...Object.values(secrets), ...passwords]) {
      expect(body, path).not.toContain(secret);
      expect(body, path).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
    expect(body).not.toContain('distinctive');
  }
});

test('every value says where it comes from, and durations have units', async () => {
  const { items, file, restart_needed } = await api.client.call(settings.list);
  const of = (id: string) => items.find((item) => item.id === id);
  expect(of('tokens.access_ttl')).toMatchObject({
    section: 'tokens',
    value: '10m',
    default: '15m',
    source: 'file',
    where: expect.stringMatching(/config\.yaml:\d+$/),
    restart: true,
  });
  expect(of('tokens.machine_ttl')).toMatchObject({
    value: '30m',
    source: 'environment',
    where: 'AUTHPLANE_TOKENS_MACHINE_TTL',
  });
  expect(of('tokens.refresh_ttl')).toMatchObject({ value: '7d', default: '7d', source: 'default' });
  for (const id of [
    'session.secret',
    'admin.api_key',
    'clients[1].client_secret',
    'users[0].password',
    'resources[2].claims_hook.secret',
    'identity_providers[0].client_secret',
  ]) {
    expect(of(id), id).toMatchObject({ value: '***', secret: true });
  }
  expect(of('resources[0].scopes[0].name')).toMatchObject({ value: 'mcp:read' });
  expect(of('resources[2].claims_hook.url')?.description).not.toBe('');
  expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
  expect(items.filter(({ description }) => description === '').map(({ id }) => id)).toEqual([]);
  expect({ file, restart_needed }).toMatchObject({
    file: expect.stringMatching(/config\.yaml$/),
    restart_needed: false,
  });
});

test('health tells of database, jobs, caches and this replica', async () => {
  const { scheduler } = api.server.app;
  await scheduler.runDue();
  const health = await api.client.call(settings.health);
  expect(health).toMatchObject({
    status: 'ok',
    problems: [],
    database: { driver: 'pglite', migrations: { pending: [] } },
    replicas: [{ this: true }],
  });
  expect(health.database.size_bytes).toBeGreaterThan(1_000_000);
  expect(health.database.tables.map(({ id }) => id)).toContain('clients');
  expect(health.database.migrations.latest).toMatch(/^\d{4}_/);
  expect(health.jobs.map(({ status }) => status)).toEqual(health.jobs.map(() => 'ok'));
  expect(health.jobs.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['expired-tokens', 'unused-clients', 'hourly-statistics', 'vacuum']),
  );
  expect(health.caches).toMatchObject([{ id: 'clients' }, { id: 'resources', size: 4 }]);
});

test('a job that fails and one that is late are problems', async () => {
  const { kysely } = api.server.db;
  await kysely
    .updateTable('job_runs')
    .set({ failures: 1, error: 'no space left on device' })
    .where('name', '=', 'old-issuances')
    .execute();
  api.server.advance(7200);
  const { status, problems, jobs } = await api.client.call(settings.health);
  expect(status).toBe('warning');
  expect(problems).toContainEqual({
    severity: 'warning',
    what: 'job old-issuances',
    detail: expect.stringContaining('failed once: no space left on device'),
  });
  expect(jobs.find(({ id }) => id === 'expired-tokens')?.status).toBe('late');
});

test('a file that was changed since needs a restart', async () => {
  const { file } = await api.client.call(settings.list);
  appendFileSync(file ?? '', '\n# another line\n');
  expect((await api.client.call(settings.list)).restart_needed).toBe(true);
  const { json } = await api.get('/admin/api/stats/overview');
  expect(json.attention.map(({ kind }: { kind: string }) => kind)).toContain('restart_needed');
});
