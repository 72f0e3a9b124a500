import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import {
  emptyAccounts,
  goodPassword,
  lockout,
  type TestAccounts,
  testAccounts,
} from './accounts.testing.ts';
import type { User } from './index.ts';
import { nobodysHash } from './passwords.ts';

let db: Database;
let test: TestAccounts;
let alice: User;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
afterAll(() => db.close());
beforeEach(async () => {
  await emptyAccounts(db);
  test = testAccounts(db);
  alice = await test.accounts.create(
    { email: 'Alice@Example.com', password: goodPassword, source: 'cli' },
    test.meta,
  );
});

const signIn = (changes: { email?: string; password?: string; ip?: string | undefined } = {}) => {
  const { email = 'alice@example.com', password = goodPassword, ...from } = changes;
  return test.accounts.authenticate({ email, password, meta: { ...test.meta, ...from } });
};
async function failTimes(times: number, changes: Parameters<typeof signIn>[0] = {}) {
  for (let n = 0; n < times; n++) await signIn({ password: 'wrong password', ...changes });
}
const eventsSince = async (start: number) => (await test.auditTypes()).slice(start);
const eventCount = async () => (await test.auditTypes()).length;

describe('signing in', () => {
  it.each(['alice@example.com', ' ALICE@EXAMPLE.COM ', 'ａlice@example.com'])(
    'finds the account by %j',
    async (email) => {
      expect(await signIn({ email })).toMatchObject({ ok: true, user: { id: alice.id } });
    },
  );

  it('takes either normalisation form of the password (BF07)', async () => {
    await test.accounts.setPassword(alice.id, 'caf\u00E9 au lait', test.meta);
    expect(await signIn({ password: 'cafe\u0301 au lait' })).toMatchObject({ ok: true });
  });

  it('notes the time and records user_login', async () => {
    const before = await eventCount();
    await signIn();
    expect(await eventsSince(before)).toEqual(['user_login']);
    expect((await test.accounts.find(alice.id))?.lastLoginAt).toEqual(test.clock.now);
  });
});

describe('a refused sign-in', () => {
  it('MUST cost an unknown, a disabled and a password-less account the same work (T25)', async () => {
    await test.accounts.create({ email: 'bob@example.com', source: 'config' }, test.meta);
    await test.accounts.disable(alice.id, test.meta);
    const cases = [
      { email: 'nobody@example.com' },
      { email: 'bob@example.com' },
      { email: 'alice@example.com' },
    ];
    const before = await eventCount();
    for (const email of cases) {
      expect(await signIn(email)).toEqual({ ok: false, reason: 'invalid' });
    }
    expect(test.verified).toEqual([nobodysHash, nobodysHash, `cheap:${goodPassword}`]);
    expect(await eventsSince(before)).toEqual(cases.map(() => 'user_login_failed'));
  });

  it.each([
    ['1 MB', 'x'.repeat(1_000_000)],
    ['NUL', `${goodPassword}\0`],
    ['a lone surrogate', `${goodPassword}\uD800`],
  ])('MUST NOT hash a password with %s (BF07)', async (_what, password) => {
    expect(await signIn({ password })).toEqual({ ok: false, reason: 'invalid' });
    expect(test.verified).toEqual([]);
  });

  it.each(['', '\0', 'alice@example.com\0', '\uD800@x', 'x'.repeat(100_000)])(
    'is no error for the e-mail address %.12j',
    async (email) => {
      expect(await signIn({ email })).toEqual({ ok: false, reason: 'invalid' });
    },
  );

  it('leaves nothing of what was typed in the database', async () => {
    await signIn({ email: 'my secret password', password: 'another secret' });
    const rows = await db.kysely.selectFrom('login_attempts').selectAll().execute();
    const events = await db.kysely.selectFrom('audit_events').selectAll().execute();
    expect(JSON.stringify([rows, events])).not.toContain('secret');
  });

  it.each<[string, (id: string) => Promise<unknown>]>([
    ['disabled', (id) => test.accounts.disable(id, test.meta)],
    ['given another password', (id) => test.accounts.setPassword(id, 'another one', test.meta)],
  ])('MUST be the answer when the account is %s while it is verified', async (_what, change) => {
    const { accounts, meta } = testAccounts(db, { whileVerifying: () => change(alice.id) });
    const credentials = { email: alice.email, password: goodPassword, meta };
    expect(await accounts.authenticate(credentials)).toEqual({ ok: false, reason: 'invalid' });
    expect((await test.auditTypes()).at(-1)).toBe('user_login_failed');
  });

  it('says why in the audit log only', async () => {
    await signIn({ email: 'nobody@example.com' });
    await signIn({ password: 'wrong password' });
    await test.accounts.disable(alice.id, test.meta);
    await signIn();
    await signIn();
    const rows = await db.kysely
      .selectFrom('audit_events')
      .select(['detail', 'ip'])
      .where('type', '=', 'user_login_failed')
      .orderBy('id', 'desc')
      .limit(4)
      .execute();
    const why = (reason: string, known_account = true) => ({
      detail: { reason, method: 'password', known_account },
      ip: test.meta.ip,
    });
    expect(rows.reverse()).toEqual([
      why('unknown', false),
      why('invalid'),
      why('disabled'),
      why('disabled'),
    ]);
  });
});

