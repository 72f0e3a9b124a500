import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { createTokens } from './index.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const now = new Date('2026-06-01T00:00:00Z');
const days = (count: number) => new Date(now.getTime() + count * 86_400_000);

test('issuance records go when retention is over, and never while their token lives', async () => {
  const record = {
    kind: 'access_token',
    grant_type: 'refresh_token',
    client_id: 'c',
    sub: 'u',
    resource: 'https://rs.test',
    scope: 's',
    token_type: 'Bearer',
  };
  await db.kysely
    .insertInto('issuances')
    .values([
      { ...record, jti: 'old', issued_at: days(-100), expires_at: days(-99) },
      { ...record, jti: 'old but alive', issued_at: days(-100), expires_at: days(1) },
      { ...record, jti: 'young', issued_at: days(-1), expires_at: days(-1) },
    ])
    .execute();
  const { sweep } = createTokens(db, { tokens: { personal_access_max_ttl: 86_400 } });
  expect(await sweep.removeIssuances(days(-90), now, 1000)).toBe(1);
  const left = await db.kysely.selectFrom('issuances').select('jti').orderBy('jti').execute();
  expect(left.map(({ jti }) => jti)).toEqual(['old but alive', 'young']);
});

test('expired artifacts, claims and families go in batches; what lives stays', async () => {
  const { artifacts, claimReplay, sweep } = createTokens(db, {
    tokens: { personal_access_max_ttl: 86_400 },
  });
  for (const value of ['a', 'b', 'c']) {
    await artifacts.save(
      { value, kind: 'Interaction', payload: {}, expiresAt: days(-1) },
      days(-2),
    );
  }
  await artifacts.save({ value: 'd', kind: 'Interaction', payload: {}, expiresAt: days(1) }, now);
  await claimReplay('claim', days(-1));
  expect(await sweep.removeExpired(now, 2)).toBe(3);
  expect(await sweep.removeExpired(now, 2)).toBe(1);
  expect(await sweep.removeExpired(now, 2)).toBe(0);
  expect(await artifacts.find('Interaction', 'd')).toBeDefined();
});
