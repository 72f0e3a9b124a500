import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, hashId, migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { createTokens, endIssuedIn } from './index.ts';
import { readIssuance } from './statements.ts';
import {
  acme,
  ada,
  at,
  bob,
  files,
  later,
  workspaceCredentials,
} from './workspace-credentials.testing.ts';
import { credentialsQuery } from './workspace-credentials-queries.ts';

let replicas: [Database, Database];
let room: Awaited<ReturnType<typeof workspaceCredentials>>;

beforeAll(async () => {
  const dsn = await createTestDatabase('workspace_credentials');
  const timeouts = { statementTimeout: 20_000, connectTimeout: 10_000 };
  const open = () => openDatabase({ driver: 'postgres', dsn, maxConnections: 6, ...timeouts });
  replicas = [await open(), await open()];
  await migrate(replicas[0]);
});
beforeEach(async () => {
  room = await workspaceCredentials(replicas[0]);
});
afterAll(() => Promise.all(replicas.map((db) => db.close())));

const on = (replica: number) =>
  createTokens(replicas[replica % 2] ?? replicas[0], { tokens: { personal_access_max_ttl: 60 } });

const regenerateOn = (replica: number, by = ada) =>
  on(replica).credentials.regenerateDefault({
    ...{ workspaceId: acme, resource: files, by, meta: at(replica) },
  });

async function aliveOf(made: readonly { credential: string }[]): Promise<boolean[]> {
  return Promise.all(
    made.map(async ({ credential }, replica) => {
      const issued = await on(replica).exchange.issued(hashId(credential));
      return issued?.alive === true;
    }),
  );
}

test('defaults that are made at once on two replicas MUST leave exactly one alive, and none MUST fail', async () => {
  await replicas[0].kysely.updateTable('workspace_members').set({ role: 'admin' }).execute();
  for (let round = 0; round < 5; round++) {
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, replica) => regenerateOn(replica, replica % 3 ? ada : bob)),
    );
    expect((await aliveOf(made)).filter(Boolean)).toHaveLength(1);
  }
  expect(await on(1).credentials.list({ workspaceId: acme })).toHaveLength(1);
});

test('a default MUST be dead on the other replica as soon as the next one is answered', async () => {
  let before = await regenerateOn(0);
  for (let replica = 1; replica < 20; replica++) {
    const next = await regenerateOn(replica);
    const { exchange } = on(replica + 1);
    expect((await exchange.issued(hashId(before.credential)))?.alive).toBe(false);
    expect((await exchange.issued(hashId(next.credential)))?.alive).toBe(true);
    before = next;
  }
});

test('one that is made while its member is removed MUST be dead', async () => {
  for (let round = 0; round < 20; round++) {
    room = await workspaceCredentials(replicas[0]);
    const removing = replicas[1].kysely.transaction().execute(async (trx) => {
      await trx.deleteFrom('workspace_members').where('user_id', '=', bob.id).execute();
      await endIssuedIn(trx, { userId: bob.id, workspaceId: acme, now: later(1) });
    });
    const [made] = await Promise.allSettled([room.create(bob.id), removing]);
    if (made.status === 'fulfilled') expect(await aliveOf([made.value])).toEqual([false]);
    else expect(made.reason).toMatchObject({ field: 'workspace' });
  }
});

test('one that is made while its member is disabled MUST be dead, also when they are enabled again', async () => {
  for (let round = 0; round < 20; round++) {
    room = await workspaceCredentials(replicas[0]);
    const disabling = replicas[1].kysely.transaction().execute(async (trx) => {
      const users = trx.updateTable('users').set({ status: 'disabled' });
      await users.where('id', '=', bob.id).execute();
      await room.families.endAllOf(trx, { user_id: bob.id }, later(1));
    });
    const [made] = await Promise.allSettled([room.create(bob.id), disabling]);
    await replicas[0].kysely.updateTable('users').set({ status: 'active' }).execute();
    if (made.status === 'fulfilled') expect(await aliveOf([made.value])).toEqual([false]);
  }
});

test('many at once of one member MUST NOT be more than the most', async () => {
  for (let count = 0; count < 97; count++) await room.create(bob.id);
  const request = { workspaceId: acme, resource: files, userId: bob.id, label: 'x', meta: at() };
  const results = await Promise.allSettled(
    Array.from({ length: 12 }, (_, replica) => on(replica).credentials.create(request)),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
});

/** Every node of a plan. */
interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows'?: number;
  Plans?: Plan[];
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

test('introspection and the list of live ones MUST walk along indexes among 100,000 others', async () => {
  const { kysely } = replicas[0];
  const made = await room.regenerate();
  await sql`
    INSERT INTO issuances (jti, kind, grant_type, sub, resource, scope, token_type, workspace_id, issued_at, expires_at, revoked_at)
    SELECT 'ended ' || n, 'workspace_credential', 'workspace_credential', ${ada.id}, ${files.uri}, 'read', 'Bearer',
           ${acme}, ${later(0)}::timestamptz - n * interval '1 second', '9999-12-31T23:59:59Z', ${later(0)}
      FROM generate_series(1, 100000) n`.execute(kysely);
  await sql`
    INSERT INTO workspace_credentials (jti, id, workspace_id, user_id, label, created_at)
    SELECT jti, jti, workspace_id, sub, 'Ended', issued_at FROM issuances WHERE starts_with(jti, 'ended ')`.execute(
    kysely,
  );
  for (const table of ['issuances', 'workspace_credentials']) {
    await sql`ANALYZE ${sql.table(table)}`.execute(kysely);
  }
  const explain = async (query: string, values: readonly unknown[]) => {
    const text = `EXPLAIN (ANALYZE, FORMAT JSON) ${query}`;
    const [row] = await replicas[0].run<{ 'QUERY PLAN': { Plan: Plan }[] }>(
      { name: crypto.randomUUID(), text },
      [...values],
    );
    const plan = row?.['QUERY PLAN'][0]?.Plan;
    if (!plan) throw new Error('no plan');
    return nodesOf(plan);
  };
  const large = ['issuances', 'workspace_credentials'];
  const scansOf = (nodes: Plan[]) =>
    nodes
      .filter(
        (node) => large.includes(node['Relation Name'] ?? '') && node['Index Name'] === undefined,
      )
      .map((node) => node['Node Type']);
  const read = await explain(readIssuance.text, [hashId(made.credential)]);
  expect(scansOf(read)).toEqual([]);
  const asked = { workspaceId: acme, status: 'active', limit: 51 } as const;
  const page = credentialsQuery(kysely, asked).compile();
  const listed = await explain(page.sql, page.parameters);
  expect(scansOf(listed)).toEqual([]);
  const examined = listed.map((node) => node['Actual Rows'] ?? 0);
  expect(Math.max(...examined)).toBeLessThan(10);
});
