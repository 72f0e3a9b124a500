import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { canonicalText } from './canonical.ts';
import { recordAudit } from './index.ts';
import { createSealer } from './seal.ts';
import { verifyChain } from './verify.ts';

/** Sealing in order, and every way of tampering that the chain has to show. */

let db: Database;
let own: JWK;
let other: JWK;
beforeAll(async () => {
  db = await testDatabase();
  own = await key();
  other = await key();
}, 60_000);
afterAll(() => db.close());

const start = new Date('2026-03-01T10:00:00.123Z');
let now = start;
let keys: { signer: () => JWK; trusted: () => JWK[] };
let logged: object[];

beforeEach(async () => {
  now = start;
  logged = [];
  keys = { signer: () => own, trusted: () => [open(own)] };
  await asSuperuser(
    'DELETE FROM audit_events',
    'DELETE FROM audit_blocks',
    'DELETE FROM audit_checkpoints',
  );
});

const open = ({ d, ...jwk }: JWK): JWK => jwk;

async function key(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' };
}

/** Who owns the database can switch triggers off. */
async function asSuperuser(...statements: string[]): Promise<void> {
  await db.kysely.transaction().execute(async (trx) => {
    await sql`SET LOCAL session_replication_role = replica`.execute(trx);
    for (const statement of statements) await sql.raw(statement).execute(trx);
  });
}

function sealer() {
  const log = { info: (line: object) => logged.push(line), error: () => {} };
  return createSealer({ db, keys, now: () => now, log });
}

async function happen(count: number, name = 'event'): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    now = new Date(now.getTime() + 1000);
    await recordAudit(
      db.kysely,
      {
        type: 'user_login',
        actor: { kind: 'user', id: 'usr_1' },
        userId: 'usr_1',
        detail: { method: 'password' },
      },
      { at: now, ip: '192.0.2.1', traceId: `${name}-${index}` },
    );
  }
}

/** Twelve events in four blocks, the last of which no checkpoint covers. */
async function sealed() {
  const { seal } = sealer();
  for (let block = 0; block < 4; block += 1) {
    await happen(3, `b${block}`);
    if (block < 3) now = new Date(now.getTime() + 60_000);
    await seal();
  }
}

const verify = (options = {}) => verifyChain({ db, keys }, options);
const ids = async () => {
  const rows = await db.kysely.selectFrom('audit_events').select(['id', 'trace_id']).execute();
  return (name: string) => Number(rows.find((row) => row.trace_id === name)?.id);
};

test('events are sealed in order, and what is intact verifies', async () => {
  await sealed();
  expect(await verify()).toMatchObject({
    broken: undefined,
    events: 12,
    total: 12,
    checkpoints: 3,
    signedUntil: 9,
    unsealed: 0,
    head: { block: 4, seq: 12 },
  });
  await happen(2);
  expect(await verify()).toMatchObject({ broken: undefined, events: 12, unsealed: 2 });
  expect((await verify()).unsealedSince).toBeInstanceOf(Date);
});

test('nothing is sealed twice, and a second run without news writes nothing', async () => {
  await sealed();
  expect(await sealer().seal()).toBe(0);
  expect(await verify()).toMatchObject({ broken: undefined, head: { block: 4 } });
});

test('two sealers at once make one chain', async () => {
  await happen(20);
  const totals = await Promise.all([sealer().seal(), sealer().seal(), sealer().seal()]);
  expect(totals.reduce((sum, total) => sum + total)).toBe(20);
  expect(await verify()).toMatchObject({ broken: undefined, events: 20 });
});

test('gaps in the numbers, which a rollback leaves, are no tampering', async () => {
  await happen(2);
  await db.kysely
    .transaction()
    .execute(async (trx) => {
      await sql`SELECT nextval('audit_events_id')`.execute(trx);
      throw new Error('no');
    })
    .catch(() => {});
  await happen(2);
  await sealer().seal();
  expect(await verify()).toMatchObject({ broken: undefined, events: 4 });
});

test('an orderly stop signs what is not signed yet', async () => {
  await sealed();
  await sealer().seal('now');
  expect(await verify()).toMatchObject({ broken: undefined, checkpoints: 4, signedUntil: 12 });
});

test('an event with every kind of detail has one canonical text (version 1)', () => {
  const event = {
    ...{ number: 7n, micros: 1_769_350_000_123_456n, type: 'x', actorKind: 'system' },
    ...{ actorId: null, clientId: 'c"\u2028', userId: null, resource: null, ip: '::1' },
    ...{ userAgent: '€', traceId: 't' },
    detail: { b: [1, 1e21, -0, 0.1], a: { z: null, é: true, Z: '\u0007😀' } },
  };
  expect(canonicalText(event)).toBe(
    '["authserver audit event 1","7","1769350000123456","x","system",null,"c\\"\u2028",null,null,"::1","€","t",{"a":{"Z":"\\u0007😀","z":null,"é":true},"b":[1,1e+21,0,0.1]}]',
  );
});

