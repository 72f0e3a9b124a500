import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import {
  emptyAccounts,
  goodPassword,
  lockout,
  type TestAccounts,
  testAccounts,
} from './accounts.testing.ts';

const rounds = 100;
let dsn: string;
let replicas: [Database, Database];
let one: TestAccounts;
let two: TestAccounts;

function open(): Promise<Database> {
  const timeouts = { statementTimeout: 5000, connectTimeout: 5000 };
  return openDatabase({ driver: 'postgres', dsn, maxConnections: 5, ...timeouts });
}

beforeAll(async () => {
  dsn = await createTestDatabase('accounts');
  replicas = [await open(), await open()];
  await migrate(replicas[0]);
});
afterAll(() => Promise.all(replicas.map((db) => db.close())));
beforeEach(async () => {
  await emptyAccounts(replicas[0]);
  one = testAccounts(replicas[0]);
  two = testAccounts(replicas[1]);
});

const statuses = (results: PromiseSettledResult<unknown>[]) =>
  results.map(({ status }) => status).sort();

test('two replicas that redeem a first-owner link at once MUST make one owner (BF08)', async () => {
  for (let round = 0; round < rounds; round++) {
    await emptyAccounts(one.db);
    const links = [
      await one.accounts.setup.open(one.meta),
      await two.accounts.setup.open(two.meta),
    ];
    const results = await Promise.allSettled(
      [one, two].map(({ accounts, meta }, n) => {
        const token = links[round % 2 === 0 ? n : 0]?.token ?? ''; // two links, then one link twice
        return accounts.setup.redeem(
          { token, email: `root${n}@example.com`, password: goodPassword },
          meta,
        );
      }),
    );
    expect(statuses(results)).toEqual(['fulfilled', 'rejected']);
    const refusal = results.find((result) => result.status === 'rejected');
    expect(refusal?.reason).toMatchObject({ field: 'token' });
  }
});

test('two owners who end each other on two replicas at once MUST leave one', async () => {
  for (let round = 0; round < rounds; round++) {
    await emptyAccounts(one.db);
    const owner = { role: 'owner', source: 'cli' } as const;
    const a = await one.accounts.create({ ...owner, email: 'a@example.com' }, one.meta);
    const b = await one.accounts.create({ ...owner, email: 'b@example.com' }, one.meta);
    const results = await Promise.allSettled([
      one.accounts.disable(a.id, one.meta),
      two.accounts.update(b.id, { role: null }, two.meta),
    ]);
    expect(statuses(results)).toEqual(['fulfilled', 'rejected']);
  }
});

test('parallel guesses over two replicas MUST share one limit, without an error', async () => {
  const email = 'alice@example.com';
  await one.accounts.create({ email, password: goodPassword, source: 'cli' }, one.meta);
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, n) => {
      const { accounts, meta } = n % 2 === 0 ? one : two;
      const from = { ...meta, ip: `192.0.2.${n % 7}` };
      return accounts.authenticate({ email, password: `guess number ${n}`, meta: from });
    }),
  );
  const verified = answers.filter((answer) => !answer.ok && answer.reason === 'invalid');
  expect(verified).toHaveLength(lockout.failures);
});

test('right and wrong sign-ins of several accounts and addresses at once MUST NOT dead-lock', async () => {
  const emails = [0, 1, 2, 3].map((n) => `user${n}@example.com`);
  for (const email of emails) {
    await one.accounts.create({ email, password: goodPassword, source: 'cli' }, one.meta);
  }
  for (let round = 0; round < 20; round++) {
    const attempts = Array.from({ length: 24 }, (_, n) => {
      const { accounts, meta } = n % 2 === 0 ? one : two;
      const password = n % 3 === 0 ? 'wrong password' : goodPassword;
      const from = { ...meta, ip: `192.0.2.${n % 3}` };
      return accounts.authenticate({ email: emails[n % 4] ?? '', password, meta: from });
    });
    await Promise.all(attempts);
  }
});

test('two replicas that start with the same file MUST make each declared account once', async () => {
  const declared = [0, 1, 2].map((n) => ({
    email: `user${n}@example.com`,
    password: goodPassword,
    groups: [],
  }));
  const reports = await Promise.all(
    [one, two].map(({ accounts, meta }) => accounts.reconcile(declared, meta)),
  );
  expect(reports.flatMap(({ created }) => created).sort()).toEqual(
    declared.map(({ email }) => email),
  );
  expect(reports.flatMap(({ updated }) => updated)).toEqual([]);
});

test('a link made while its person is given a role MUST NOT outlive that, on two replicas at once', async () => {
  const { db, accounts, meta } = one;
  const unlessAbove = ({ role }: { role?: string }) => {
    if (role !== undefined) throw new Error('above the caller');
  };
  for (let round = 0; round < rounds; round++) {
    const email = `rising${round}@example.com`;
    const { id } = await accounts.create({ email, source: 'admin' }, meta);
    await Promise.allSettled([
      two.accounts.passwordLinks.create(id, 'reset', two.meta, unlessAbove),
      accounts.update(id, { role: 'operator' }, meta),
    ]);
    const links = db.kysely
      .selectFrom('one_time_links')
      .select('purpose')
      .where('subject', '=', id);
    expect(await links.execute()).toEqual([]);
  }
});
