import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { goodPassword, type TestAccounts, testAccounts } from './accounts.testing.ts';
import type { User } from './user.ts';
import { createWorkspaces, type Workspaces } from './workspaces.ts';

/** Invitations and the last admin, on two replicas at once. */

const rounds = 40;
let replicas: [Database, Database];
let one: TestAccounts;
let two: TestAccounts;
let rooms: [Workspaces, Workspaces];
let ada: User;
let bob: User;
let workspaceId: string;

beforeAll(async () => {
  const dsn = await createTestDatabase('invitations');
  const timeouts = { statementTimeout: 5000, connectTimeout: 5000 };
  const open = () => openDatabase({ driver: 'postgres', dsn, maxConnections: 6, ...timeouts });
  replicas = [await open(), await open()];
  await migrate(replicas[0]);
});
afterAll(() => Promise.all(replicas.map((db) => db.close())));

beforeEach(async () => {
  one = testAccounts(replicas[0]);
  two = testAccounts(replicas[1]);
  const room = (db: Database) =>
    createWorkspaces({ db, now: () => one.clock.now, endTokensOfMember: async () => 0 });
  rooms = [room(replicas[0]), room(replicas[1])];
  await reset();
});

/** A workspace of which ada is the admin, and bob no member. */
async function reset(): Promise<void> {
  for (const table of ['workspaces', 'users'] as const) {
    await one.db.kysely.deleteFrom(table).execute();
  }
  const make = (email: string) => one.accounts.create({ email, source: 'admin' }, one.meta);
  [ada, bob] = [await make('ada@example.test'), await make('bob@example.test')];
  const made = await rooms[0].create({ slug: 'acme', source: 'admin' }, one.meta);
  workspaceId = made.id;
  await rooms[0].addMember(
    { workspaceId, who: { id: ada.id }, role: 'admin', source: 'admin' },
    one.meta,
  );
}

const by = ({ id }: User) => ({ ...one.meta, actor: { kind: 'user' as const, id } });

async function invite(email: string): Promise<string> {
  const asked = { workspaceId, email, role: 'member', source: 'account' } as const;
  return (await one.accounts.invitations.create(asked, by(ada))).token;
}

const statuses = (results: PromiseSettledResult<unknown>[]) =>
  results.map(({ status }) => status).sort();
const pause = (most: number) => new Promise((resolve) => setTimeout(resolve, Math.random() * most));
const isMember = async ({ id }: User) =>
  (await rooms[0].membership({ workspaceId, userId: id })) !== undefined;

test('two replicas that accept a link at once MUST let it in once (BF08)', async () => {
  for (let round = 0; round < rounds; round += 1) {
    await reset();
    const token = await invite(bob.email);
    const results = await Promise.allSettled(
      [one, two, one, two].map(({ accounts }) =>
        accounts.invitations.accept({ token, user: bob }, by(bob)),
      ),
    );
    expect(statuses(results)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    expect(await isMember(bob)).toBe(true);
  }
});

test('two who choose a password by one link at once MUST get one account, with the password of the first', async () => {
  for (let round = 0; round < rounds; round += 1) {
    await reset();
    const token = await invite('carol@example.test');
    const results = await Promise.allSettled(
      [one, two].map(({ accounts }, n) =>
        accounts.invitations.acceptAsNew({ token, password: `${goodPassword} ${n}` }, one.meta),
      ),
    );
    expect(statuses(results)).toEqual(['fulfilled', 'rejected']);
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    const person = await one.db.kysely
      .selectFrom('users')
      .select('password_hash')
      .where('email', '=', 'carol@example.test')
      .executeTakeFirstOrThrow();
    expect(person.password_hash).toBe(`cheap:${goodPassword} ${winner}`);
  }
});

test('an invitation MUST NOT let anybody in after its admin was demoted, whoever comes first', async () => {
  const seen = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    await reset();
    const token = await invite(bob.email);
    const demoted = pause(6).then(() =>
      rooms[1].setRole({ workspaceId, userId: ada.id, role: 'member' }, two.meta),
    );
    await pause(6);
    const accepted = one.accounts.invitations.accept({ token, user: bob }, by(bob));
    const joined = await accepted.then(
      () => true,
      () => false,
    );
    await demoted; // no deadlock
    seen.add(joined ? 'joined first' : 'demoted first');
    expect(await isMember(bob)).toBe(joined);
    expect(await one.accounts.invitations.open(token)).toBeUndefined();
  }
  expect([...seen].sort()).toEqual(['demoted first', 'joined first']);
});

test('two invitations of one address that are made at once MUST leave one, and at most 200 wait', async () => {
  for (let round = 0; round < 5; round += 1) {
    const asked = { workspaceId, email: bob.email, role: 'member', source: 'account' } as const;
    const made = await Promise.all(
      [one, two, one, two].map(({ accounts }) => accounts.invitations.create(asked, by(ada))),
    );
    const open = await Promise.all(made.map(({ token }) => one.accounts.invitations.open(token)));
    expect(open.filter((found) => found !== undefined)).toHaveLength(1);
  }
  for (let count = 1; count < 199; count += 1) await invite(`person${count}@example.test`);
  const more = await Promise.allSettled(
    ['x', 'y', 'z'].map((name) => invite(`${name}@example.test`)),
  );
  expect(statuses(more)).toEqual(['fulfilled', 'rejected', 'rejected']);
});

test('who is removed while they use an invitation MUST be a member no more, whatever comes first', async () => {
  for (let round = 0; round < rounds; round += 1) {
    await reset();
    const token = await invite(bob.email);
    const member = { workspaceId, who: { id: bob.id }, role: 'member', source: 'admin' } as const;
    await rooms[0].addMember(member, one.meta);
    const removed = pause(6).then(() =>
      rooms[1].removeMember({ workspaceId, userId: bob.id }, two.meta),
    );
    await pause(6);
    const accepted = one.accounts.invitations.accept({ token, user: bob }, by(bob));
    const [, outcome] = await Promise.allSettled([removed, accepted]);
    await removed; // no deadlock
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ status: 404 });
    expect(await isMember(bob)).toBe(false);
    expect(await one.accounts.invitations.open(token)).toBeUndefined();
  }
});

test('two admins who leave, or demote each other, at once MUST leave one', async () => {
  for (let round = 0; round < rounds; round += 1) {
    await reset();
    await rooms[0].addMember(
      { workspaceId, who: { id: bob.id }, role: 'admin', source: 'admin' },
      one.meta,
    );
    const [a, b] = [ada, bob];
    const results = await Promise.allSettled(
      round % 2 === 0
        ? [
            rooms[0].leave({ workspaceId, userId: a.id }, by(a)),
            rooms[1].leave({ workspaceId, userId: b.id }, by(b)),
          ]
        : [
            rooms[0].changeRoleAs({ workspaceId, userId: b.id, by: a.id, role: 'member' }, by(a)),
            rooms[1].changeRoleAs({ workspaceId, userId: a.id, by: b.id, role: 'member' }, by(b)),
          ],
    );
    expect(statuses(results)).toEqual(['fulfilled', 'rejected']);
    const { items } = await rooms[0].members({ workspaceId, role: 'admin', limit: 10 });
    expect(items).toHaveLength(1);
  }
});