describe('tampering by the owner of the database MUST be found:', () => {
  const cases: [string, (id: (name: string) => number) => string[], object][] = [
    [
      'a changed detail',
      (id) => [`UPDATE audit_events SET detail = '{"method":"x"}' WHERE id = ${id('b1-1')}`],
      { kind: 'changed', seq: 5, block: 2 },
    ],
    [
      'a changed time, by a microsecond',
      (id) => [
        `UPDATE audit_events SET at = at + interval '1 microsecond' WHERE id = ${id('b0-0')}`,
      ],
      { kind: 'changed', seq: 1, block: 1 },
    ],
    [
      'an actor that became unknown',
      (id) => [`UPDATE audit_events SET actor_id = NULL WHERE id = ${id('b3-2')}`],
      { kind: 'changed', seq: 12, block: 4 },
    ],
    [
      'a deleted event',
      (id) => [`DELETE FROM audit_events WHERE id = ${id('b2-0')}`],
      { kind: 'missing', seq: 7, block: 3 },
    ],
    [
      'the first event deleted',
      (id) => [`DELETE FROM audit_events WHERE id = ${id('b0-0')}`],
      { kind: 'missing', seq: 1, block: 1 },
    ],
    [
      'the last sealed event deleted',
      (id) => [`DELETE FROM audit_events WHERE id = ${id('b3-2')}`],
      { kind: 'missing', seq: 12 },
    ],
    ['all events deleted', () => ['DELETE FROM audit_events'], { kind: 'missing', seq: 1 }],
    [
      'an event put in between',
      (id) => [
        `INSERT INTO audit_events (at, type, actor_kind, detail, txn)
           SELECT at, type, actor_kind, detail, txn FROM audit_events WHERE id = ${id('b1-0')}`,
      ],
      { kind: 'inserted', block: 2 },
    ],
    [
      'several events put in before all others',
      (id) => [
        `INSERT INTO audit_events (at, type, actor_kind, detail, txn) SELECT at, type, actor_kind, detail, -5
           FROM audit_events, generate_series(1, 10) WHERE id = ${id('b1-0')}`,
      ],
      { kind: 'inserted', block: 1 },
    ],
    [
      'an event under another number',
      (id) => [`UPDATE audit_events SET id = 900000 WHERE id = ${id('b1-2')}`],
      { kind: 'missing', seq: 6 },
    ],
    [
      'two events that changed places',
      (id) => [
        `UPDATE audit_events a SET txn = (SELECT max(txn) + min(txn) - a.txn FROM audit_events
           WHERE id IN (${id('b1-0')}, ${id('b1-1')})) WHERE id IN (${id('b1-0')}, ${id('b1-1')})`,
      ],
      { kind: 'reordered', seq: 4 },
    ],
    [
      'two events that changed their content',
      (id) => [
        `UPDATE audit_events SET trace_id = CASE trace_id WHEN 'b1-0' THEN 'b1-1' ELSE 'b1-0' END
           WHERE id IN (${id('b1-0')}, ${id('b1-1')})`,
      ],
      { kind: 'changed', seq: 4 },
    ],
    [
      'the end cut off behind the last checkpoint',
      () => [
        'DELETE FROM audit_events WHERE txn > (SELECT last_txn FROM audit_blocks WHERE number = 2)',
        'DELETE FROM audit_blocks WHERE number > 2',
      ],
      { kind: 'checkpoint', block: 3 },
    ],
    [
      'a block taken out',
      () => ['DELETE FROM audit_blocks WHERE number = 2'],
      { kind: 'block', block: 2 },
    ],
    [
      'the first block taken out',
      () => ['DELETE FROM audit_blocks WHERE number = 1'],
      { kind: 'block', block: 1 },
    ],
    ['all blocks taken out', () => ['DELETE FROM audit_blocks'], { kind: 'checkpoint', block: 1 }],
    [
      'a hash in a block replaced',
      () => ["UPDATE audit_blocks SET entries = overlay(entries PLACING '\\xff'::bytea FROM 20)"],
      { kind: 'block', block: 1 },
    ],
    [
      'a time of sealing replaced',
      () => ["UPDATE audit_blocks SET sealed_at = sealed_at - interval '1 day' WHERE number = 3"],
      { kind: 'block', block: 3 },
    ],
    [
      'a signature replaced',
      () => ["UPDATE audit_checkpoints SET jws = jws || 'A' WHERE number = 2"],
      { kind: 'checkpoint', block: 2 },
    ],
    [
      'a checkpoint moved to another block',
      () => ['UPDATE audit_checkpoints SET block = 3 WHERE number = 2'],
      { kind: 'checkpoint' },
    ],
  ];

  test.each(cases)('%s', async (_what, tamper, found) => {
    await sealed();
    await asSuperuser(...tamper(await ids()));
    expect((await verify()).broken).toMatchObject(found);
  });

  test('a chain made anew from changed events, up to the checkpoint', async () => {
    await sealed();
    const id = await ids();
    await asSuperuser(
      `UPDATE audit_events SET actor_id = 'usr_2' WHERE id = ${id('b0-1')}`,
      'DELETE FROM audit_blocks',
    );
    const checkpoints = await db.kysely.selectFrom('audit_checkpoints').selectAll().execute();
    await asSuperuser('DELETE FROM audit_checkpoints');
    keys = { ...keys, signer: () => other };
    await sealer().seal(); // the forger's
    expect((await verify()).broken).toMatchObject({ kind: 'checkpoint' });
    await asSuperuser('DELETE FROM audit_checkpoints');
    await db.kysely
      .insertInto('audit_checkpoints')
      .values(checkpoints.map((row) => ({ ...row, public_jwk: JSON.stringify(row.public_jwk) })))
      .execute();
    expect((await verify()).broken).toMatchObject({ kind: 'checkpoint' });
  });

  test('a chain made anew from changed events, all checkpoints taken out', async () => {
    await sealed();
    const id = await ids();
    await asSuperuser(
      `UPDATE audit_events SET actor_id = 'usr_2' WHERE id = ${id('b0-1')}`,
      'DELETE FROM audit_blocks',
      'DELETE FROM audit_checkpoints',
    );
    await sealer().seal(); // makes the blocks of the forger, who cannot sign
    await asSuperuser('DELETE FROM audit_checkpoints');
    expect((await verify()).broken).toMatchObject({ kind: 'checkpoint', message: /were removed/ });
  });

  test('a cut end whose checkpoints are gone too, by a head that was kept elsewhere', async () => {
    await sealed();
    const { head } = await verify();
    await asSuperuser(
      'DELETE FROM audit_events WHERE txn > (SELECT last_txn FROM audit_blocks WHERE number = 2)',
      'DELETE FROM audit_blocks WHERE number > 2',
      'DELETE FROM audit_checkpoints WHERE block > 2',
    );
    expect(await verify()).toMatchObject({ broken: undefined, events: 6 });
    expect((await verify({ known: head })).broken).toMatchObject({ kind: 'checkpoint' });
  });

  test('by the server that runs, which builds nothing upon it', async () => {
    const { seal } = sealer();
    await happen(3);
    await seal();
    await asSuperuser("UPDATE audit_blocks SET hash = decode(repeat('00', 32), 'hex')");
    await happen(1);
    await expect(seal()).rejects.toThrow('was changed or removed');
  });

  test('a checkpoint that somebody else signed while the server runs is not built upon', async () => {
    const { seal } = sealer();
    await happen(3);
    await seal();
    const mine = keys;
    keys = { ...keys, signer: () => other };
    await sealer().seal();
    keys = mine;
    await happen(1);
    await expect(seal()).rejects.toThrow('not of this server');
  });
});

