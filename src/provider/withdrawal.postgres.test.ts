import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { approve, makePeopleAndClients, start } from '../consent/grants.testing.ts';
import { revokeGrant } from '../consent/index.ts';
import { type Database, migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { createTokens, endIssuedUnder, type Issuance } from '../tokens/index.ts';

/** A consent that is withdrawn while tokens are issued under it, on real Postgres with two pools. */

const resource = 'https://rs1.test/mcp';
const rounds = 60;
let replicas: [Database, Database];
beforeAll(async () => {
  const dsn = await createTestDatabase('withdrawal');
  const timeouts = { statementTimeout: 10_000, connectTimeout: 5000 };
  const open = () => openDatabase({ driver: 'postgres', dsn, maxConnections: 8, ...timeouts });
  replicas = [await open(), await open()];
  await migrate(replicas[0]);
  const row = { slug: 'rs1', uri: resource, display_name: 'One', aliases: [], clients: [] };
  const shape = { token_format: 'jwt' as const, token_prefix: 'as', dpop: 'supported' as const };
  const dates = { created_at: start, updated_at: start };
  await replicas[0].kysely
    .insertInto('resources')
    .values({
      ...{ ...row, ...shape, ...dates, scopes: '[]', access: '[]', exchange: null },
      ...{ workspace_scoped: false, source: 'config' },
    })
    .execute();
});
beforeEach(() => makePeopleAndClients(replicas[0]));
afterAll(() => Promise.all(replicas.map((db) => db.close())));

function issuance(): Issuance {
  return {
    ...{ jti: randomUUID(), kind: 'access_token', grant_type: 'x', client_id: 'app', sub: 'alice' },
    ...{ resource, scope: 'read', token_type: 'Bearer', issued_at: start },
    expires_at: new Date(start.getTime() + 600_000),
  };
}

test('a token that is issued while its consent is withdrawn MUST NOT come back with the next consent', async () => {
  const [one, other] = replicas;
  const { exchange } = createTokens(one, { tokens: { personal_access_max_ttl: 86_400 } });
  let issued = 0;
  for (let round = 0; round < rounds; round += 1) {
    const { id: grantId } = await approve(other);
    const tokens = Array.from({ length: 6 }, issuance);
    const issuing = tokens.map((token) =>
      exchange.commitIssuance(
        { clientId: 'app', resource, claims: [], grantId, issuances: [token], events: [] },
        start,
      ),
    );
    const withdrawing = other.kysely.transaction().execute(async (trx) => {
      await revokeGrant(trx, { grantId, now: start });
      await endIssuedUnder(trx, { grantId, now: start });
    });
    const outcomes = await Promise.all(issuing);
    await withdrawing;
    await approve(other); // the person consents again
    issued += outcomes.filter((outcome) => outcome === 'done').length;
    const alive = await Promise.all(
      tokens.map(async ({ jti }) => (await exchange.issued(jti))?.alive),
    );
    expect(alive.filter(Boolean)).toEqual([]);
  }
  expect(issued).toBeGreaterThan(0); // else nothing was raced
});
