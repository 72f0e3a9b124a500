import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { approve, later, makePeopleAndClients, start } from './grants.testing.ts';
import { type GrantRow, revokeForClient, revokeGrant } from './index.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
beforeEach(() => makePeopleAndClients(db));
afterAll(() => db.close());

/** A family under a grant, with a code, a refresh token, a live and an expired access token. */
async function startFamily(grant: GrantRow, id: string): Promise<void> {
  const { kysely } = db;
  const owner = { client_id: grant.clientId, created_at: start };
  const family = { id, grant_id: grant.id, user_id: grant.userId, payload: '{}' };
  await kysely
    .insertInto('families')
    .values({ ...family, ...owner, expires_at: later(1000) })
    .execute();
  const artifacts = ['AuthorizationCode', 'RefreshToken'].map((kind) => ({
    id: `${id}-${kind}`,
    kind,
    family_id: id,
    payload: '{}',
    expires_at: later(1000),
    ...owner,
  }));
  await kysely.insertInto('artifacts').values(artifacts).execute();
  const issuances = [later(15), later(-15)].map((expires_at, index) => ({
    jti: `${id}-${index === 0 ? 'live' : 'expired'}`,
    kind: 'AccessToken',
    grant_type: 'authorization_code',
    family_id: id,
    grant_id: grant.id,
    client_id: grant.clientId,
    sub: grant.userId,
    resource: grant.resource,
    scope: 'read',
    token_type: 'Bearer',
    issued_at: later(-30),
    expires_at,
  }));
  await kysely.insertInto('issuances').values(issuances).execute();
}

/** Names of what is still alive. */
async function alive(): Promise<Record<'families' | 'artifacts' | 'tokens', string[]>> {
  const { kysely } = db;
  const [families, artifacts, tokens] = await Promise.all([
    kysely.selectFrom('families').select('id').where('revoked_at', 'is', null).execute(),
    kysely.selectFrom('artifacts').select('id').where('kind', '=', 'RefreshToken').execute(),
    kysely
      .selectFrom('issuances')
      .select('jti as id')
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', start)
      .execute(),
  ]);
  const names = (rows: { id: string }[]) => rows.map(({ id }) => id.split('-')[0] ?? '').sort();
  return { families: names(families), artifacts: names(artifacts), tokens: names(tokens) };
}

function only(...families: string[]) {
  return { families, artifacts: families, tokens: families };
}

describe('revocation', () => {
  beforeEach(async () => {
    const mine = await approve(db);
    await startFamily(mine, 'a1');
    await startFamily(mine, 'a2');
    await startFamily(await approve(db, { resource: 'https://rs2.test/mcp' }), 'a3');
    const other = { clientId: 'other', kind: 'dcr', digest: 'd1' } as const;
    await startFamily(await approve(db, { client: other }), 'a4');
    await startFamily(await approve(db, { userId: 'bob' }), 'b1');
  });

  test('of a grant MUST end all its families and reach all that is derived, and nothing else', async () => {
    const grant = await approve(db);
    const revoked = await revokeGrant(db.kysely, { grantId: grant.id, now: start });
    expect(revoked).toEqual({
      grants: [
        { id: grant.id, userId: 'alice', clientId: 'app', resource: 'https://rs1.test/mcp' },
      ],
      families: 2,
    });
    expect(await alive()).toEqual(only('a3', 'a4', 'b1'));
  });

  test('of everything that a client was granted leaves that of others', async () => {
    const revoked = await revokeForClient(db.kysely, { clientId: 'app', now: start });
    expect(revoked.grants).toHaveLength(3);
    expect(await alive()).toEqual(only('a4'));
  });

  test('again changes nothing, not even its time', async () => {
    const { id } = await approve(db);
    await revokeGrant(db.kysely, { grantId: id, now: start });
    const again = await revokeGrant(db.kysely, { grantId: id, now: later(9) });
    expect(again).toEqual({ grants: [], families: 0 });
    const times = await db.kysely
      .selectFrom('grants')
      .select('revoked_at')
      .where('id', '=', id)
      .execute();
    expect(times).toEqual([{ revoked_at: start }]);
  });

  test('of an unknown grant does nothing', async () => {
    const revoked = await revokeGrant(db.kysely, { grantId: "' OR 1=1", now: start });
    expect(revoked).toEqual({ grants: [], families: 0 });
  });

  test('MUST hold for what it ended when the grant comes back to life', async () => {
    const { id } = await approve(db);
    await revokeGrant(db.kysely, { grantId: id, now: start });
    await startFamily(await approve(db, { now: later(1) }), 'a9');
    expect(await alive()).toEqual(only('a3', 'a4', 'a9', 'b1'));
  });

  test('leaves the record of expired tokens as it was', async () => {
    const own = db.kysely.selectFrom('grants').where('user_id', '=', 'alice');
    for (const { id } of await own.select('id').execute()) {
      await revokeGrant(db.kysely, { grantId: id, now: start });
    }
    const marked = await db.kysely
      .selectFrom('issuances')
      .select('jti')
      .where('revoked_at', 'is not', null)
      .execute();
    expect(marked.map(({ jti }) => jti).sort()).toEqual(
      ['a1', 'a2', 'a3', 'a4'].map((f) => `${f}-live`),
    );
  });

  test('is undone as a whole when its transaction fails', async () => {
    const { id } = await approve(db);
    const failed = db.kysely.transaction().execute(async (trx) => {
      await revokeGrant(trx, { grantId: id, now: start });
      throw new Error('roll back');
    });
    await expect(failed).rejects.toThrow('roll back');
    expect(await alive()).toEqual(only('a1', 'a2', 'a3', 'a4', 'b1'));
  });
});
