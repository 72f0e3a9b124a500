import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { createKeys, createSecretBox, type Keys, type RotationSettings } from './index.ts';

const hour = 3600;
const day = 24 * hour;
const settings: RotationSettings = {
  algorithm: 'ES256',
  rotateEvery: 90 * day,
  publishBefore: day,
  keepRetiredFor: hour,
};
const box = createSecretBox(randomBytes(32));
const meta = () => ({ at: clock, traceId: 'TRACE' });

let db: Database;
let clock: Date;
let errors: unknown[];
let opened: Keys[];
let firstEvent: string;

beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
afterAll(() => db.close());
beforeEach(async () => {
  await db.kysely.deleteFrom('signing_keys').execute();
  firstEvent = (await auditTrail('0')).at(-1)?.id ?? '0';
  clock = new Date('2026-01-01T00:00:00Z');
  errors = [];
  opened = [];
});
afterEach(async () => {
  for (const keys of opened) await keys.close();
});

const log = { info: () => {}, error: (...report: unknown[]) => void errors.push(report) };

async function open(changed: Partial<RotationSettings> = {}, usedBox = box): Promise<Keys> {
  const deps = { db, box: usedBox, now: () => clock, log };
  const keys = await createKeys(deps, { ...settings, ...changed });
  opened.push(keys);
  return keys;
}

async function pass(seconds: number, ...replicas: Keys[]): Promise<void> {
  clock = new Date(clock.getTime() + seconds * 1000);
  for (const keys of replicas) await keys.tick(clock);
}

const kids = (keys: Keys) => keys.publicJwks().keys.map(({ kid }) => kid);

/** Signs as the library does: with the first key of the set. */
async function sign(keys: Keys): Promise<string> {
  const [jwk] = keys.providerJwks().keys;
  if (!jwk) throw new Error('no key');
  return new SignJWT({})
    .setProtectedHeader({ alg: jwk.alg, kid: jwk.kid })
    .sign(await importJWK(jwk));
}

/** Of this test only: the log cannot be emptied. */
async function auditTrail(since = firstEvent) {
  const rows = await db.kysely
    .selectFrom('audit_events')
    .select(['id', 'type', 'actor_kind', 'actor_id', 'trace_id', 'detail'])
    .where('id', '>', since)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({ ...row, ...row.detail }));
}

test('five replicas that start at once on an empty database end up with one key', async () => {
  const replicas = await Promise.all([1, 2, 3, 4, 5].map(() => open()));
  expect(new Set(replicas.map((keys) => keys.current().kid)).size).toBe(1);
  expect(await db.kysely.selectFrom('signing_keys').select('kid').execute()).toHaveLength(1);
  expect(await auditTrail()).toMatchObject([
    { type: 'key_published', actor_kind: 'system', reason: 'first_start' },
  ]);
});

