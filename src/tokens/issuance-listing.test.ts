import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { grantTypes } from '../oauth/index.ts';
import { createIssuances, mostExamined, pageQuery } from './issuance-listing.ts';

const start = new Date('2026-06-01T12:00:00Z');
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000);
const now = later(1_000_000);

let db: Database;
let issuances: ReturnType<typeof createIssuances>;
beforeAll(async () => {
  db = await testDatabase();
  issuances = createIssuances(db);
  const client = { kind: 'preregistered' as const, metadata: '{}', source: 'config' as const };
  for (const client_id of ['A', 'B', 'GONE']) {
    const row = { client_id, ...client, created_at: start, updated_at: start };
    await db.kysely.insertInto('clients').values(row).execute();
  }
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.kysely.deleteFrom('issuances').execute();
});

/** Rows `t1 …`, a second apart, each as `shape` says; they live for a year unless it says otherwise. */
async function fill(count: number, shape = "'A', 'A', 'https://a.test', NULL, NULL") {
  await sql`INSERT INTO issuances
      (jti, kind, grant_type, scope, token_type, issued_at, expires_at,
       client_id, sub, resource, parent_jti, revoked_at)
    SELECT 't' || n, 'access_token', 'client_credentials', 's', 'Bearer',
           ${start}::timestamptz + n * interval '1 second', ${start}::timestamptz + interval '1 year',
           ${sql.raw(shape)}
      FROM generate_series(1, ${count}) AS n`.execute(db.kysely);
}

async function all(query: Parameters<typeof issuances.list>[0]) {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await issuances.list({ ...query, ...(cursor && { cursor }) }, now);
    pages.push(page.items.map(({ jti }) => jti));
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return pages;
}

describe('pages', () => {
  it('hold every row once, newest first, also where many were issued at one moment', async () => {
    await fill(7);
    await db.kysely
      .updateTable('issuances')
      .set({ issued_at: start })
      .where('jti', '<', 't5')
      .execute();
    expect(await all({ limit: 3 })).toEqual([['t7', 't6', 't5'], ['t4', 't3', 't2'], ['t1']]);
    expect(await all({ limit: 3, sort: 'issued_at' })).toEqual([
      ['t1', 't2', 't3'],
      ['t4', 't5', 't6'],
      ['t7'],
    ]);
  });

  it('lose and repeat nothing when tokens are issued meanwhile', async () => {
    await fill(4);
    const first = await issuances.list({ limit: 2 }, now);
    await db.kysely
      .updateTable('issuances')
      .set({ jti: 't9', issued_at: later(9) })
      .where('jti', '=', 't4')
      .execute();
    const second = await issuances.list({ limit: 2, cursor: first.next_cursor }, now);
    expect(second.items.map(({ jti }) => jti)).toEqual(['t2', 't1']);
  });

  it('MUST look at a bounded number of records where few match, and go on from there', async () => {
    await fill(
      2 * mostExamined + 10,
      "'A', 'A', CASE WHEN n = 5 THEN 'https://rare.test' ELSE 'https://a.test' END, NULL, NULL",
    );
    const pages = await all({ limit: 50, resource: 'https://rare.test' });
    expect(pages).toEqual([[], [], ['t5']]);
  });
});

describe('filters', () => {
  it('find by client, person, parent, resource, kind, grant and beginning', async () => {
    await fill(
      6,
      "CASE WHEN n < 4 THEN 'A' ELSE 'B' END, 'sub' || n % 2, 'https://r' || n % 3, 'p' || n % 2, NULL",
    );
    const found = async (query: object) => (await all({ limit: 50, ...query })).flat().toSorted();
    expect(await found({ client_id: 'B' })).toEqual(['t4', 't5', 't6']);
    expect(await found({ sub: 'sub1', client_id: 'A' })).toEqual(['t1', 't3']);
    expect(await found({ parent: 'p0' })).toEqual(['t2', 't4', 't6']);
    expect(await found({ resource: 'https://r0' })).toEqual(['t3', 't6']);
    expect(await found({ kind: 'refresh_token' })).toEqual([]);
    expect(await found({ grant_type: 'client_credentials', q: 'T2' })).toEqual(['t2']);
    expect(await found({ q: 'SUB1', client_id: 'B' })).toEqual(['t5']);
    expect(await found({ q: '%' })).toEqual([]);
    expect(await found({ q: "'; DROP TABLE issuances; --", sub: "' OR 1=1 --" })).toEqual([]);
  });

  it('tell the active, expired and revoked apart', async () => {
    await fill(4, "'A', 'A', 'https://a.test', NULL, CASE WHEN n = 1 THEN now() END");
    const change = (jti: string, set: object) =>
      db.kysely.updateTable('issuances').set(set).where('jti', '=', jti).execute();
    await change('t2', { expires_at: now });
    await change('t3', { family_id: 'one that has gone' });
    const found = async (status: 'active' | 'expired' | 'revoked') =>
      (await all({ limit: 50, status })).flat().toSorted();
    expect(await found('revoked')).toEqual(['t1', 't3']);
    expect(await found('expired')).toEqual(['t2']);
    expect(await found('active')).toEqual(['t4']);
  });

  it('what was exchanged from the token of a client that has gone MUST NOT be active', async () => {
    await fill(
      2,
      "CASE WHEN n = 1 THEN 'GONE' ELSE 'A' END, 'A', 'https://a.test', CASE WHEN n = 2 THEN 't1' END, NULL",
    );
    await db.kysely
      .updateTable('issuances')
      .set({ grant_type: grantTypes.tokenExchange })
      .where('jti', '=', 't2')
      .execute();
    const statuses = async () =>
      (await issuances.list({ limit: 5 }, now)).items.map(({ status }) => status);
    expect(await statuses()).toEqual(['active', 'active']);
    await db.kysely.deleteFrom('clients').where('client_id', '=', 'GONE').execute();
    expect(await statuses()).toEqual(['revoked', 'revoked']);
  });
});

it.each([
  ['issuances_issued', {}],
  ['issuances_client', { client_id: 'C7' }],
  ['issuances_sub', { sub: 'S7' }],
  ['issuances_parent', { parent: 'P7' }],
])('the index %s answers the list %j, and the table is not scanned', async (index, query) => {
  await fill(20_000, "'C' || n % 500, 'S' || n % 500, 'https://a.test', 'P' || n % 5000, NULL");
  await sql`ANALYZE issuances`.execute(db.kysely);
  const after = { at: later(15_000), id: 't15000' };
  const plan = await pageQuery(db.kysely, { limit: 50, ...query }, { after, now }).explain('text');
  const text = JSON.stringify(plan);
  expect(text).toContain(index);
  expect(text).not.toContain('Seq Scan on issuances');
});
