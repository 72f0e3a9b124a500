import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { emptyAccounts, type TestAccounts, testAccounts } from './accounts.testing.ts';

let db: Database;
let test: TestAccounts;
let userId: string;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
afterAll(() => db.close());
beforeEach(async () => {
  await emptyAccounts(db);
  test = testAccounts(db);
  ({ id: userId } = await test.accounts.create({ email: 'a@x.test', source: 'cli' }, test.meta));
});

const inSeconds = (seconds: number) => new Date(test.clock.now.getTime() + seconds * 1000);
const session = (
  id: string,
  changes: { uid?: string; user_id?: string; payload?: string } = {},
) => ({
  id,
  uid: `uid-${id}`,
  user_id: userId,
  payload: '{}',
  expires_at: inSeconds(60),
  created_at: test.clock.now,
  ...changes,
});

describe('sign-in sessions', () => {
  it('are found by id and by uid until they expire', async () => {
    const { sessions } = test.accounts;
    await sessions.save(session('a', { payload: '{"amr":["pwd"]}' }));
    expect(await sessions.find('a')).toMatchObject({ uid: 'uid-a', payload: { amr: ['pwd'] } });
    expect(await sessions.findByUid('uid-a')).toMatchObject({ id: 'a', user_id: userId });
    test.clock.forward(60);
    expect(await sessions.find('a')).toBeUndefined();
    expect(await sessions.findByUid('uid-a')).toBeUndefined();
  });

  it('may belong to nobody yet, and get a user when saved again', async () => {
    const { sessions } = test.accounts;
    await sessions.save({ ...session('a'), user_id: null });
    expect(await sessions.find('a')).toMatchObject({ user_id: null });
    await sessions.save(session('a', { payload: '{"n":2}' }));
    expect(await sessions.find('a')).toMatchObject({ user_id: userId, payload: { n: 2 } });
  });

  it('live longer when touched', async () => {
    const { sessions } = test.accounts;
    await sessions.save(session('a'));
    expect(await sessions.touch('a', inSeconds(120))).toBe(true);
    expect(await sessions.touch('b', inSeconds(120))).toBe(false);
    test.clock.forward(60);
    expect(await sessions.find('a')).toBeDefined();
  });

  it('end one by one, by uid, or all of a user but one', async () => {
    const { sessions } = test.accounts;
    for (const id of ['a', 'b', 'c', 'd']) await sessions.save(session(id));
    await sessions.remove('a');
    await sessions.endByUid('uid-b');
    expect(await sessions.countFor(userId)).toBe(2);
    expect(await sessions.endAllFor(userId, test.meta, { except: 'uid-c' })).toBe(1);
    expect(await sessions.find('c')).toBeDefined();
    expect(await sessions.endAllFor(userId, test.meta)).toBe(1);
    expect(await sessions.endAllFor(userId, test.meta)).toBe(0);
    expect((await test.auditTypes()).slice(-2)).toEqual(['sessions_ended', 'sessions_ended']);
  });

  it('are purged when they have expired, a batch at a time', async () => {
    const { accounts } = test;
    for (const id of ['a', 'b', 'c']) await accounts.sessions.save(session(id));
    test.clock.forward(60);
    await accounts.sessions.save(session('live'));
    expect(await accounts.purge(2)).toBe(2);
    expect(await accounts.purge(2)).toBe(1);
    expect(await accounts.sessions.find('live')).toBeDefined();
  });
});
