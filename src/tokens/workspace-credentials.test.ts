import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import { backupLines, type Database, hashId, restoreLines } from '../db/index.ts';
import { openPGlite } from '../db/pglite.ts';
import { aResource } from '../resources/resource.testing.ts';
import {
  createTokens,
  endAllIssued,
  endIssued,
  endIssuedFor,
  endIssuedIn,
  type Issuance,
} from './index.ts';
import {
  acme,
  ada,
  at,
  beta,
  bob,
  files,
  later,
  notes,
  start,
  workspaceCredentials,
} from './workspace-credentials.testing.ts';

let db: Database;
let room: Awaited<ReturnType<typeof workspaceCredentials>>;
beforeAll(async () => {
  db = await testDatabase();
});
beforeEach(async () => {
  room = await workspaceCredentials(db);
});
afterAll(() => db.close());

const isAlive = async ({ credential }: { credential: string }) =>
  (await room.exchange.issued(hashId(credential)))?.alive ?? false;
const labels = async (workspaceId = acme) =>
  (await room.credentials.list({ workspaceId })).map(({ label }) => label);
const events = async (type: string) =>
  (
    await db.kysely
      .selectFrom('audit_events')
      .select(['actor_kind', 'actor_id', 'user_id', 'detail'])
      .where('type', '=', type)
      .orderBy('id')
      .execute()
  ).map(({ detail, ...rest }) => ({ ...rest, ...detail }));

