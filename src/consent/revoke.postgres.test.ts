import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, migrate, openDatabase, type Tables } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { approve, later, makePeopleAndClients, start } from './grants.testing.ts';
import { type GrantRow, revokeGrant, touchGrant } from './index.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase({
    driver: 'postgres',
    dsn: await createTestDatabase('consent'),
    maxConnections: 8,
    statementTimeout: 10_000,
    connectTimeout: 5000,
  });
  await migrate(db);
});
beforeEach(() => makePeopleAndClients(db));
afterAll(() => db.close());

async function startFamily(trx: Kysely<Tables>, grant: GrantRow): Promise<void> {
  await trx
    .insertInto('families')
    .values({
      id: 'family',
      grant_id: grant.id,
      client_id: grant.clientId,
      user_id: grant.userId,
      payload: '{}',
      expires_at: later(1000),
      created_at: start,
    })
    .execute();
}

async function familyIsAlive(): Promise<boolean> {
  const alive = await db.kysely
    .selectFrom('families')
    .select('id')
    .where('revoked_at', 'is', null)
    .execute();
  return alive.length > 0;
}

test('a family that an approval starts while its grant is revoked MUST NOT come back with the grant', async () => {
  const grant = await approve(db);
  let revoked: Promise<unknown> | undefined;
  await db.kysely.transaction().execute(async (trx) => {
    await approve({ ...db, kysely: trx });
    revoked = revokeGrant(db.kysely, { grantId: grant.id, now: start });
    await sleep(200); // the revocation now waits for the row
    await startFamily(trx, grant);
  });
  await revoked;
  await approve(db, { now: later(1) });
  expect(await familyIsAlive()).toBe(false);
});

test('remembered consent that is claimed while it is revoked starts nothing that lives on', async () => {
  const grant = await approve(db);
  let claimed: Promise<boolean> | undefined;
  await db.kysely.transaction().execute(async (trx) => {
    await revokeGrant(trx, { grantId: grant.id, now: start });
    claimed = touchGrant(db.kysely, { grantId: grant.id, now: start });
    await sleep(200); // the claim now waits for the row
  });
  expect(await claimed).toBe(false);
});
