import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import {
  emptyAccounts,
  goodPassword,
  type TestAccounts,
  testAccounts,
} from './accounts.testing.ts';
import { createAccounts, type NewUser, type User } from './index.ts';

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

const create = (changes: Partial<NewUser> = {}): Promise<User> =>
  test.accounts.create(
    { email: 'alice@example.com', password: goodPassword, source: 'cli', ...changes },
    { ...test.meta, actor: { kind: 'cli' } },
  );
const signIn = (password = goodPassword) =>
  test.accounts.authenticate({ email: 'alice@example.com', password, meta: test.meta });
async function session(userId: string, uid: string) {
  const { now } = test.clock;
  const expires_at = new Date(now.getTime() + 3_600_000);
  const row = { id: `id-${uid}`, uid, user_id: userId, payload: '{}', expires_at, created_at: now };
  await test.accounts.sessions.save(row);
}

describe('creating an account', () => {
  it('gives it an id that no client_id has, and records who made it', async () => {
    const user = await create({ name: ' Alice ', role: 'viewer', groups: ['staff'] });
    expect(user).toMatchObject({
      email: 'alice@example.com',
      name: 'Alice',
      role: 'viewer',
      groups: ['staff'],
      status: 'active',
    });
    expect(user.id).toMatch(/^usr_[0-9A-Za-z]{20}$/);
    expect(await test.accounts.find(user.id)).toEqual(user);
    const event = await db.kysely
      .selectFrom('audit_events')
      .select(['type', 'actor_kind', 'user_id'])
      .where('user_id', '=', user.id)
      .executeTakeFirst();
    expect(event).toEqual({ type: 'user_created', actor_kind: 'cli', user_id: user.id });
  });

  it('MUST keep e-mail addresses unique in every spelling', async () => {
    await create();
    await expect(create({ email: 'ＡLICE@example.com' })).rejects.toMatchObject({
      field: 'email',
      status: 409,
    });
  });

  it('stores a hash and never the password', async () => {
    const { accounts, meta } = otherAccounts();
    await accounts.create(
      { email: 'bob@example.com', password: goodPassword, source: 'cli' },
      meta,
    );
    const rows = await db.kysely.selectFrom('users').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(goodPassword);
    expect(rows[0]?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it('never gives out the hash', async () => {
    const user = await create();
    const { items } = await test.accounts.list({ limit: 10 });
    expect(JSON.stringify([user, items])).not.toContain('cheap:');
  });
});

describe('disabling an account', () => {
  it('MUST end its sessions, its tokens and its sign-in', async () => {
    const user = await create();
    await session(user.id, 'one');
    expect(await test.accounts.disable(user.id, test.meta)).toMatchObject({ status: 'disabled' });
    expect(await test.accounts.sessions.countFor(user.id)).toBe(0);
    expect(test.tokensEnded).toEqual([user.id]);
    expect(await signIn()).toEqual({ ok: false, reason: 'invalid' });
  });

  it('MUST change nothing when its tokens cannot be ended', async () => {
    const { accounts, meta } = otherAccounts(() => Promise.reject(new Error('no')));
    const user = await create();
    await session(user.id, 'one');
    await expect(accounts.disable(user.id, meta)).rejects.toThrow('no');
    expect(await accounts.find(user.id)).toMatchObject({ status: 'active' });
    expect(await accounts.sessions.countFor(user.id)).toBe(1);
    expect((await test.auditTypes()).at(-1)).toBe('user_created');
  });

  it('MUST NOT let a session come back that a running request saves afterwards', async () => {
    const user = await create();
    await test.accounts.disable(user.id, test.meta);
    await session(user.id, 'late');
    expect(await test.accounts.sessions.find('id-late')).toBeUndefined();
    await test.accounts.enable(user.id, test.meta);
    expect(await test.accounts.sessions.find('id-late')).toBeUndefined();
    expect(await signIn()).toMatchObject({ ok: true });
  });

  it('is recorded once, however often it is done', async () => {
    const user = await create();
    await test.accounts.disable(user.id, test.meta);
    await test.accounts.disable(user.id, test.meta);
    await test.accounts.enable(user.id, test.meta);
    await test.accounts.enable(user.id, test.meta);
    expect((await test.auditTypes()).slice(-2)).toEqual(['user_disabled', 'user_enabled']);
  });

  it('says so when there is no such account', async () => {
    for (const act of [test.accounts.disable, test.accounts.enable] as const) {
      await expect(act('usr_nobody', test.meta)).rejects.toMatchObject({ status: 404 });
    }
  });
});

describe('the last owner', () => {
  it('MUST NOT be disabled or demoted', async () => {
    const { accounts, meta } = test;
    const owner = await create({ role: 'owner' });
    const refused = { status: 409 };
    await expect(accounts.disable(owner.id, meta)).rejects.toMatchObject(refused);
    await expect(accounts.update(owner.id, { role: 'viewer' }, meta)).rejects.toMatchObject(
      refused,
    );
    await expect(accounts.update(owner.id, { role: null }, meta)).rejects.toMatchObject(refused);
    expect(await accounts.find(owner.id)).toMatchObject({ role: 'owner', status: 'active' });
  });

  it('is one of two who disable each other at once', async () => {
    const { accounts, meta } = test;
    const a = await create({ role: 'owner' });
    const b = await create({ role: 'owner', email: 'b@x.test' });
    const results = await Promise.allSettled([
      accounts.disable(a.id, meta),
      accounts.update(b.id, { role: 'viewer' }, meta),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('does not count disabled owners', async () => {
    const { accounts, meta } = test;
    const a = await create({ role: 'owner' });
    const b = await create({ role: 'owner', email: 'b@x.test' });
    await accounts.disable(b.id, meta);
    await expect(accounts.disable(a.id, meta)).rejects.toMatchObject({ field: 'status' });
    await accounts.update(b.id, { role: null }, meta); // she is no active owner any more
  });
});

describe('changing an account', () => {
  it('writes and records only what differs', async () => {
    const user = await create({ name: 'Alice', groups: ['a'] });
    const change = { name: 'Alice', groups: ['a', 'b'] };
    const changed = await test.accounts.update(user.id, change, test.meta);
    expect(changed).toMatchObject(change);
    const events = await db.kysely
      .selectFrom('audit_events')
      .select('detail')
      .where('type', '=', 'user_updated')
      .where('user_id', '=', user.id)
      .execute();
    expect(events).toEqual([
      { detail: { changes: [{ field: 'groups', from: ['a'], to: ['a', 'b'] }] } },
    ]);
  });

  it('clears name and role with null, and leaves alone what is not named', async () => {
    const user = await create({ name: 'Alice', role: 'viewer', groups: ['a'] });
    await test.accounts.update(user.id, { name: null, role: null }, test.meta);
    const after = await test.accounts.find(user.id);
    expect(after).toMatchObject({ groups: ['a'] });
    expect(after).not.toHaveProperty('name');
    expect(after).not.toHaveProperty('role');
  });
});

describe('setting a password', () => {
  it('replaces the old one and signs the account out everywhere else', async () => {
    const user = await create();
    await session(user.id, 'here');
    await session(user.id, 'elsewhere');
    const options = { keepSession: 'here' };
    await test.accounts.setPassword(user.id, 'another password', test.meta, options);
    expect(await signIn()).toMatchObject({ ok: false });
    expect(await signIn('another password')).toMatchObject({ ok: true });
    expect(await test.accounts.sessions.findByUid('here')).toBeDefined();
    expect(await test.accounts.sessions.findByUid('elsewhere')).toBeUndefined();
    expect((await test.auditTypes()).slice(-4, -2)).toEqual([
      'user_password_changed',
      'sessions_ended',
    ]);
  });

  it('refuses a bad one and an unknown account', async () => {
    const { accounts, meta } = test;
    const user = await create();
    await expect(accounts.setPassword(user.id, 'short', meta)).rejects.toMatchObject({
      field: 'password',
    });
    await expect(accounts.setPassword('usr_x', goodPassword, meta)).rejects.toMatchObject({
      status: 404,
    });
  });
});

describe('list', () => {
  it('gives every account once, page by page', async () => {
    for (const name of ['c', 'a', 'b']) await create({ email: `${name}@x.test` });
    const first = await test.accounts.list({ limit: 2 });
    expect(first.items.map(({ email }) => email)).toEqual(['a@x.test', 'b@x.test']);
    const second = await test.accounts.list({ limit: 2, after: first.next ?? '' });
    expect(second.items.map(({ email }) => email)).toEqual(['c@x.test']);
    expect(second.next).toBeUndefined();
  });
});

function otherAccounts(endTokensOfUser = () => Promise.resolve()) {
  const deps = { db, now: () => test.clock.now, endTokensOfUser };
  const lockout = { failures: 3, window: 60, lockout: 60 };
  return { accounts: createAccounts(deps, { lockout }), meta: test.meta };
}