describe('who makes one', () => {
  it('the default one: an admin of the workspace, nobody else', async () => {
    const { credentials } = room;
    const request = { workspaceId: acme, resource: files, meta: at() };
    for (const by of [bob, { id: 'usr_eve' }, { id: 'usr_nobody' }]) {
      const making = credentials.regenerateDefault({ ...request, by });
      await expect(making).rejects.toMatchObject({ error: 'access_denied' });
    }
    expect(await labels()).toEqual([]);
    await credentials.regenerateDefault({ ...request, by: ada });
    expect(await labels()).toEqual(['Default']);
  });

  it('one for a client: any member, and nobody for a workspace that they are no member of', async () => {
    await room.create(bob.id);
    await expect(room.create('usr_eve')).rejects.toThrow('a member of no such workspace');
    const elsewhere = {
      workspaceId: beta,
      resource: files,
      userId: bob.id,
      label: 'x',
      meta: at(),
    };
    await expect(room.credentials.create(elsewhere)).rejects.toMatchObject({ field: 'workspace' });
    const nowhere = { ...elsewhere, workspaceId: '33333333-3333-4333-8333-333333333333' };
    await expect(room.credentials.create(nowhere)).rejects.toMatchObject({ field: 'workspace' });
    expect(await labels()).toEqual(['Laptop']);
  });

  it.each([
    ['knows no workspaces', aResource({ uri: files.uri })],
    ['asks for DPoP', aResource({ uri: files.uri, workspaceScoped: true, dpop: 'required' })],
    ['is not registered', aResource({ uri: 'https://gone.test/mcp', workspaceScoped: true })],
    [
      'lets them do nothing',
      aResource({
        uri: files.uri,
        workspaceScoped: true,
        access: [{ groups: ['x'], scopes: ['read'] }],
      }),
    ],
  ])('MUST NOT be made for a resource that %s', async (_what, resource) => {
    const making = room.credentials.regenerateDefault({
      ...{ workspaceId: acme, resource, by: ada, meta: at() },
    });
    await expect(making).rejects.toMatchObject({
      status: expect.any(Number),
      detail: { field: expect.any(String) },
    });
    expect(await labels()).toEqual([]);
  });

  it('needs a label that can be shown', async () => {
    for (const label of ['', ' ', '\u0007', 'x'.repeat(101)]) {
      await expect(room.create(bob.id, label)).rejects.toMatchObject({ field: 'label' });
    }
  });

  it('MUST NOT have more than 100 live ones in a workspace', async () => {
    const made = [];
    for (let count = 0; count < 100; count++) made.push(await room.create(bob.id));
    await expect(room.create(bob.id)).rejects.toMatchObject({ status: 409 });
    await room.create(ada.id); // somebody else's are not counted
    await room.credentials.revoke({ id: made[0]?.id ?? '', by: bob, meta: at(1) });
    await room.create(bob.id);
  }, 60_000);

  it('within a larger change MUST come and go with it', async () => {
    const link = { kind: 'reconnect_link', id: 'rl_1' } as const;
    const request = {
      workspaceId: acme,
      resource: files,
      userId: bob.id,
      label: 'Link',
      meta: at(),
    };
    const failing = db.kysely.transaction().execute(async (trx) => {
      await room.credentials.create({ ...request, connector: link, trx });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await labels()).toEqual([]);
    const { id } = await db.kysely
      .transaction()
      .execute((trx) => room.credentials.create({ ...request, connector: link, trx }));
    expect(await room.credentials.find(id)).toMatchObject({ connector: link, kind: 'connector' });
  });
});

describe('the default one', () => {
  it('MUST be one for each workspace and resource, and take the place of the one before it', async () => {
    const first = await room.regenerate();
    const others = [
      await room.regenerate(1, beta),
      await room.regenerate(1, acme, notes),
      await room.create(bob.id),
    ];
    const second = await room.regenerate(2);
    expect(await isAlive(first)).toBe(false);
    for (const one of [second, ...others]) expect(await isAlive(one)).toBe(true);
    expect((await events('credential_revoked')).at(-1)).toEqual({
      ...{ actor_kind: 'user', actor_id: ada.id, user_id: ada.id, workspace_id: acme },
      ...{ credential_id: first.id, kind: 'default', reason: 'regenerated' },
      jti: hashId(first.credential),
    });
  });

  it('of a maker who is gone MUST make room for another', async () => {
    const first = await room.regenerate();
    await db.kysely.deleteFrom('users').where('id', '=', ada.id).execute();
    await db.kysely
      .updateTable('workspace_members')
      .set({ role: 'admin' })
      .where('user_id', '=', bob.id)
      .execute();
    expect(await isAlive(first)).toBe(false);
    const second = await room.credentials.regenerateDefault({
      ...{ workspaceId: acme, resource: files, by: bob, meta: at(1) },
    });
    expect(await isAlive(second)).toBe(true);
  });

  it('MUST be one by the schema too, whoever writes it', async () => {
    await room.regenerate();
    const row = await db.kysely.selectFrom('issuances').selectAll().executeTakeFirstOrThrow();
    const twice = db.kysely.insertInto('issuances').values({ ...row, jti: 'other', claims: null });
    await expect(twice.execute()).rejects.toThrow('issuances_default_credential');
  });
});

describe('ending one', () => {
  it('its maker and the admins of its workspace may, and nobody else even learns that it is there', async () => {
    const [bobs, adas] = [await room.create(bob.id), await room.create(ada.id)];
    const { credentials } = room;
    const by = (who: { id: string }, id: string, more = {}) =>
      credentials.revoke({ id, by: who, meta: at(5), ...more });
    for (const who of [bob, { id: 'usr_eve' }]) {
      expect(await by(who, adas.id)).toBeUndefined();
    }
    expect(await by(ada, 'wsc_000000000000')).toBeUndefined();
    expect(await by(ada, bobs.id, { workspaceId: beta })).toBeUndefined();
    expect(await isAlive(adas)).toBe(true);
    expect(await by(ada, bobs.id)).toMatchObject({ status: 'revoked', revokedAt: later(5) });
    expect(await isAlive(bobs)).toBe(false);
    expect(await by(ada, adas.id, { workspaceId: acme })).toMatchObject({ status: 'revoked' });
  });

  it('twice is told once', async () => {
    const { id } = await room.create(bob.id);
    const before = (await events('credential_revoked')).length;
    for (const seconds of [5, 9]) {
      const ended = await room.credentials.revoke({ id, by: bob, meta: at(seconds) });
      expect(ended).toMatchObject({ revokedAt: later(5) });
    }
    expect(await events('credential_revoked')).toHaveLength(before + 1);
  });

  it('as an issuance MUST be told as the end of a credential', async () => {
    const { credential, id } = await room.create(bob.id);
    const jti = hashId(credential);
    const actor = { kind: 'admin', id: 'usr_op' } as const;
    const why = { jti, extent: 'authorization', actor, meta: at(3) } as const;
    expect(await endIssued({ db, exchange: room.exchange }, why)).toEqual([jti]);
    expect(await isAlive({ credential })).toBe(false);
    expect((await events('credential_revoked')).at(-1)).toMatchObject({
      ...{ actor_kind: 'admin', actor_id: 'usr_op', credential_id: id, reason: 'operator' },
    });
  });

  it.each<[string, (at: Date) => Promise<void>]>([
    [
      'the membership',
      (now) =>
        db.kysely
          .transaction()
          .execute((trx) => endIssuedIn(trx, { userId: ada.id, workspaceId: acme, now })),
    ],
    [
      'the resource',
      (now) =>
        db.kysely.transaction().execute((trx) => endIssuedFor(trx, { resource: files.uri, now })),
    ],
    [
      'the account',
      (now) =>
        db.kysely
          .transaction()
          .execute((trx) => room.families.endAllOf(trx, { user_id: ada.id }, now)),
    ],
    ['everything', (now) => db.kysely.transaction().execute((trx) => endAllIssued(trx, now))],
  ])('MUST come with the end of %s, with what was exchanged from it', async (_what, end) => {
    const made = await room.regenerate();
    const { jti } = await exchangedFrom(made.credential);
    expect((await room.exchange.issued(jti))?.alive).toBe(true);
    await end(later(60));
    expect(await isAlive(made)).toBe(false);
    expect((await room.exchange.issued(jti))?.alive).toBe(false);
    expect(await labels()).toEqual([]);
  });
});

/** A token that was exchanged from a credential, as it is written. */
async function exchangedFrom(credential: string): Promise<Issuance> {
  const parent = hashId(credential);
  const issuance: Issuance = {
    ...{ jti: `child of ${parent}`, kind: 'access_token', client_id: null, sub: ada.id },
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    ...{ resource: files.uri, scope: 'read', token_type: 'Bearer', workspace_id: acme },
    ...{ parent_jti: parent, root_jti: parent, issued_at: start, expires_at: later(86_400) },
  };
  await db.kysely
    .insertInto('issuances')
    .values({ ...issuance, claims: null })
    .execute();
  return issuance;
}

describe('what is kept', () => {
  it('a page at a time, newest first, live or ended', async () => {
    for (let count = 0; count < 5; count++) await room.create(bob.id, `Client ${count}`, count);
    for (let count = 5; count < 8; count++) await room.regenerate(count);
    const walk = async (status?: 'active' | 'revoked') => {
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await room.credentials.page({ workspaceId: acme, status, cursor, limit: 2 });
        expect(page.items.length).toBeLessThanOrEqual(2);
        found.push(...page.items.map(({ label, status: is }) => `${label} ${is}`));
        cursor = page.next_cursor;
      } while (cursor !== undefined);
      return found;
    };
    const clients = [4, 3, 2, 1, 0].map((count) => `Client ${count} active`);
    expect(await walk('active')).toEqual(['Default active', ...clients]);
    expect(await walk('revoked')).toEqual(['Default revoked', 'Default revoked']);
    expect(await walk()).toHaveLength(8);
    expect(await labels(beta)).toEqual([]);
    const foreign = await room.credentials.page({ workspaceId: acme, limit: 1 });
    const other = { workspaceId: beta, limit: 1, cursor: foreign.next_cursor };
    await expect(room.credentials.page(other)).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('a use, to the minute', async () => {
    const { credential, id } = await room.create(bob.id);
    const jti = hashId(credential);
    const used = async (seconds: number, from: string) => {
      await room.credentials.touch(jti, { at: later(seconds), from });
      const { lastUsedAt, lastUsedIp } = (await room.credentials.find(id)) ?? {};
      return [lastUsedAt, lastUsedIp];
    };
    expect(await used(5, '192.0.2.7')).toEqual([later(5), '192.0.2.7']);
    expect(await used(50, '192.0.2.8')).toEqual([later(5), '192.0.2.7']);
    expect(await used(66, '192.0.2.9')).toEqual([later(66), '192.0.2.9']);
  });

  it('MUST NOT go by the clean-up while it lives, and goes when it has ended for long', async () => {
    const [live, ended] = [await room.regenerate(), await room.create(bob.id)];
    await room.credentials.revoke({ id: ended.id, by: bob, meta: at(60) });
    const years = later(10 * 365 * 86_400);
    expect(await room.sweep.removeIssuances(later(59), years, 100)).toBe(0);
    expect(await room.sweep.removeIssuances(later(61), years, 100)).toBe(1);
    expect(await room.sweep.removeIssuances(years, years, 100)).toBe(0);
    expect(await isAlive(live)).toBe(true);
    expect(await room.credentials.find(live.id)).toBeDefined();
    expect(await room.credentials.find(ended.id)).toBeUndefined();
  });

  it('MUST come back with a backup, and be dead where tokens are ended with it', async () => {
    const [live, ended] = [await room.regenerate(), await room.create(bob.id)];
    await room.credentials.revoke({ id: ended.id, by: bob, meta: at(60) });
    const restored = await openPGlite('memory', {});
    onTestFinished(() => restored.close());
    await restore(restored);
    const { credentials, exchange } = createTokens(restored, {
      tokens: { personal_access_max_ttl: 86_400 },
    });
    const alive = async ({ credential }: { credential: string }) =>
      (await exchange.issued(hashId(credential)))?.alive;
    expect([await alive(live), await alive(ended)]).toEqual([true, false]);
    const request = { workspaceId: acme, resource: files, by: ada, meta: at(90) };
    const next = await credentials.regenerateDefault(request);
    expect([await alive(live), await alive(next)]).toEqual([false, true]);
    await restored.kysely.transaction().execute((trx) => endAllIssued(trx, later(95)));
    expect(await alive(next)).toBe(false);
    expect(await credentials.list({ workspaceId: acme })).toEqual([]);
  }, 60_000);
});

async function restore(target: Database): Promise<void> {
  const { ensureAuditPartitionsFor } = await import('../audit/index.ts');
  const lines = backupLines(db, { created_at: start.toISOString(), key_check: '' });
  const first = await lines.next();
  if (first.done || !('format' in first.value)) throw new Error('no head');
  async function* rest() {
    for await (const line of lines) if (!('format' in line)) yield line;
  }
  await restoreLines(target, first.value, rest(), {
    prepare: (trx, { table, rows }) =>
      table === 'audit_events' ? ensureAuditPartitionsFor(trx, rows) : Promise.resolve(),
    settle: () => Promise.resolve(),
  });
}
