import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ResourceConfig } from '../config/index.ts';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { createSecretBox } from '../keys/index.ts';
import {
  createResources,
  type DeclaredResource,
  hookSecret,
  ResourceConflictError,
  type Resources,
} from './index.ts';

const now = () => new Date('2026-03-01T12:00:00Z');
const meta = { at: now() };
const box = createSecretBox(Buffer.alloc(32, 7));
const logged: unknown[] = [];
const log = { error: (entry: unknown) => void logged.push(entry) };

let db: Database;
let resources: Resources;
let lastEvent = '0';
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
beforeEach(async () => {
  await db.kysely.deleteFrom('resources').execute();
  lastEvent = (await events()).at(-1)?.id ?? lastEvent;
  resources = await createResources({ db, box, now, log });
});
afterEach(() => resources.close());
afterAll(() => db.close());

function declared(changes: Partial<DeclaredResource> = {}): DeclaredResource {
  const row: ResourceConfig = {
    slug: 'boards',
    uri: 'https://rs1.test/mcp',
    aliases: ['https://old.rs1.test/'],
    display_name: 'Boards',
    scopes: [
      { name: 'read', description: 'Read boards', implies: [] },
      { name: 'write', description: 'Change boards', implies: ['read'] },
    ],
    default_scopes: ['read'],
    token_format: 'jwt',
    token_prefix: 'as',
    access_ttl: 600,
    dpop: 'supported',
    workspace_scoped: false,
    clients: ['boards-server'],
    access: [{ users: [], groups: ['staff'], workspace_roles: ['admin'], scopes: ['write'] }],
    exchange: { clients: ['gateway'], consent: 'required', impersonation: [] },
    claims: { email: 'user.email' },
  };
  return { ...row, ...changes };
}

async function insertForeign(slug: string, uri: string): Promise<void> {
  await db.kysely
    .insertInto('resources')
    .values({
      slug,
      uri,
      display_name: slug,
      aliases: [],
      clients: [],
      scopes: '[]',
      access: '[]',
      token_format: 'jwt',
      token_prefix: 'as',
      dpop: 'supported',
      workspace_scoped: false,
      exchange: null,
      source: 'admin',
      created_at: now(),
      updated_at: now(),
    })
    .execute();
}

/** What was recorded since the test began; the log cannot be emptied. */
function events() {
  return db.kysely
    .selectFrom('audit_events')
    .select(['id', 'type', 'resource', 'detail'])
    .where('id', '>', lastEvent)
    .orderBy('id')
    .execute();
}

