import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { approve, later, makePeopleAndClients, start } from './grants.testing.ts';
import { findGrant, listGrants, revokeGrant, touchGrant } from './index.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
beforeEach(() => makePeopleAndClients(db));
afterAll(() => db.close());

const key = {
  userId: 'alice',
  clientId: 'app',
  resource: 'https://rs1.test/mcp',
  workspaceId: '',
};

test('an approval is remembered with its circumstances, the loopback port left out', async () => {
  const row = await approve(db);
  expect(row).toEqual({
    id: expect.stringMatching(/^gr_[\w-]{24}$/),
    ...key,
    scopes: ['read'],
    offeredScopes: ['read', 'write'],
    redirectHost: '127.0.0.1',
    clientDigest: 'd1',
    createdAt: start,
    updatedAt: start,
  });
  expect(await findGrant(db.kysely, key)).toEqual(row);
});

test('it is remembered for that person, client, resource and workspace only', async () => {
  await approve(db);
  await approve(db, { workspaceId: 'w1', scopes: ['write'] });
  for (const other of [
    { userId: 'bob' },
    { clientId: 'other' },
    { resource: 'https://rs2.test/mcp' },
    { workspaceId: 'w2' },
  ]) {
    expect(await findGrant(db.kysely, { ...key, ...other })).toBeUndefined();
  }
  expect((await findGrant(db.kysely, { ...key, workspaceId: 'w1' }))?.scopes).toEqual(['write']);
  expect((await findGrant(db.kysely, key))?.scopes).toEqual(['read']);
});

test('approving again replaces the scopes by those ticked and keeps the row', async () => {
  const first = await approve(db, { scopes: ['read', 'write'] });
  const second = await approve(db, {
    scopes: ['admin'],
    offeredScopes: ['admin'],
    redirectUri: 'https://app.test/cb',
    client: { clientId: 'app', kind: 'dcr', digest: 'd2' },
    now: later(5),
  });
  expect(second).toMatchObject({
    id: first.id,
    scopes: ['admin'],
    offeredScopes: ['admin'],
    redirectHost: 'app.test',
    clientDigest: 'd2',
    createdAt: start,
    updatedAt: later(5),
  });
});

test('approving after a revocation brings the row back to life', async () => {
  const first = await approve(db);
  await revokeGrant(db.kysely, { grantId: first.id, now: later(1) });
  expect((await findGrant(db.kysely, key))?.revokedAt).toEqual(later(1));
  const second = await approve(db, { now: later(2) });
  expect(second).toMatchObject({ id: first.id, createdAt: start });
  expect(second.revokedAt).toBeUndefined();
});

test('a grant is touched while it lives, and never once it is revoked', async () => {
  const { id } = await approve(db);
  expect(await touchGrant(db.kysely, { grantId: id, now: later(1) })).toBe(true);
  expect((await findGrant(db.kysely, key))?.lastUsedAt).toEqual(later(1));
  await revokeGrant(db.kysely, { grantId: id, now: later(2) });
  expect(await touchGrant(db.kysely, { grantId: id, now: later(3) })).toBe(false);
  expect(await touchGrant(db.kysely, { grantId: 'gr_none', now: later(3) })).toBe(false);
});

test('a person sees what they granted and did not withdraw, the latest answer first', async () => {
  const old = await approve(db);
  const gone = await approve(db, { resource: 'https://gone.test' });
  const fresh = await approve(db, { resource: 'https://rs2.test/mcp', now: later(1) });
  await approve(db, { userId: 'bob' });
  await revokeGrant(db.kysely, { grantId: gone.id, now: later(2) });
  const ids = (await listGrants(db.kysely, 'alice')).map(({ id }) => id);
  expect(ids).toEqual([fresh.id, old.id]);
});
