import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { start, testWorkspaces } from '../accounts/workspaces.testing.ts';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { grantTypes } from '../oauth/index.ts';
import { createTokens, endIssuedIn, type Issuance } from './index.ts';

const resource = 'https://spaces.test/mcp';
const userId = 'usr_ada';
let db: Database;
let acme: string;
let beta: string;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  for (const table of ['issuances', 'clients', 'resources'] as const) {
    await db.kysely.deleteFrom(table).execute();
  }
  const { workspaces, meta } = await testWorkspaces(db);
  acme = (await workspaces.create({ slug: 'acme', source: 'cli' }, meta)).id;
  beta = (await workspaces.create({ slug: 'beta', source: 'cli' }, meta)).id;
  for (const workspaceId of [acme, beta]) {
    const member = { workspaceId, who: { id: userId }, role: 'member', source: 'cli' } as const;
    await workspaces.addMember(member, meta);
  }
  const at = { created_at: start, updated_at: start };
  const client = {
    client_id: 'XAA',
    kind: 'preregistered',
    metadata: '{}',
    source: 'cli',
  } as const;
  await db.kysely
    .insertInto('clients')
    .values({ ...client, ...at })
    .execute();
  const row = { uri: resource, slug: 'spaces', display_name: 'Spaces', aliases: [], clients: [] };
  const shape = { token_format: 'jwt', token_prefix: 'as', dpop: 'supported' } as const;
  const rest = { scopes: '[]', access: '[]', exchange: null, workspace_scoped: true } as const;
  await db.kysely
    .insertInto('resources')
    .values({ ...row, ...shape, ...rest, ...at, source: 'config' })
    .execute();
});

const tokens = () => createTokens(db, { tokens: { personal_access_max_ttl: 3600 } });

function issuance(
  jti: string,
  workspaceId: string | null,
  changes: Partial<Issuance> = {},
): Issuance {
  return {
    ...{ jti, kind: 'access_token', grant_type: grantTypes.jwtBearer, client_id: 'XAA' },
    ...{ sub: userId, resource, scope: 's:use', token_type: 'Bearer', workspace_id: workspaceId },
    issued_at: start,
    expires_at: new Date(start.getTime() + 600_000),
    ...changes,
  };
}

const issue = (one: Issuance, workspaceId?: string) =>
  tokens().exchange.commitIssuance(
    { clientId: 'XAA', userId, resource, claims: [], workspaceId, issuances: [one], events: [] },
    start,
  );

test('a token for a workspace MUST NOT be written for who is no member any more', async () => {
  expect(await issue(issuance('a', acme), acme)).toBe('done');
  await db.kysely.deleteFrom('workspace_members').where('workspace_id', '=', acme).execute();
  expect(await issue(issuance('b', acme), acme)).toBe('not_allowed');
  expect(await issue(issuance('c', beta), beta)).toBe('done');
  expect(await issue(issuance('d', null))).toBe('done');
});

test('a record tells of the workspace as it is now', async () => {
  await issue(issuance('a', acme), acme);
  await db.kysely.updateTable('workspaces').set({ name: 'New' }).execute();
  expect(await tokens().exchange.issued('a')).toMatchObject({
    ...{ workspace_id: acme, workspace_slug: 'acme', workspace_name: 'New' },
    workspace_role: 'member',
  });
});

test('the end of a membership MUST end what was exchanged from its tokens, at any depth, and no other', async () => {
  const { tokenExchange: grant_type } = grantTypes;
  await issue(issuance('a', acme), acme);
  await issue(issuance('a1', null, { grant_type, parent_jti: 'a' }));
  await issue(issuance('a2', null, { grant_type, parent_jti: 'a1' }));
  await issue(issuance('b', beta), beta);
  await db.kysely
    .transaction()
    .execute((trx) => endIssuedIn(trx, { userId, workspaceId: acme, now: start }));
  const alive = await Promise.all(
    ['a', 'a1', 'a2', 'b'].map(async (jti) => (await tokens().exchange.issued(jti))?.alive),
  );
  expect(alive).toEqual([false, false, false, true]);
});
