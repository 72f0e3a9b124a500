import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import {
  emptyAccounts,
  goodPassword,
  type TestAccounts,
  testAccounts,
} from './accounts.testing.ts';
import type { DeclaredUser, UsersReport } from './index.ts';

let db: Database;
let test: TestAccounts;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
afterAll(() => db.close());
beforeEach(async () => {
  await emptyAccounts(db);
  test = testAccounts(db);
});

const alice: DeclaredUser = { email: 'alice@example.com', password: goodPassword, groups: [] };
const reconcile = (...users: DeclaredUser[]) => test.accounts.reconcile(users, test.meta);
const report = (changes: Partial<UsersReport> = {}): UsersReport => ({
  created: [],
  updated: [],
  foreign: [],
  lastOwner: [],
  undeclared: [],
  ...changes,
});
const stored = () => db.kysely.selectFrom('users').selectAll().orderBy('email_key').execute();
const signIn = (password: string) =>
  test.accounts.authenticate({ email: alice.email, password, meta: test.meta });

describe('declared accounts', () => {
  it('are made at the first start and left as they are at the next', async () => {
    expect(await reconcile(alice)).toEqual(report({ created: [alice.email] }));
    expect(await signIn(goodPassword)).toMatchObject({ ok: true });
    const before = await stored();
    expect(await reconcile(alice)).toEqual(report());
    expect(await stored()).toEqual(before);
  });

  it.each<[string, Partial<DeclaredUser>, object]>([
    ['name', { name: 'Alice' }, { name: 'Alice' }],
    ['role', { role: 'viewer' }, { role: 'viewer' }],
    ['groups', { groups: ['staff'] }, { groups: ['staff'] }],
  ])('follow the file when their %s changes, and back', async (_what, change, row) => {
    await reconcile(alice);
    const [before] = await stored();
    expect(await reconcile({ ...alice, ...change })).toEqual(report({ updated: [alice.email] }));
    expect((await stored())[0]).toMatchObject({ ...row, id: before?.id });
    expect(await reconcile(alice)).toEqual(report({ updated: [alice.email] }));
    expect((await stored())[0]).toMatchObject({ name: null, role: null, groups: [] });
  });

  it('get another hash only when the declared password is another one', async () => {
    await reconcile(alice);
    const [before] = await stored();
    await reconcile({ ...alice, name: 'Alice' });
    expect((await stored())[0]?.password_hash).toBe(before?.password_hash);
    const change = { ...alice, password: 'another password' };
    expect(await reconcile(change)).toMatchObject({ updated: [alice.email] });
    expect(await signIn('another password')).toMatchObject({ ok: true });
    const { password: _, ...without } = change;
    await reconcile(without);
    expect((await stored())[0]?.password_hash).toBeNull();
  });

  it('are reported and left alone when they leave the file', async () => {
    await reconcile(alice);
    expect(await reconcile()).toEqual(report({ undeclared: [alice.email] }));
    expect(await signIn(goodPassword)).toMatchObject({ ok: true });
  });

  it('MUST NOT touch what was made elsewhere', async () => {
    await test.accounts.create({ ...alice, name: 'Made by hand', source: 'admin' }, test.meta);
    const before = await stored();
    const declared = { ...alice, email: 'ALICE@example.com', role: 'owner' } as const;
    expect(await reconcile(declared)).toEqual(report({ foreign: ['ALICE@example.com'] }));
    expect(await stored()).toEqual(before);
  });

  it('stay disabled when somebody disabled them', async () => {
    await reconcile(alice);
    const [row] = await stored();
    await test.accounts.disable(row?.id ?? '', test.meta);
    await reconcile({ ...alice, name: 'Alice' });
    expect((await stored())[0]).toMatchObject({ status: 'disabled', name: 'Alice' });
  });

  it('keep the last owner, and say so', async () => {
    await reconcile({ ...alice, role: 'owner' });
    expect(await reconcile(alice)).toEqual(report({ lastOwner: [alice.email] }));
    expect((await stored())[0]).toMatchObject({ role: 'owner' });
  });

  it('are made once when several replicas start at once', async () => {
    const reports = await Promise.all([reconcile(alice), reconcile(alice)]);
    expect(reports).toContainEqual(report({ created: [alice.email] }));
    expect(reports).toContainEqual(report());
  });

  it('leave one audit event of what happened, and none when nothing did', async () => {
    await reconcile(alice);
    expect((await test.auditTypes()).slice(-2)).toEqual(['user_created', 'config_reconciled']);
    const count = (await test.auditTypes()).length;
    await reconcile(alice);
    expect(await test.auditTypes()).toHaveLength(count);
  });

  it('are refused with the field when they are not acceptable', async () => {
    await expect(reconcile({ ...alice, password: 'short' })).rejects.toMatchObject({
      field: 'password',
    });
  });
});