describe('reconcile', () => {
  test('makes declared resources, once, and records it', async () => {
    const report = await resources.reconcile([declared()], meta);
    expect(report).toEqual({
      created: ['boards'],
      updated: [],
      removedFromConfig: [],
      foreign: [],
    });
    expect(resources.all()).toEqual([
      {
        uri: 'https://rs1.test/mcp',
        slug: 'boards',
        aliases: ['https://old.rs1.test/'],
        identifiers: ['https://rs1.test/mcp', 'https://old.rs1.test'],
        displayName: 'Boards',
        scopes: declared().scopes,
        defaultScopes: ['read'],
        tokenFormat: 'jwt',
        tokenPrefix: 'as',
        accessTtl: 600,
        dpop: 'supported',
        workspaceScoped: false,
        clients: ['boards-server'],
        access: [{ users: [], groups: ['staff'], roles: ['admin'], scopes: ['write'] }],
        exchange: { clients: ['gateway'], consent: 'required', impersonation: [] },
        claims: { email: 'user.email' },
        enabled: true,
        source: 'config',
      },
    ]);
    const again = await resources.reconcile([declared()], meta);
    expect(again).toEqual({ created: [], updated: [], removedFromConfig: [], foreign: [] });
    expect(await events()).toMatchObject([
      { type: 'resource_created', resource: 'https://rs1.test/mcp', detail: { slug: 'boards' } },
      { type: 'config_reconciled', detail: { noun: 'resources', created: ['boards'] } },
    ]);
  });

  test('a changed declaration changes the row and keeps it disabled', async () => {
    await resources.reconcile([declared()], meta);
    await db.kysely.updateTable('resources').set({ enabled: false }).execute();
    const change = { default_scopes: undefined, access_ttl: undefined, exchange: undefined };
    const report = await resources.reconcile([declared({ ...change, aliases: [] })], meta);
    expect(report.updated).toEqual(['boards']);
    const [row] = resources.all();
    expect(row).toMatchObject({ enabled: false, aliases: [] });
    expect(row?.defaultScopes).toBeUndefined();
    expect(row?.exchange).toBeUndefined();
    const update = (await events()).find(({ type }) => type === 'resource_updated');
    expect(update?.detail.changes).toContainEqual({ field: 'access_ttl', from: 600, to: null });
  });

  test('the secret of a claims hook MUST be stored sealed, and never recorded', async () => {
    const hook = {
      url: 'https://hook.test/',
      secret: 'a secret of a claims hook',
      timeout: 2,
      on_failure: 'deny' as const,
    };
    await resources.reconcile([declared({ claims_hook: hook })], meta);
    const [row] = resources.all();
    expect(row?.claimsHook).toMatchObject({ url: hook.url, timeout: 2, on_failure: 'deny' });
    if (row) expect(hookSecret(box, row)).toBe(hook.secret);
    expect((await resources.reconcile([declared({ claims_hook: hook })], meta)).updated).toEqual(
      [],
    );

    const changed = { ...hook, secret: 'another secret of the hook' };
    const again = await resources.reconcile([declared({ claims_hook: changed })], meta);
    expect(again.updated).toEqual(['boards']);
    const renewed = resources.all()[0];
    if (renewed) expect(hookSecret(box, renewed)).toBe(changed.secret);

    const stored = await db.kysely.selectFrom('resources').selectAll().execute();
    for (const where of [stored, await events(), resources.all()]) {
      expect(JSON.stringify(where)).not.toContain('secret of');
    }
  });

  test('a sealed secret opens for its own resource and key only', async () => {
    const hook = { url: 'https://hook.test/', secret: 'x'.repeat(24), timeout: 1 };
    const declaration = declared({ claims_hook: { ...hook, on_failure: 'skip' } });
    await resources.reconcile([declaration], meta);
    const [row] = resources.all();
    if (!row) throw new Error('no resource');
    expect(hookSecret(box, { ...row, uri: 'https://rs2.test/mcp' })).toBeUndefined();
    expect(hookSecret(createSecretBox(Buffer.alloc(32, 8)), row)).toBeUndefined();
    // It follows its resource to another URI.
    await resources.reconcile([{ ...declaration, uri: 'https://rs9.test/mcp' }], meta);
    const moved = resources.all()[0];
    if (moved) expect(hookSecret(box, moved)).toBe(hook.secret);
    expect(moved?.uri).toBe('https://rs9.test/mcp');
  });

  test('a row is followed when its slug or the spelling of its URI changes, or its URI', async () => {
    await resources.reconcile([declared()], meta);
    const renamed = declared({ slug: 'b2', uri: 'https://RS1.test/mcp/' });
    expect((await resources.reconcile([renamed], meta)).updated).toEqual(['b2']);
    const moved = declared({ slug: 'b2', uri: 'https://rs9.test/mcp' });
    expect((await resources.reconcile([moved], meta)).updated).toEqual(['b2']);
    expect(resources.all().map(({ uri }) => uri)).toEqual(['https://rs9.test/mcp']);
  });

  test('a row gone from the configuration is reported, not deleted', async () => {
    await resources.reconcile([declared()], meta);
    expect((await resources.reconcile([], meta)).removedFromConfig).toEqual(['boards']);
    expect(resources.resolve('https://rs1.test/mcp')).toBeDefined();
  });

  test('rows made in the administration are untouched and not reported', async () => {
    await insertForeign('made', 'https://rs1.test/mcp');
    const report = await resources.reconcile([declared()], meta);
    expect(report).toEqual({
      created: [],
      updated: [],
      removedFromConfig: [],
      foreign: ['boards'],
    });
    expect(resources.all()).toMatchObject([{ slug: 'made', displayName: 'made', source: 'admin' }]);
  });

  test.each([
    ['a trailing slash', { uri: 'https://rs1.test/mcp/', aliases: [] }],
    ['case and port', { uri: 'HTTPS://RS1.TEST:443/mcp', aliases: [] }],
    ['an alias', { uri: 'https://rs2.test/mcp', aliases: ['https://rs1.test/mcp/'] }],
    ['two aliases', { uri: 'https://rs2.test/mcp', aliases: ['https://OLD.rs1.test'] }],
  ])('RS08: resources that differ only by %s MUST be refused', async (_title, change) => {
    const twins = [declared(), declared({ slug: 'other', ...change })];
    await expect(resources.reconcile(twins, meta)).rejects.toThrow(ResourceConflictError);
    await expect(resources.reconcile(twins, meta)).rejects.toThrow(/boards and other both answer/);
    expect(resources.all()).toEqual([]);
    expect(await events()).toEqual([]);
  });

  test('a collision with a row made elsewhere, or with one no longer declared, is refused too', async () => {
    await insertForeign('made', 'https://rs2.test/mcp');
    const clash = declared({ aliases: ['https://rs2.test/mcp/'] });
    await expect(resources.reconcile([clash], meta)).rejects.toThrow(/made and boards|boards and/);
    const sameSlug = declared({ slug: 'made' });
    await expect(resources.reconcile([sameSlug], meta)).rejects.toThrow(/have the slug made/);
    expect(resources.all()).toEqual([]);
  });

  test('a URI that is no resource identifier is refused', async () => {
    const broken = declared({ aliases: ['https://rs1.test/a/../b'] });
    await expect(resources.reconcile([broken], meta)).rejects.toThrow(/no resource identifier/);
  });

  test('replicas that start at once make one row', async () => {
    const other = await createResources({ db, box, now, log });
    const reports = await Promise.all([
      resources.reconcile([declared()], meta),
      other.reconcile([declared()], meta),
    ]);
    expect(reports.flatMap(({ created }) => created)).toEqual(['boards']);
    await other.close();
  });
});