test('MD06: the JWKS MUST have public members only, with kid, alg and use', async () => {
  const keys = await open();
  await pass(89 * day, keys);
  expect(keys.publicJwks().keys).toHaveLength(2);
  for (const jwk of keys.publicJwks().keys)
    expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

test('the private part MUST be sealed in the database', async () => {
  const keys = await open({ algorithm: 'RS256' });
  const dump = JSON.stringify(await db.kysely.selectFrom('signing_keys').selectAll().execute());
  expect(dump).toContain(keys.current().kid);
  const [jwk] = keys.providerJwks().keys;
  for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) {
    expect(jwk?.[name]).toBeTypeOf('string');
    expect(dump).not.toContain(jwk?.[name]);
    expect(dump).not.toContain(`"${name}":`);
  }
});

test('a restart finds the same key; another data-encryption key stops the start and changes nothing', async () => {
  const { kid } = (await open()).current();
  expect((await open()).current().kid).toBe(kid);
  await pass(200 * day);
  const stranger = createSecretBox(randomBytes(32));
  await expect(open({}, stranger)).rejects.toThrow(/Set data_encryption\.key/);
  const rows = await db.kysely.selectFrom('signing_keys').select('kid').execute();
  expect(rows).toEqual([{ kid }]);
});

test('rotation follows the clock: published, signing, retired, gone, and deleted', async () => {
  const keys = await open();
  const first = keys.current().kid;
  await pass(89 * day - 1, keys);
  expect(kids(keys)).toEqual([first]);
  await pass(1, keys);
  const [, second] = kids(keys);
  expect(kids(keys)).toEqual([first, second]);
  expect(keys.current().kid).toBe(first);
  const oldToken = await sign(keys);
  await pass(day, keys);
  expect(keys.current().kid).toBe(second);
  expect(keys.providerJwks().keys.map(({ kid }) => kid)).toEqual([second, first]);
  expect(keys.list().map(({ kid, state }) => [kid, state])).toEqual([
    [second, 'current'],
    [first, 'retired'],
  ]);
  await pass(hour, keys);
  await jwtVerify(oldToken, createLocalJWKSet(keys.publicJwks()));
  await pass(300, keys);
  expect(kids(keys)).toEqual([second]);
  await pass(day, keys);
  const rows = await db.kysely.selectFrom('signing_keys').select('kid').execute();
  expect(rows).toEqual([{ kid: second }]);
  expect(await auditTrail()).toMatchObject([
    { type: 'key_published', kid: first },
    { type: 'key_published', kid: second, reason: 'schedule' },
    { type: 'key_rotated', kid: second, previous_kid: first, actor_kind: 'system' },
    { type: 'key_removed', kid: first },
  ]);
  expect(errors).toEqual([]);
});

test('T32: a clock that jumped back makes the earlier key sign again, still published', async () => {
  const keys = await open();
  const first = keys.current().kid;
  await pass(89 * day, keys);
  await pass(day, keys);
  expect(keys.current().kid).not.toBe(first);
  await pass(-2 * hour, keys);
  expect(keys.current().kid).toBe(first);
  expect(kids(keys)).toHaveLength(2);
});

test('replicas that tick at once make one next key', async () => {
  const replicas = await Promise.all([open(), open(), open()]);
  clock = new Date(clock.getTime() + 89 * day * 1000);
  await Promise.all(replicas.map((keys) => keys.tick(clock)));
  expect(await db.kysely.selectFrom('signing_keys').select('kid').execute()).toHaveLength(2);
});

test('a rotation by command reaches every replica without a tick, and nothing signed by either fails', async () => {
  const one = await open();
  const other = await open();
  let heard = 0;
  const stop = other.onChange(() => {
    heard += 1;
  });
  const old = await sign(other);
  clock = new Date(clock.getTime() + 1000);
  const actor = { kind: 'admin', id: 'usr_1' } as const;
  const rotation = await one.rotate(meta(), { actor, force: true });
  expect(one.current().kid).toBe(rotation.kid);
  await expect.poll(() => other.current().kid).toBe(rotation.kid);
  expect(heard).toBe(1);
  for (const keys of [one, other])
    for (const token of [old, await sign(one), await sign(other)])
      await jwtVerify(token, createLocalJWKSet(keys.publicJwks()));
  expect((await auditTrail()).slice(1)).toMatchObject([
    { type: 'key_published', kid: rotation.kid, actor_id: 'usr_1', trace_id: 'TRACE' },
    { type: 'key_rotated', kid: rotation.kid, actor_id: 'usr_1', trace_id: 'TRACE' },
  ]);
  await other.tick(clock);
  expect(heard).toBe(1);
  stop();
  await pass(89 * day, one, other);
  expect(kids(other)).toHaveLength(2);
  expect(heard).toBe(1);
});

test('a rotation by command without force is published first; asked twice it is the same one', async () => {
  const keys = await open();
  const first = keys.current().kid;
  const rotation = await keys.rotate(meta());
  expect(rotation.signsFrom).toEqual(new Date(clock.getTime() + day * 1000));
  expect(await keys.rotate(meta())).toEqual(rotation);
  expect(kids(keys)).toEqual([first, rotation.kid]);
  expect(keys.current().kid).toBe(first);
  await pass(10, keys);
  const forced = await keys.rotate(meta(), { force: true });
  expect(forced.kid).toBe(rotation.kid);
  expect(keys.current().kid).toBe(rotation.kid);
});

test('another algorithm in the configuration gives a next key; the old one stays published', async () => {
  const before = await open();
  const first = before.current();
  const keys = await open({ algorithm: 'EdDSA' });
  expect(keys.current()).toEqual(first);
  expect(keys.publicJwks().keys.map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA']);
  await pass(day, keys, before);
  expect(keys.current().alg).toBe('EdDSA');
  expect(kids(keys)).toContain(first.kid);
});

test('a key that somebody planted in the table is neither used nor published', async () => {
  const keys = await open();
  const { kid } = keys.current();
  await db.kysely
    .insertInto('signing_keys')
    .values({
      kid: 'planted',
      alg: 'ES256',
      public_jwk: JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'a', y: 'b', kid: 'planted' }),
      private_sealed: createSecretBox(randomBytes(32)).seal('{}', 'signing_key:planted'),
      created_at: clock,
      signs_from: new Date(clock.getTime() + 1),
    })
    .execute();
  await pass(1, keys);
  expect(kids(keys)).toEqual([kid]);
  expect(keys.current().kid).toBe(kid);
  expect(errors).not.toEqual([]);
});

test('when the database does not answer, a tick keeps the known keys and does not reject', async () => {
  const keys = await open();
  const known = keys.publicJwks();
  await db.kysely.schema.alterTable('signing_keys').renameTo('hidden').execute();
  await keys.tick(clock);
  await db.kysely.schema.alterTable('hidden').renameTo('signing_keys').execute();
  expect(keys.publicJwks()).toEqual(known);
  expect(errors).toHaveLength(1);
});
