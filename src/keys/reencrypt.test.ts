import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { createKeys } from './keys.ts';
import type { RotationSettings } from './policy.ts';
import { reencrypt } from './reencrypt.ts';
import { sealedColumns, shortLived } from './sealed-columns.ts';
import { createSecretBox } from './secret-box.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const now = () => new Date('2026-11-21T12:00:00Z');
const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];

it('every sealed column of the database MUST be in the table of sealed columns', async () => {
  const { rows } = await sql<{ place: string }>`
    SELECT table_name || '.' || column_name AS place FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name LIKE '%sealed'`.execute(db.kysely);
  const known = [...sealedColumns, ...shortLived].map(({ table, column }) => `${table}.${column}`);
  // Under a token's own value, not under the data-encryption key.
  const others = ['artifacts.successor_sealed'];
  const missing = rows.map(({ place }) => place).filter((place) => !known.includes(place));
  expect(missing.toSorted()).toEqual(others);
});

it('MUST seal anew what an older key opens, count what none opens, and be good for running twice', async () => {
  const settings: RotationSettings = {
    ...{ rotateEvery: 86_400, publishBefore: 600, keepRetiredFor: 600 },
    algorithm: 'RS256',
  };
  const log = { error() {}, info() {}, warn() {} };
  const old = createSecretBox(first);
  const keys = await createKeys({ db, box: old, now, log }, settings);
  const kids = keys.publicJwks().keys.map(({ kid }) => kid);
  await keys.close();
  const provider = { slug: 'idp', issuer: 'https://idp.test' };
  const row = { ...provider, client_id: 'we', display_name: 'IdP', settings: '{}' };
  const times = { created_at: now(), updated_at: now() };
  const stranger = createSecretBox(third).seal('gone', 'identity_provider:idp:https://idp.test');
  await db.kysely
    .insertInto('identity_providers')
    .values({ ...row, client_secret_sealed: stranger, source: 'admin', ...times })
    .execute();

  const box = createSecretBox(second, [first]);
  const done = await reencrypt(db, box, { at: now() });
  expect(done).toEqual({ resealed: kids.length, unreadable: 1, removed: 0 });

  const again = await createKeys({ db, box: createSecretBox(second), now, log }, settings);
  expect(again.publicJwks().keys.map(({ kid }) => kid)).toEqual(kids);
  await again.close();
  expect(await reencrypt(db, box, { at: now() })).toMatchObject({ resealed: 0, unreadable: 1 });
  const events = await db.kysely
    .selectFrom('audit_events')
    .select('detail')
    .where('type', '=', 'data_reencrypted')
    .orderBy('id')
    .execute();
  expect(events[0]?.detail).toEqual(done);
});
