import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { type StrangeServer, startStrangeServer } from './authorization-server.testing.ts';
import { ada, bob, browserOf, type TestUpstream, testUpstream } from './connections.testing.ts';
import type { McpServer } from './server.ts';

let db: Database;
let honest: StrangeServer;
let evil: StrangeServer;
let up: TestUpstream;
const here = browserOf('ada');

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  [honest, evil] = await Promise.all([startStrangeServer(), startStrangeServer()]);
  up = await testUpstream(db);
  return async () => {
    await honest.close();
    await evil.close();
  };
});

/** The way out and back, after somebody allowed it at `by`. */
async function connect(to: McpServer, { by = honest, changes = {} } = {}) {
  const url = await up.connections.begin(to, ada, here);
  const back = by.allow(url, changes);
  const answer = { uuid: to.uuid, query: back.search, userId: ada, browser: here };
  return up.connections.accept(answer, up.meta());
}

/** In the second workspace, of which bob is a member alone. */
async function elsewhere(url: string, more: object = {}): Promise<McpServer> {
  const input = { name: 'Theirs', url, authType: 'oauth' as const, ...more };
  const who = { actor: { kind: 'user', id: bob } as const, meta: up.meta() };
  await db.kysely
    .insertInto('workspace_members')
    .values({
      ...{ workspace_id: 'ws_two', user_id: bob, role: 'member', source: 'config' },
      created_at: new Date(),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return up.servers.create({ workspaceId: 'ws_two', userId: bob, input }, who);
}

const stored = () => db.kysely.selectFrom('upstream_connections').selectAll().execute();
const given = { oauthClientId: 'given-client', oauthClientSecret: 'given-secret' };
const by = () => ({ actor: { kind: 'user', id: ada } as const, meta: up.meta() });

describe('a client that somebody gave', () => {
  test('MUST NOT be known to an issuer that the server names later (U03)', async () => {
    const server = await up.add(honest.url, given);
    await connect(server);
    honest.manners.resourceMetadata.authorization_servers = [evil.origin];
    await expect(
      connect(server, { by: evil, changes: { iss: evil.origin } }),
    ).rejects.toMatchObject({
      name: 'UpstreamProblem',
      field: 'oauthClientId',
      message: expect.stringContaining(honest.origin),
    });
    const heard = JSON.stringify(evil.requests);
    expect(heard).not.toContain(Buffer.from('given-client:given-secret').toString('base64'));
    expect(await up.connections.statusOf(server, ada)).toBe('connected');
  });

  test('is for the new issuer when it is given anew', async () => {
    const server = await up.add(honest.url, given);
    await connect(server);
    honest.manners.resourceMetadata.authorization_servers = [evil.origin];
    const anew = await up.servers.update(server.id, { oauthClientSecret: 'another-secret' }, by());
    await connect(anew, { by: evil, changes: { iss: evil.origin } });
    expect(await up.connections.statusOf(anew, ada)).toBe('connected');
    expect(JSON.stringify(evil.requests)).not.toContain('given-secret');
  });
});

describe('endpoints that somebody gave', () => {
  const mixed = () => ({
    ...given,
    oauthAuthorizationEndpoint: `${honest.origin}/authorize`,
    oauthTokenEndpoint: `${evil.origin}/token`,
  });

  test('MUST NOT be sent the code of another issuer, which names itself (RFC 9207, mix-up)', async () => {
    const server = await up.add(evil.url, mixed());
    await expect(connect(server)).rejects.toMatchObject({
      name: 'ConnectError',
      failure: 'not_accepted',
    });
    expect(evil.requests.filter(({ path }) => path === '/token')).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  test('may be on another origin than the issuer whose metadata names them', async () => {
    honest.manners.serverMetadata.token_endpoint = `${evil.origin}/token`;
    const server = await up.add(evil.url, mixed());
    // The code is not its own, so it refuses: but it was asked.
    await expect(connect(server)).rejects.toMatchObject({ failure: 'refused_there' });
  });

  test('need no issuer', async () => {
    const own = {
      oauthAuthorizationEndpoint: `${honest.origin}/authorize`,
      oauthTokenEndpoint: `${honest.origin}/token`,
    };
    const server = await up.add(honest.url, { ...given, ...own });
    const url = await up.connections.begin(server, ada, here);
    const back = honest.allow(url);
    back.searchParams.delete('iss');
    const answer = { uuid: server.uuid, query: back.search, userId: ada, browser: here };
    await up.connections.accept(answer, up.meta());
    expect(await up.connections.statusOf(server, ada)).toBe('connected');
  });
});

describe('one workspace MUST NOT lock out another one (R26)', () => {
  test('by making an authorization server fail for itself', async () => {
    const server = await up.add(honest.url);
    await connect(server);
    const theirs = await elsewhere(`${honest.url}?theirs`, {
      oauthClientId: 'x',
      oauthAuthorizationEndpoint: `${honest.origin}/authorize`,
      oauthTokenEndpoint: `${honest.origin}/token?broken`,
    });
    const browser = browserOf('bob');
    up.advance(305);
    honest.manners.raw = { status: 500, type: 'text/plain', body: 'broken' };
    for (let time = 0; time < 6; time += 1) {
      const back = honest.allow(await up.connections.begin(theirs, bob, browser));
      const answer = { uuid: theirs.uuid, query: back.search, userId: bob, browser };
      await expect(up.connections.accept(answer, up.meta())).rejects.toMatchObject({
        failure: 'unreachable',
      });
    }
    delete honest.manners.raw;
    // The pause is the business of that workspace alone.
    expect(await up.connections.accessFor(server, ada)).toMatchObject({ ok: true });
  });
});

describe('a server that is pointed elsewhere', () => {
  test('MUST NOT keep the gateways that an operator allowed for the old one', async () => {
    const server = await up.add(honest.url);
    await up.servers.setGatewayClients(server.id, ['GATEWAY'], by());
    await up.servers.update(server.id, { name: 'Renamed' }, by());
    expect(await up.servers.find({ id: server.id })).toMatchObject({ gatewayClients: ['GATEWAY'] });
    await up.servers.update(server.id, { url: evil.url }, by());
    expect(await up.servers.find({ id: server.id })).toMatchObject({ gatewayClients: [] });
    expect(await up.audited('mcp_server_updated')).toContainEqual(
      expect.objectContaining({
        detail: expect.objectContaining({
          changes: expect.arrayContaining([{ field: 'gatewayClients', from: ['GATEWAY'], to: [] }]),
        }),
      }),
    );
  });

  test('MUST NOT get the picture of the old one that was still being fetched', async () => {
    const server = await up.add(honest.url);
    await up.servers.update(server.id, { url: evil.url }, by());
    await up.servers.setIcon(server, Buffer.from('the old one'));
    expect(await up.servers.find({ id: server.id })).not.toHaveProperty('iconVersion');
  });
});

test.each<[string, (server: McpServer) => Promise<unknown>]>([
  ['taken from its list', ({ id }) => up.servers.setGatewayClients(id, [], by())],
  [
    'of a server that is disabled',
    ({ id }) => up.servers.disable(id, { clearRegistration: false }, by()),
  ],
  [
    'of somebody who leaves',
    () => db.kysely.deleteFrom('workspace_members').where('user_id', '=', ada).execute(),
  ],
])('a gateway %s while a token is refreshed for it MUST NOT get it', async (_what, change) => {
  const server = await up.add(honest.url);
  await up.servers.setGatewayClients(server.id, ['GATEWAY'], by());
  await connect(server);
  up.advance(305);
  honest.manners.delay = 600;
  const target = { audience: [server.publicId], resource: [], scope: undefined };
  const subject = { jti: 'jti', userId: ada };
  const vended = up.vending.vend({ clientId: 'GATEWAY', subject, ...target }, up.meta());
  const refused = expect(vended).rejects.toMatchObject({ error: 'invalid_target' });
  await expect.poll(() => honest.requests.filter(({ path }) => path === '/token')).toHaveLength(2);
  await change(server);
  await refused;
  expect(await up.audited('upstream_token_vended')).toEqual([]);
});

test('a connection that its member ends while it is refreshed MUST NOT be used any more', async () => {
  const server = await up.add(honest.url);
  await connect(server);
  up.advance(270); // the old token would be good for a while
  honest.manners.delay = 600;
  const access = up.connections.accessFor(server, ada);
  await expect.poll(() => honest.requests.filter(({ path }) => path === '/token')).toHaveLength(2);
  await up.connections.disconnect(server, ada, by());
  expect(await access).toMatchObject({ ok: false, code: 'authentication_required' });
});