describe('keys', () => {
  test('a new key signs at once, and what the old one signed is verified by the key kept with it', async () => {
    await sealed();
    keys = { signer: () => other, trusted: () => [open(other)] };
    expect((await verify()).broken).toMatchObject({ kind: 'checkpoint', message: /key/ });
    await sealer().seal();
    expect(await verify()).toMatchObject({ broken: undefined, checkpoints: 4, signedUntil: 12 });
    await asSuperuser(
      'UPDATE audit_checkpoints SET public_jwk = (SELECT public_jwk FROM audit_checkpoints WHERE number = 4)',
    );
    expect((await verify()).broken).toMatchObject({ kind: 'checkpoint' });
  });

  test('one that is withdrawn stops no server that runs: the next one signs', async () => {
    const { seal } = sealer();
    await happen(3);
    await seal();
    Object.assign(keys, { signer: () => other, trusted: () => [open(other)] });
    await happen(1);
    await seal();
    expect(await verify()).toMatchObject({ broken: undefined, checkpoints: 2, signedUntil: 4 });
  });

  test('the log line of a checkpoint holds the head, to be kept elsewhere', async () => {
    await sealed();
    expect(logged).toHaveLength(3);
    expect(logged[0]).toEqual({ head: expect.stringMatching(/^\d+:[0-9a-f]{64}$/) });
  });
});
