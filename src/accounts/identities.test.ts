import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { emptyAccounts, type TestAccounts, testAccounts } from './accounts.testing.ts';
import { namesOf } from './identities.ts';
import { checkEmail, emailKey } from './policy.ts';

const issuer = 'https://idp.test:8443/tenant';
const key = { issuer, subject: '00u1' };

let db: Database;
let accounts: TestAccounts;
beforeAll(async () => {
  db = await testDatabase();
});
beforeEach(async () => {
  await emptyAccounts(db);
  accounts = testAccounts(db);
});
afterAll(() => db.close());

const identities = () => accounts.accounts.identities;
const make = (email: string) => accounts.accounts.create({ email, source: 'cli' }, accounts.meta);

async function refusal(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'not refused',
    (error: unknown) => error,
  );
}

describe('an account that an issuer makes', () => {
  test('is made at first sight and found from then on', async () => {
    expect(await identities().find(key)).toBeUndefined();
    const made = await identities().findOrCreate({ ...key, name: 'Ada' }, accounts.meta);
    expect(made).toMatchObject({
      email: 'idp.test:8443|00u1',
      name: 'Ada',
      source: 'issuer',
      groups: [],
    });
    expect(made.role).toBeUndefined();
    expect(await identities().findOrCreate(key, accounts.meta)).toEqual(made);
    expect(await identities().find(key)).toEqual(made);
    expect((await accounts.auditTypes()).slice(-2)).toEqual(['user_created', 'identity_linked']);
  });

  test('cannot sign in by a password', async () => {
    const { email } = await identities().findOrCreate(
      { ...key, email: 'ada@corp.test' },
      accounts.meta,
    );
    const tried = { email, password: '', meta: accounts.meta };
    expect((await accounts.accounts.authenticate(tried)).ok).toBe(false);
  });

  test('takes its address only where nobody has it, in any spelling: MUST NOT be linked by it', async () => {
    const owner = await make('Ada@Corp.test');
    const person = { ...key, email: 'ada@corp.test' };
    const made = await identities().findOrCreate(person, accounts.meta);
    expect(made.id).not.toBe(owner.id);
    expect(made.email).toBe('idp.test:8443|00u1');
    const free = { issuer, subject: '2', email: 'grace@corp.test' };
    expect((await identities().findOrCreate(free, accounts.meta)).email).toBe('grace@corp.test');
  });

  test.each(['no address', 'a@b@c', 'a b@c.test', '', `${'x'.repeat(260)}@c.test`])(
    'has no such address as %j',
    async (email) => {
      const made = await identities().findOrCreate({ ...key, email }, accounts.meta);
      expect(made.email).toBe('idp.test:8443|00u1');
    },
  );

  test('subjects that differ by case only are two people', async () => {
    const [one, other] = await Promise.all(
      ['AbC', 'aBc'].map((subject) =>
        identities().findOrCreate({ issuer, subject }, accounts.meta),
      ),
    );
    expect(one?.id).not.toBe(other?.id);
    expect(one?.email).not.toBe(other?.email);
  });

  test('whose names are all taken MUST be made under one that nobody can foresee', async () => {
    const names = new Set<string>();
    for (let n = 0; n < 5; n += 1) {
      const made = await identities().findOrCreate(key, accounts.meta);
      names.add(made.email);
      await identities().unlink(made.id, key, accounts.meta);
    }
    expect(names.size).toBe(5);
    const hash = createHash('sha256')
      .update(JSON.stringify([issuer, key.subject]))
      .digest('hex');
    expect(names).not.toContain(`idp.test:8443|${hash}`);
    for (const name of names) expect(name).toMatch(/^idp\.test:8443\|[A-Za-z0-9_-]+$/);
  });

  test('another issuer on the same host MUST NOT take the names away', async () => {
    const other = { issuer: 'https://idp.test:8443/other', subject: '' };
    for (const subject of [key.subject, ...namesOf(key).map((name) => name.split('|')[1] ?? '')])
      await identities().findOrCreate({ ...other, subject }, accounts.meta);
    expect((await identities().findOrCreate(key, accounts.meta)).email).toMatch(
      /^idp\.test:8443\|/,
    );
  });

  test('of ten first uses at once one MUST make it', async () => {
    const people = await Promise.all(
      Array.from({ length: 10 }, () =>
        identities().findOrCreate({ ...key, email: 'ada@corp.test' }, accounts.meta),
      ),
    );
    expect(new Set(people.map(({ id }) => id)).size).toBe(1);
    expect((await accounts.accounts.list({ limit: 10 })).items).toHaveLength(1);
  });

  test('a subject written like an address MUST NOT become one', () => {
    for (const subject of ['root@corp.test', 'a|b', 'x\u0131@y', 'ａ＠b']) {
      const names = namesOf({ issuer, subject });
      for (const name of names) expect(checkEmail(emailKey(name)).ok).toBe(false);
    }
  });
});

describe('an identity', () => {
  test('is linked to an account by hand, once, and can be taken away', async () => {
    const [ada, bob] = [await make('ada@corp.test'), await make('bob@corp.test')];
    await identities().link(ada.id, key, accounts.meta);
    expect(await identities().find(key)).toEqual(ada);
    expect(await identities().listFor(ada.id)).toMatchObject([key]);
    for (const { id } of [ada, bob]) {
      const again = identities().link(id, key, accounts.meta);
      expect(await refusal(again)).toMatchObject({ field: 'identity', status: 409 });
    }
    const notTheirs = identities().unlink(bob.id, key, accounts.meta);
    expect(await refusal(notTheirs)).toMatchObject({ field: 'identity', status: 404 });
    await identities().unlink(ada.id, key, accounts.meta);
    expect(await identities().find(key)).toBeUndefined();
    expect((await accounts.auditTypes()).slice(-2)).toEqual([
      'identity_linked',
      'identity_unlinked',
    ]);
  });

  test('of another issuer, or in another spelling, is another', async () => {
    const { id } = await make('ada@corp.test');
    await identities().link(id, key, accounts.meta);
    expect(await identities().find({ ...key, issuer: `${issuer}/` })).toBeUndefined();
    expect(await identities().find({ ...key, subject: '00U1' })).toBeUndefined();
  });

  test('cannot be linked to an account that is not there', async () => {
    const missing = identities().link('usr_none', key, accounts.meta);
    expect(await refusal(missing)).toMatchObject({ status: 404 });
  });

  test('its use is noted at most once a minute', async () => {
    const { id } = await make('ada@corp.test');
    await identities().link(id, key, accounts.meta);
    const used = async () => (await identities().listFor(id))[0]?.lastUsedAt;
    await identities().find(key);
    const first = await used();
    expect(first).toEqual(accounts.clock.now);
    accounts.clock.forward(59);
    await identities().find(key);
    expect(await used()).toEqual(first);
    accounts.clock.forward(2);
    await identities().find(key);
    expect(await used()).toEqual(accounts.clock.now);
  });
});