describe('the registry', () => {
  test('resolves every spelling and alias, enabled resources only', async () => {
    await resources.reconcile([declared()], meta);
    for (const uri of ['HTTPS://rs1.test:443/mcp/', 'https://OLD.rs1.test']) {
      expect(resources.resolve(uri)?.slug).toBe('boards');
    }
    expect(resources.resolve('nonsense')).toBeUndefined();
    await db.kysely.updateTable('resources').set({ enabled: false }).execute();
    await resources.reload();
    expect(resources.resolve('https://rs1.test/mcp')).toBeUndefined();
    expect(resources.bySlug('boards')).toBeUndefined();
    expect(resources.all()).toHaveLength(1);
  });

  test('finds by path only where exactly one resource has it', async () => {
    const one = declared({ aliases: [] });
    const docs = declared({ slug: 'docs', uri: 'https://rs2.test/docs/?v=1', aliases: [] });
    await resources.reconcile([one, docs], meta);
    expect(resources.byPath('/mcp')?.slug).toBe('boards');
    expect(resources.byPath('/mcp/')?.slug).toBe('boards');
    expect(resources.byPath('/docs')?.slug).toBe('docs');
    expect(resources.byPath('/nothing')).toBeUndefined();
    const twin = declared({ slug: 'twin', uri: 'https://rs3.test/mcp', aliases: [] });
    await resources.reconcile([one, docs, twin], meta);
    expect(resources.byPath('/mcp')).toBeUndefined();
  });

  test('another replica hears of a change and calls its listeners once', async () => {
    const other = await createResources({ db, box, now, log });
    let heard = 0;
    const stop = other.onChange(() => {
      heard += 1;
    });
    await resources.reconcile([declared()], meta);
    await expect.poll(() => other.bySlug('boards')?.uri).toBe('https://rs1.test/mcp');
    await other.reload();
    expect(heard).toBe(1);
    stop();
    await resources.reconcile([declared({ display_name: 'B' })], meta);
    await expect.poll(() => other.bySlug('boards')?.displayName).toBe('B');
    expect(heard).toBe(1);
    await other.close();
    expect(logged).toEqual([]);
  });
});
