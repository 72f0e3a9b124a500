import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { alignAuditOrder } from './align.ts';
import { ensureAuditPartitions, recordAudit } from './log.ts';
import { dropOldEvents } from './retention.ts';
import { createSealer } from './seal.ts';
import { verifyChain } from './verify.ts';

/** Whole months go, and the chain still verifies from where it goes on. */

let db: Database;
let keys: { signer: () => JWK; trusted: () => JWK[] };
let now = new Date('2026-01-10T00:00:00Z');
const log = { info: () => {}, error: () => {} };
const deps = () => ({ db, keys, log, now: () => now });

beforeAll(async () => {
  db = await testDatabase();
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), alg: 'ES256' };
  const kid = await calculateJwkThumbprint(jwk);
  const { d, ...open } = { ...jwk, kid };
  keys = { signer: () => ({ ...jwk, kid }), trusted: () => [open] };
}, 60_000);
afterAll(() => db.close());

async function happen(count: number, at = now) {
  for (let index = 0; index < count; index += 1) {
    await recordAudit(
      db.kysely,
      {
        type: 'user_login',
        actor: { kind: 'user', id: 'usr_1' },
        userId: 'usr_1',
        detail: { method: 'password' },
      },
      { at, traceId: `r${index}` },
    );
  }
}

const partitions = async () => {
  const { rows } = await sql<{ name: string }>`
    SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'audit_events'::regclass ORDER BY 1`.execute(db.kysely);
  return rows.map(({ name }) => name.replace('audit_events_', ''));
};

test('months that are old enough, sealed and signed are dropped whole, and the rest verifies', async () => {
  const { seal } = createSealer(deps());
  for (const month of ['01', '02', '03', '04']) {
    now = new Date(`2026-${month}-10T00:00:00Z`);
    await ensureAuditPartitions(db.kysely, now);
    await happen(3);
    await seal();
    now = new Date(`2026-${month}-27T00:00:00Z`);
    await happen(2);
    if (month !== '03') await seal(); // a block reaches over from March to April
  }
  expect(await verifyChain(deps())).toMatchObject({ broken: undefined, events: 20 });

  expect(await dropOldEvents(deps(), new Date('2026-03-31T00:00:00Z'))).toEqual([
    'audit_events_2026_01',
    'audit_events_2026_02',
  ]);
  expect(await partitions()).toEqual(['2026_03', '2026_04', '2026_05', 'default']);
  const found = await verifyChain(deps());
  expect(found).toMatchObject({ broken: undefined, floor: '2026-03-01T00:00:00.000Z', events: 10 });
  const { rows } =
    await sql`SELECT detail FROM audit_events WHERE type = 'audit_events_dropped'`.execute(
      db.kysely,
    );
  expect(rows).toMatchObject([
    {
      detail: {
        partitions: ['audit_events_2026_01', 'audit_events_2026_02'],
        before: '2026-03-01T00:00:00.000Z',
        events: 10,
      },
    },
  ]);
  expect(await seal()).toBe(1); // the chain goes on

  await dropOldEvents(deps(), new Date('2026-04-01T00:00:00Z'));
  expect(await verifyChain(deps())).toMatchObject({
    broken: undefined,
    floor: '2026-04-01T00:00:00.000Z',
    head: { seq: 21 },
  });
});

test('what is left MUST still be complete: a deleted event that retention had kept is found', async () => {
  await expect(
    db.kysely.transaction().execute(async (trx) => {
      await sql`SET LOCAL session_replication_role = replica`.execute(trx);
      await sql`DELETE FROM audit_events WHERE id = (SELECT max(id) FROM audit_events WHERE at < '2026-04-20')`.execute(
        trx,
      );
      expect((await verifyChain({ ...deps(), db: { kysely: trx } })).broken).toMatchObject({
        kind: 'missing',
      });
      throw new Error('roll back');
    }),
  ).rejects.toThrow('roll back');
});

test('an event that was put back among the dropped ones, with a later time, is found', async () => {
  await expect(
    db.kysely.transaction().execute(async (trx) => {
      await sql`INSERT INTO audit_events (at, type, actor_kind, detail, txn)
        VALUES ('2026-04-02', 'user_login', 'user', '{}', 1)`.execute(trx);
      expect((await verifyChain({ ...deps(), db: { kysely: trx } })).broken).toMatchObject({
        kind: 'inserted',
      });
      throw new Error('roll back');
    }),
  ).rejects.toThrow('roll back');
});

test('a month with events that are not sealed MUST stay', async () => {
  now = new Date('2026-06-10T00:00:00Z');
  await ensureAuditPartitions(db.kysely, now);
  await createSealer(deps()).seal('now');
  await happen(1, new Date('2026-04-28T00:00:00Z'));
  expect(await dropOldEvents(deps(), new Date('2026-06-01T00:00:00Z'))).toEqual([]);
  await createSealer(deps()).seal('now');
  expect(await dropOldEvents(deps(), new Date('2026-06-01T00:00:00Z'))).toEqual([
    'audit_events_2026_04',
    'audit_events_2026_05',
  ]);
  await createSealer(deps()).seal('now');
  expect(await verifyChain(deps())).toMatchObject({ broken: undefined });
});

test('rows from a database that had counted further go on in order', async () => {
  expect(await alignAuditOrder(db.kysely)).toBe(false);
  await sql`INSERT INTO audit_events (at, type, actor_kind, detail, txn)
    VALUES (${now}, 'user_login', 'user', '{}', 5000000000)`.execute(db.kysely); // as a restore does
  expect(await alignAuditOrder(db.kysely)).toBe(true);
  expect(await alignAuditOrder(db.kysely)).toBe(false);
  await happen(2);
  const { rows } = await sql<{ txn: string }>`
    SELECT txn FROM audit_events ORDER BY txn DESC LIMIT 2`.execute(db.kysely);
  expect(rows.every(({ txn }) => BigInt(txn) > 5_000_000_000n)).toBe(true);
  expect(await createSealer(deps()).seal()).toBe(3);
  expect(await verifyChain(deps())).toMatchObject({ broken: undefined, unsealed: 0 });
});
