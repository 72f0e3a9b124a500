import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { createSecretBox } from '../keys/index.ts';
import {
  apiResource,
  createResourceEditing,
  createResources,
  type DeclaredResource,
  ResourceConflictError,
  type Resources,
} from './index.ts';

const now = () => new Date('2026-03-01T12:00:00Z');
const meta = { at: now() };
const box = createSecretBox(Buffer.alloc(32, 7));
const own = apiResource('https://as.test');

let db: Database;
let resources: Resources;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
beforeEach(async () => {
  await resources?.close();
  await db.kysely.deleteFrom('resources').execute();
  resources = await createResources({ db, box, now, log: { error: () => {} } });
});
afterAll(async () => {
  await resources.close();
  await db.close();
});

const boards: DeclaredResource = {
  ...own,
  ...{ slug: 'boards', uri: 'https://rs1.test/mcp', default_scopes: undefined },
};

describe('the resource that a server is itself', () => {
  test('is there from the first start, once, after all others, and recorded', async () => {
    const report = await resources.reconcile([boards], meta, own);
    await resources.reconcile([boards], meta, own);
    expect(report.created).toEqual(['boards']);
    expect(resources.all().map(({ slug, source }) => [slug, source])).toEqual([
      ['boards', 'config'],
      ['api', 'builtin'],
    ]);
    expect(resources.resolve('https://AS.test/api/')?.scopes.map(({ name }) => name)).toEqual([
      ...['apps:read', 'apps:write', 'apps:admin'],
    ]);
    expect(await events()).toEqual(['resource_created']);
  });

  test('follows the issuer and the version of the server', async () => {
    await resources.reconcile([], meta, apiResource('https://old.test/tenant/'));
    const since = (await events()).length;
    await resources.reconcile([], meta, { ...own, display_name: 'Renamed' });
    expect(resources.all()).toMatchObject([
      { uri: 'https://as.test/api', displayName: 'Renamed', source: 'builtin' },
    ]);
    expect(resources.resolve('https://old.test/tenant/api')).toBeUndefined();
    expect((await events()).slice(since)).toEqual(['resource_updated']);
  });

  test.each<[string, Partial<DeclaredResource>]>([
    ['its slug', { slug: 'api' }],
    ['its URI', { uri: 'https://as.test/api/' }],
    ['its URI as an alias', { aliases: ['https://AS.test/api'] }],
  ])('another one MUST NOT have %s: the start fails with what to do', async (_what, changes) => {
    const taken = { ...boards, ...changes };
    const start = resources.reconcile([taken], meta, own);
    await expect(start).rejects.toThrow(ResourceConflictError);
    await expect(start).rejects.toThrow(/workspace API.*another slug/);
    await resources.reconcile([taken], meta); // made by an older version
    await expect(resources.reconcile([], meta, own)).rejects.toThrow(/authserver resource remove/);
  });

  test('MUST NOT be edited, disabled or removed', async () => {
    await resources.reconcile([], meta, own);
    const endTokensOfResource = async () => ({ grants: 0, families: 0 });
    const editing = createResourceEditing({ db, box, now, resources, endTokensOfResource });
    const by = { actor: { kind: 'cli' as const }, meta };
    for (const refused of [
      editing.update('api', { clients: ['EVIL'] }, by),
      editing.disable('api', by),
      editing.remove('api', by),
    ]) {
      await expect(refused).rejects.toMatchObject({ status: 409 });
    }
  });
});

/** What was recorded of it. */
async function events(): Promise<string[]> {
  const rows = await db.kysely
    .selectFrom('audit_events')
    .select('type')
    .where('resource', 'like', '%/api')
    .orderBy('id')
    .execute();
  return rows.map(({ type }) => type);
}
