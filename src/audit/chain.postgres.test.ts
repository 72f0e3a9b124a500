import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, migrate, openDatabase, type Tables } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { recordAudit } from './log.ts';
import { createSealer } from './seal.ts';
import { verifyChain } from './verify.ts';

/** Sealing while many write: what commits late is sealed late, and nothing is skipped or sealed twice. */

let db: Database;
let other: Database;
let keys: { signer: () => JWK; trusted: () => JWK[] };
const log = { info: () => {}, error: () => {} };
const sealer = (database = db) => createSealer({ db: database, keys, log, now: () => new Date() });
const verify = () => verifyChain({ db, keys });

beforeAll(async () => {
  const dsn = await createTestDatabase('chain');
  const open = () =>
    openDatabase({
      ...{ driver: 'postgres', dsn, maxConnections: 6 },
      ...{ statementTimeout: 30_000, connectTimeout: 10_000 },
    });
  db = await open();
  other = await open();
  await migrate(db);
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), alg: 'ES256' };
  const kid = await calculateJwkThumbprint(jwk);
  const { d, ...published } = { ...jwk, kid };
  keys = { signer: () => ({ ...jwk, kid }), trusted: () => [published] };
});
afterAll(async () => {
  await other.close();
  await db.close();
});

function happen(on: Kysely<Tables>, traceId: string) {
  return recordAudit(
    on,
    {
      type: 'user_login',
      actor: { kind: 'user', id: 'usr_1' },
      userId: 'usr_1',
      detail: { method: 'password' },
    },
    { at: new Date(), traceId },
  );
}

/** A transaction that stays open until it is told to end. */
async function begin(work: (trx: Kysely<Tables>) => Promise<void>) {
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const done = other.kysely.transaction().execute(async (trx) => {
    await work(trx);
    begun.resolve();
    await end.promise;
  });
  await begun.promise;
  return {
    commit: async () => {
      end.resolve();
      await done;
    },
    rollBack: async () => {
      end.reject(new Error('roll back'));
      await done.catch(() => {});
    },
  };
}

test('what a later transaction committed waits for an earlier one that may still commit', async () => {
  const early = await begin((trx) => happen(trx, 'early'));
  await happen(db.kysely, 'late');
  expect(await sealer().seal()).toBe(0);
  expect(await verify()).toMatchObject({ broken: undefined, unsealed: 1 });
  await early.commit();
  expect(await sealer().seal()).toBe(2);
  expect(await verify()).toMatchObject({ broken: undefined, events: 2, unsealed: 0 });
});

test('a row that commits late with a number below those that are sealed MUST be sealed', async () => {
  const { rows } = await sql<{ id: string }>`SELECT nextval('audit_events_id') AS id`.execute(
    db.kysely,
  );
  await happen(db.kysely, 'higher number');
  await sealer().seal();
  await sql`INSERT INTO audit_events (id, at, type, actor_kind, detail)
    VALUES (${rows[0]?.id}, now(), 'user_login', 'user', '{}')`.execute(db.kysely);
  expect(await sealer().seal()).toBe(1);
  expect(await verify()).toMatchObject({ broken: undefined, unsealed: 0 });
});

test('a transaction that rolls back holds nothing up and is no gap', async () => {
  const doomed = await begin((trx) => happen(trx, 'never'));
  await happen(db.kysely, 'stays');
  await doomed.rollBack();
  expect(await sealer().seal()).toBe(1);
  expect(await verify()).toMatchObject({ broken: undefined });
});

test('the token path MUST NOT wait for the sealer', async () => {
  const sealing = await begin(async (trx) => {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended('authserver:audit_chain', 0))`.execute(
      trx,
    );
    await sql`LOCK TABLE audit_blocks IN EXCLUSIVE MODE`.execute(trx);
  });
  const started = performance.now();
  await happen(db.kysely, 'meanwhile');
  expect(performance.now() - started).toBeLessThan(1000);
  expect(await sealer().seal()).toBe(0); // another one is at work
  await sealing.commit();
});

test('two replicas that seal while six write make one chain with every event once', async () => {
  await sealer().seal();
  const before = await verify();
  let writing = true;
  const totals = { sealed: 0 };
  const replicas = [sealer(db), sealer(other)].map(async ({ seal }) => {
    while (writing) {
      const sealed = await seal();
      totals.sealed += sealed;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  const writers = Array.from({ length: 6 }, async (_, writer) => {
    for (let round = 0; round < 60; round += 1) {
      const on = writer % 2 ? db : other;
      await on.kysely
        .transaction()
        .execute(async (trx) => {
          await happen(trx, `w${writer}-${round}`);
          await happen(trx, `w${writer}-${round}b`);
          if (round % 7 === 0) throw new Error('roll back');
        })
        .catch(() => {});
    }
  });
  await Promise.all(writers);
  writing = false;
  await Promise.all(replicas);
  const rest = await sealer().seal();
  const written = 6 * 51 * 2;
  expect(totals.sealed + rest).toBe(written);
  expect(await verify()).toMatchObject({
    broken: undefined,
    unsealed: 0,
    events: before.events + written,
  });
});

test('after a long stop 100,000 events are caught up with and verified in flat memory', async () => {
  await sql`INSERT INTO audit_events (at, type, actor_kind, client_id, detail)
    SELECT now() - n * interval '1 second', 'token_issued', 'client', 'c' || n % 100,
           jsonb_build_object('scope', 'a b', 'n', n) FROM generate_series(1, 100000) n`.execute(
    db.kysely,
  );
  expect(await sealer().seal()).toBe(100_000);
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  let most = 0;
  const found = await verifyChain(
    { db, keys },
    {
      onProgress: () => {
        most = Math.max(most, process.memoryUsage().heapUsed - before);
      },
    },
  );
  expect(found).toMatchObject({ broken: undefined, unsealed: 0 });
  expect(found.events).toBeGreaterThan(100_000);
  expect(most).toBeLessThan(200 * 1024 * 1024);
});

test('one changed event among 100,000 is named', async () => {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM audit_events WHERE detail ->> 'n' = '54321'`.execute(db.kysely);
  await db.kysely.transaction().execute(async (trx) => {
    await sql`SET LOCAL session_replication_role = replica`.execute(trx);
    await sql`UPDATE audit_events SET client_id = 'c1' WHERE id = ${rows[0]?.id}`.execute(trx);
  });
  const { broken } = await verify();
  expect(broken).toMatchObject({ kind: 'changed' });
  expect(broken?.eventId?.split('-')[1]).toBe(rows[0]?.id);
});
