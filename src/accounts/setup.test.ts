import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import { type Database, hashId } from '../db/index.ts';
import {
  emptyAccounts,
  goodPassword,
  type TestAccounts,
  testAccounts,
} from './accounts.testing.ts';

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

const person = { email: 'root@example.com', password: goodPassword, name: 'Root' };

async function openLink(): Promise<string> {
  const link = await test.accounts.setup.open(test.meta);
  if (!link) throw new Error('no link');
  return link.token;
}
const redeem = (token: string, changes: Partial<typeof person> = {}) =>
  test.accounts.setup.redeem({ token, ...person, ...changes }, test.meta);
const owners = () =>
  db.kysely.selectFrom('users').select('email').where('role', '=', 'owner').execute();

describe('the first-owner link', () => {
  it('makes an active owner who can sign in, and records it', async () => {
    const owner = await redeem(await openLink());
    expect(owner).toMatchObject({ role: 'owner', status: 'active', source: 'setup', name: 'Root' });
    expect(owner.id).toMatch(/^usr_[0-9A-Za-z]{20}$/);
    const { email, password } = person;
    const signedIn = await test.accounts.authenticate({ email, password, meta: test.meta });
    expect(signedIn.ok).toBe(true);
    expect((await test.auditTypes()).slice(-4)).toEqual([
      'setup_link_created',
      'user_created',
      'owner_created',
      'user_login',
    ]);
  });

  it('carries 256 random bits of which only a hash is stored', async () => {
    const token = await openLink();
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    const stored = await db.kysely.selectFrom('one_time_links').selectAll().execute();
    expect(stored.map((row) => row.token_hash)).toEqual([hashId(token)]);
    expect(JSON.stringify(stored)).not.toContain(token);
  });

  it('MUST make one owner when two links are redeemed at once (BF08)', async () => {
    const tokens = [await openLink(), await openLink()];
    const results = await Promise.allSettled(
      tokens.map((token, n) => redeem(token, { email: `root${n}@example.com` })),
    );
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await owners()).toHaveLength(1);
  });

  it('MUST answer a used, an expired and a guessed link alike (BF08)', async () => {
    const expired = await openLink();
    test.clock.forward(3600);
    const used = await openLink();
    await redeem(used);
    const refusals = await Promise.all(
      [used, expired, 'guess', ''].map((token) =>
        redeem(token, { email: 'b@x.test' }).catch(({ field, description, status }) => ({
          field,
          description,
          status,
        })),
      ),
    );
    expect(refusals[0]).toMatchObject({ field: 'token', status: 400 });
    expect(refusals).toEqual(refusals.map(() => refusals[0]));
    expect(await owners()).toHaveLength(1);
  });

  it('works once, even if the owner it made is gone again', async () => {
    const token = await openLink();
    await redeem(token);
    await db.kysely.deleteFrom('users').execute();
    await expect(redeem(token)).rejects.toMatchObject({ field: 'token' });
    expect(await owners()).toEqual([]);
  });

  it('works for an hour and not longer', async () => {
    const early = await openLink();
    test.clock.forward(1);
    const late = await openLink();
    test.clock.forward(3599);
    await expect(redeem(early)).rejects.toMatchObject({ field: 'token' });
    await expect(redeem(late)).resolves.toMatchObject({ role: 'owner' });
  });

  it('is not made any more once there is an owner, and unused ones die', async () => {
    const spare = await openLink();
    expect(await test.accounts.setup.needed()).toBe(true);
    await redeem(await openLink());
    expect(await test.accounts.setup.needed()).toBe(false);
    expect(await test.accounts.setup.open(test.meta)).toBeUndefined();
    await expect(redeem(spare, { email: 'b@x.test' })).rejects.toMatchObject({ field: 'token' });
  });

  it.each([
    ['email', { email: 'nobody' }],
    ['password', { password: 'short' }],
    ['password', { password: `${goodPassword}\0` }],
    ['name', { name: 'x'.repeat(201) }],
  ])('names the field %s that is wrong and stays usable', async (field, changes) => {
    const token = await openLink();
    await expect(redeem(token, changes)).rejects.toMatchObject({ field });
    await expect(redeem(token)).resolves.toMatchObject({ role: 'owner' });
  });

  it('stays usable when the e-mail address is taken', async () => {
    await test.accounts.create({ email: 'ROOT@example.com', source: 'config' }, test.meta);
    const token = await openLink();
    await expect(redeem(token)).rejects.toMatchObject({ field: 'email', status: 409 });
    expect(await redeem(token, { email: 'b@x.test' })).toMatchObject({ role: 'owner' });
  });
});