describe('lockout of an account', () => {
  it('MUST verify no more guesses than the limit, however many come at once', async () => {
    const guesses = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        signIn({ password: `guess number ${n}`, ip: `192.0.2.${n}` }),
      ),
    );
    const invalid = guesses.filter((guess) => !guess.ok && guess.reason === 'invalid');
    expect(invalid).toHaveLength(lockout.failures);
    expect(await signIn({ ip: '192.0.2.99' })).toMatchObject({ ok: false, reason: 'locked' });
  });

  it('MUST be the same for known and unknown accounts (T25)', async () => {
    const answers = [];
    for (const email of ['alice@example.com', 'nobody@example.com']) {
      await failTimes(lockout.failures, { email });
      answers.push(await signIn({ email }));
    }
    expect(answers[0]).toEqual({ ok: false, reason: 'locked', retryAfter: lockout.lockout });
    expect(answers[1]).toEqual(answers[0]);
    expect(test.verified).toHaveLength(2 * (lockout.failures + 1)); // a locked one is hashed too
  });

  it('ends after auth_lockout, however often it was tried meanwhile', async () => {
    await failTimes(lockout.failures);
    test.clock.forward(lockout.lockout - 1);
    expect(await signIn()).toEqual({ ok: false, reason: 'locked', retryAfter: 1 });
    test.clock.forward(1);
    expect(await signIn()).toMatchObject({ ok: true });
  });

  it('counts within auth_fail_window only, from the first failure on', async () => {
    await failTimes(lockout.failures - 1);
    test.clock.forward(lockout.window);
    await failTimes(lockout.failures - 1);
    expect(await signIn()).toMatchObject({ ok: true });
  });

  it('is forgotten by a successful sign-in', async () => {
    for (let n = 0; n < 3; n++) {
      await failTimes(lockout.failures - 1);
      expect(await signIn()).toMatchObject({ ok: true });
    }
  });

  it('is lifted by setting a password', async () => {
    await failTimes(lockout.failures);
    await test.accounts.setPassword(alice.id, goodPassword, test.meta);
    expect(await signIn()).toMatchObject({ ok: true });
  });

  it('is recorded once, in the transaction of the failure that caused it', async () => {
    const before = await eventCount();
    await failTimes(lockout.failures + 1);
    const failed = Array.from({ length: lockout.failures }, () => 'user_login_failed');
    expect(await eventsSince(before)).toEqual([...failed, 'user_locked_out', 'user_login_failed']);
  });
});

describe('lockout of an address', () => {
  const most = lockout.failures * 5;

  it('MUST stop one password tried over many accounts (BF02)', async () => {
    const reasons = [];
    for (let n = 0; n < most + 5; n++) {
      const answer = await signIn({ email: `user${n}@example.com`, password: 'Summer 2026!' });
      reasons.push(answer.ok ? 'ok' : answer.reason);
    }
    expect(reasons.indexOf('locked')).toBe(most);
    expect(test.verified).toHaveLength(most);
    expect(await signIn()).toMatchObject({ ok: false, reason: 'locked' });
    expect(await signIn({ ip: '192.0.2.2' })).toMatchObject({ ok: true });
  });

  it('MUST hold an IPv6 /64 and its spellings for one address (BF03)', async () => {
    const spelling = ['2001:db8::1', '2001:DB8:0:0:ffff::9', '2001:0db8:0000:0000::abcd'];
    for (let n = 0; n < most; n++) {
      await signIn({ email: `u${n}@x.test`, ip: spelling[n % spelling.length] });
    }
    expect(await signIn({ ip: '2001:db8::7777' })).toMatchObject({ reason: 'locked' });
    expect(await signIn({ ip: '2001:db8:0:1::1' })).toMatchObject({ ok: true });
  });

  it('MUST NOT let a locked address lock the accounts of others', async () => {
    for (let n = 0; n < most; n++) await signIn({ email: `u${n}@x.test` });
    await failTimes(lockout.failures + 1);
    expect(await signIn({ ip: '192.0.2.2' })).toMatchObject({ ok: true });
  });

  it('is not forgotten by signing in with one account of one’s own', async () => {
    for (let n = 0; n < most; n++) {
      await signIn({ email: `u${n}@x.test` });
      if (n < most - 1) expect(await signIn()).toMatchObject({ ok: true });
    }
    expect(await signIn()).toMatchObject({ reason: 'locked' });
  });

  it('treats requests without a known address as one', async () => {
    for (let n = 0; n < most; n++) await signIn({ email: `u${n}@x.test`, ip: undefined });
    expect(await signIn({ ip: undefined })).toMatchObject({ reason: 'locked' });
  });
});

describe('purge', () => {
  it('removes counters that are over and keeps locks', async () => {
    await failTimes(lockout.failures);
    test.clock.forward(lockout.window + 1);
    await test.accounts.purge(100);
    expect(await signIn()).toMatchObject({ reason: 'locked' });
    test.clock.forward(lockout.window + lockout.lockout);
    await test.accounts.purge(100);
    expect(await db.kysely.selectFrom('login_attempts').select('key').execute()).toEqual([]);
  });
});
