import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, hashId, migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { type Tokens, tokens } from '../provider/flow.testing.ts';
import { alice, rs1 } from '../provider/server.testing.ts';
import { pageQuery } from '../tokens/issuance-listing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { grants, issuances, tokens as personalTokens } from './contract/index.ts';

/** What the lists and the ends of the admin API do must hold on the database of production too. */

let api: TestApi;
let issued: Tokens;
beforeAll(async () => {
  const db: Database = await openDatabase({
    driver: 'postgres',
    dsn: await createTestDatabase('admin_api'),
    maxConnections: 4,
    statementTimeout: 10_000,
    connectTimeout: 5000,
  });
  await migrate(db);
  api = await startApi({ db });
  issued = await tokens(api.server);
});
afterAll(() => api.close());

test('every filter and order of issuances and grants is answered', async () => {
  const [first] = (await api.client.call(issuances.list)).items;
  const { sub = '', jti = '' } = first ?? {};
  const every = { sub, client_id: 'PUB', resource: rs1, q: alice.email, limit: 1 } as const;
  for (const sort of ['-issued_at', 'issued_at'] as const) {
    const query = { ...every, sort, status: 'active', grant_type: 'authorization_code' } as const;
    const found = [];
    for await (const row of api.client.each(issuances.list, query)) found.push(row);
    expect(found).toHaveLength(2);
  }
  for (const sort of ['-created_at', 'created_at'] as const) {
    const query = { ...every, sort, status: 'active' } as const;
    expect((await api.client.call(grants.list, { query })).items).toHaveLength(1);
  }
  const one = await api.client.call(issuances.get, { params: { id: jti } });
  expect(one).toMatchObject({ parents: [], children: 0 });
  expect((await api.client.call(issuances.list, { query: { parent: jti } })).items).toEqual([]);
});

test('a page of a long list is read along an index, and the table is not scanned', async () => {
  const { kysely } = api.server.db;
  await sql`INSERT INTO issuances
      (jti, kind, grant_type, scope, token_type, issued_at, expires_at, client_id, sub, resource)
    SELECT 'bulk' || n, 'access_token', 'client_credentials', 's', 'Bearer',
           now() - interval '1 day' - n * interval '1 second', now() - interval '1 hour',
           'C' || n % 300, 'S' || n % 300, ${rs1}
      FROM generate_series(1, 60000) AS n`.execute(kysely);
  await sql`ANALYZE issuances`.execute(kysely);
  const after = { at: new Date(Date.now() - 100_000_000), id: 'bulk5' };
  for (const [index, query] of [
    ['issuances_issued', {}],
    ['issuances_issued', { status: 'active' }],
    ['issuances_client', { client_id: 'C7', q: 'x' }],
    ['issuances_sub', { sub: 'S7' }],
  ] as const) {
    for (const place of [undefined, after]) {
      const page = pageQuery(kysely, { limit: 50, ...query }, { after: place, now: new Date() });
      const plan = JSON.stringify(await page.explain('text'));
      expect(plan).toContain(index);
      expect(plan).not.toContain('Seq Scan on issuances');
    }
  }
});

test('taking back a refresh token, a grant and a personal access token', async () => {
  const id = hashId(issued.refresh_token);
  const { revoked } = await api.client.call(issuances.revoke, { params: { id } });
  expect(revoked).toHaveLength(2);
  expect(await api.client.call(issuances.revoke, { params: { id } })).toEqual({ revoked: [] });
  const [grant] = (await api.client.call(grants.list)).items;
  expect(grant).toMatchObject({ status: 'expired' });
  const params = { id: grant?.id ?? '' };
  expect(await api.client.call(grants.revoke, { params })).toMatchObject({ status: 'revoked' });
  const body = { sub: grant?.sub ?? '', name: 'CI', resource: rs1, scope: 'mcp:read' };
  const made = await api.client.call(personalTokens.create, { body });
  const ended = await api.client.call(personalTokens.revoke, { params: { id: made.id } });
  expect(ended.status).toBe('revoked');
  expect((await api.client.call(personalTokens.list)).items).toHaveLength(1);
});
