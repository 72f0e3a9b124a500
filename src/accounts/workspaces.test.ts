import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { type TestWorkspaces, testWorkspaces } from './workspaces.testing.ts';
import { lockMembership } from './workspaces-members-queries.ts';

let db: Database;
let room: TestWorkspaces;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  room = await testWorkspaces(db);
});

const make = (slug: string, name?: string) =>
  room.workspaces.create({ slug, name, source: 'admin' }, room.meta);
const ada = { id: 'usr_ada' };

async function eventsAfter(work: () => Promise<unknown>) {
  const { max } = db.kysely.fn;
  const { last } = await db.kysely
    .selectFrom('audit_events')
    .select(max('id').as('last'))
    .executeTakeFirstOrThrow();
  await work();
  const rows = await db.kysely
    .selectFrom('audit_events')
    .select(['type', 'user_id', 'detail'])
    .where('id', '>', String(last ?? 0))
    .orderBy('id')
    .execute();
  return rows.map(({ type, user_id, detail }) => ({ type, user_id, detail }));
}

describe('a workspace', () => {
  test('is made with a UUID, which tokens carry, and is found by it and by its slug', async () => {
    const made = await make('acme', 'Acme Inc.');
    expect(made.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(await room.workspaces.find('acme')).toEqual(made);
    expect(await room.workspaces.find(made.id)).toEqual(made);
    expect(await room.workspaces.find('other')).toBeUndefined();
  });

  test.each([
    ['Acme', 'slug'],
    ['-a', 'slug'],
    ['a'.repeat(65), 'slug'],
    ['8c1c5e6e-0000-4000-8000-000000000001', 'slug'],
    ['a\0b', 'slug'],
  ])('MUST NOT have the slug %j', async (slug, field) => {
    await expect(make(slug)).rejects.toMatchObject({ field, status: 400 });
  });

  test.each(['', '  ', 'a\nb', 'a\0', '\ud800', 'x'.repeat(201)])(
    'MUST NOT have the name %j',
    async (name) => {
      await expect(make('acme', name)).rejects.toMatchObject({ field: 'name' });
    },
  );

  test('MUST have a slug of its own', async () => {
    await make('acme');
    await expect(make('acme')).rejects.toMatchObject({ field: 'slug', status: 409 });
  });

  test('is renamed, with what it was in the audit log; the same name leaves no trace', async () => {
    const { id } = await make('acme', 'Old');
    const events = await eventsAfter(async () => {
      expect(await room.workspaces.rename(id, 'New', room.meta)).toMatchObject({ name: 'New' });
      await room.workspaces.rename(id, 'New', room.meta);
    });
    const changes = [{ field: 'name', from: 'Old', to: 'New' }];
    expect(events).toMatchObject([{ type: 'workspace_updated', detail: { changes } }]);
  });

  test('lists are paged, searched by the beginning of id, slug or name, and kept to some ids', async () => {
    const made = [await make('a-one', 'First'), await make('b_two'.replace('_', '-'), '50% off')];
    made.push(await make('c-three', 'firm'));
    const slugs = async (query: Partial<Parameters<typeof room.workspaces.list>[0]>) =>
      (await room.workspaces.list({ limit: 10, ...query })).items.map(({ slug }) => slug);
    expect(await slugs({})).toEqual(['c-three', 'b-two', 'a-one']);
    expect(await slugs({ sort: 'created_at' })).toEqual(['a-one', 'b-two', 'c-three']);
    expect(await slugs({ q: 'FIR' })).toEqual(['c-three', 'a-one']);
    expect(await slugs({ q: 'b-' })).toEqual(['b-two']);
    expect(await slugs({ q: '50%' })).toEqual(['b-two']);
    expect(await slugs({ q: '%' })).toEqual([]);
    expect(await slugs({ q: made[0]?.id.slice(0, 13).toUpperCase() })).toEqual(['a-one']);
    expect(await slugs({ ids: [made[2]?.id ?? ''] })).toEqual(['c-three']);
    expect(await slugs({ ids: [] })).toEqual([]);
    const first = await room.workspaces.list({ limit: 2 });
    expect(await slugs({ limit: 2, cursor: first.next_cursor })).toEqual(['a-one']);
  });
});

describe('a member', () => {
  test('is added by id or e-mail address, once, with a role', async () => {
    const { id: workspaceId, slug, name } = await make('acme');
    const member = { workspaceId, role: 'member', source: 'cli' } as const;
    await room.workspaces.addMember({ ...member, who: ada }, room.meta);
    const bob = { email: ' BOB@example.com' };
    await room.workspaces.addMember({ ...member, who: bob, role: 'admin' }, room.meta);
    await expect(
      room.workspaces.addMember({ ...member, who: ada }, room.meta),
    ).rejects.toMatchObject({ field: 'member', status: 409 });
    await expect(
      room.workspaces.addMember({ ...member, who: { id: 'usr_none' } }, room.meta),
    ).rejects.toMatchObject({ field: 'member', status: 400 });
    expect(await room.workspaces.membershipsOf('usr_bob')).toEqual([
      { id: workspaceId, slug, name, role: 'admin' },
    ]);
    const { items } = await room.workspaces.members({ workspaceId, limit: 10 });
    expect(items.map(({ userId, role }) => [userId, role])).toEqual([
      ['usr_bob', 'admin'],
      ['usr_ada', 'member'],
    ]);
    const some = await room.workspaces.members({ workspaceId, limit: 10, q: 'ADA@' });
    expect(some.items).toHaveLength(1);
  });

  test('changes their role, and ends nothing by that', async () => {
    const { id: workspaceId } = await make('acme');
    const member = { workspaceId, who: ada, role: 'member', source: 'admin' } as const;
    await room.workspaces.addMember(member, room.meta);
    const key = { workspaceId, userId: 'usr_ada' };
    const events = await eventsAfter(() =>
      room.workspaces.setRole({ ...key, role: 'admin' }, room.meta),
    );
    const changes = [{ field: 'role', from: 'member', to: 'admin' }];
    expect(events).toMatchObject([
      { type: 'workspace_member_changed', user_id: 'usr_ada', detail: { changes } },
    ]);
    expect(room.ended).toEqual([]);
  });

  test('who is removed MUST lose what they granted in the same transaction', async () => {
    const { id: workspaceId } = await make('acme');
    const key = { workspaceId, userId: 'usr_ada' };
    await room.workspaces.addMember(
      { workspaceId, who: ada, role: 'member', source: 'admin' },
      room.meta,
    );
    const events = await eventsAfter(() => room.workspaces.removeMember(key, room.meta));
    expect(events).toMatchObject([
      { type: 'workspace_member_removed', detail: { role: 'member', grants: 2 } },
    ]);
    expect(room.ended).toEqual([`usr_ada in ${workspaceId}`]);
    await expect(room.workspaces.removeMember(key, room.meta)).rejects.toMatchObject({
      status: 404,
    });
    const role = await db.kysely.transaction().execute((trx) => lockMembership(trx, key));
    expect(role).toBeUndefined();
  });
});

describe('what the configuration declares', () => {
  const reconcile = (
    workspaces: { slug: string; name: string }[],
    users: { email: string; workspaces: { slug: string; role: 'member' | 'admin' }[] }[] = [],
  ) => room.workspaces.reconcile(workspaces, users, room.meta);
  const acme = { slug: 'acme', name: 'Acme' };
  const email = 'ada@example.com';
  const nothing = { created: [], updated: [], foreign: [], undeclared: [], unknown: [] };

  test('is made, changed, and reported when it is gone', async () => {
    expect(await reconcile([acme])).toEqual({ ...nothing, created: ['acme'] });
    expect(await reconcile([acme])).toEqual(nothing);
    expect(await reconcile([{ ...acme, name: 'New' }])).toEqual({ ...nothing, updated: ['acme'] });
    expect(await reconcile([])).toEqual({ ...nothing, undeclared: ['acme'] });
    expect(await room.workspaces.find('acme')).toMatchObject({ name: 'New', source: 'config' });
  });

  test('MUST NOT touch what was made elsewhere', async () => {
    const { id: workspaceId } = await make('acme', 'By hand');
    await room.workspaces.addMember(
      { workspaceId, who: ada, role: 'admin', source: 'admin' },
      room.meta,
    );
    const report = await reconcile(
      [acme],
      [{ email, workspaces: [{ slug: 'acme', role: 'member' }] }],
    );
    expect(report).toEqual({ ...nothing, foreign: ['acme'] });
    await reconcile([acme], [{ email, workspaces: [] }]);
    expect(await room.workspaces.membershipsOf('usr_ada')).toMatchObject([{ role: 'admin' }]);
  });

  test('makes, changes and ends memberships of the people that it declares', async () => {
    const named = `${email} in acme`;
    const as = (role: 'member' | 'admin') => [{ email, workspaces: [{ slug: 'acme', role }] }];
    expect(await reconcile([acme], as('member'))).toEqual({
      ...nothing,
      created: ['acme', named],
    });
    expect(await reconcile([acme], as('admin'))).toEqual({ ...nothing, updated: [named] });
    expect(room.ended).toEqual([]);
    expect(await reconcile([acme], [{ email, workspaces: [] }])).toMatchObject({
      updated: [named],
    });
    expect(room.ended).toHaveLength(1);
    expect(await room.workspaces.membershipsOf('usr_ada')).toEqual([]);
  });

  test('leaves the memberships of people alone who are no longer declared, or were made elsewhere', async () => {
    const declared = [{ email, workspaces: [{ slug: 'acme', role: 'member' as const }] }];
    await reconcile([acme], declared);
    await reconcile([acme], []);
    expect(await room.workspaces.membershipsOf('usr_ada')).toHaveLength(1);
    await db.kysely.updateTable('users').set({ source: 'admin' }).execute();
    await reconcile([acme], [{ email, workspaces: [] }]);
    expect(await room.workspaces.membershipsOf('usr_ada')).toHaveLength(1);
    expect(room.ended).toEqual([]);
  });

  test('reports a workspace that there is not', async () => {
    const declared = [{ email, workspaces: [{ slug: 'nope', role: 'member' as const }] }];
    expect(await reconcile([], declared)).toEqual({ ...nothing, unknown: [`${email} in nope`] });
  });
});
