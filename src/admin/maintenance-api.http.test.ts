import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alice, rs1, rs2 } from '../provider/server.testing.ts';
import { apiKey, bearer, startApi, type TestApi } from './api.testing.ts';
import { apiKeys, clients, maintenance, tokens, users } from './contract/index.ts';

/** What the command line needs of a running server beyond what the console does. */

let api: TestApi;
let sub: string;
beforeAll(async () => {
  api = await startApi();
  const { items } = await api.client.call(users.list, { query: { q: alice.email } });
  sub = items[0]?.id ?? '';
});
afterAll(() => api.close());

describe('a backup', () => {
  it('is lines of JSON with a first and a last one, and is audited', async () => {
    const answer = await api.send('/admin/api/backup', { headers: bearer(apiKey) });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
      'content-disposition': expect.stringMatching(/^attachment; filename="authserver-.*\.backup"/),
    });
    const lines = answer.body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ format: 'authserver-backup', key_check: expect.any(String) });
    expect(lines.at(-1)).toMatchObject({ end: true, rows: { users: expect.any(Number) } });
    expect(await api.audited('backup_made')).toMatchObject([{ actor_kind: 'admin' }]);
  });

  it.each([
    ['goes away', (socket: Socket) => socket.destroy()],
    ['takes no more', (socket: Socket) => socket.pause()],
  ])('MUST NOT hold up the server for long for one who %s in the middle', async (_what, stop) => {
    // More than what the buffers of a connection hold.
    await sql`
      INSERT INTO audit_events (at, type, actor_kind, detail)
      SELECT ${api.server.now()}, 'user_login', 'user', jsonb_build_object('long', repeat('x', 1000000))
        FROM generate_series(1, 20)`.execute(api.server.db.kysely);
    const socket = connect(Number(new URL(api.origin).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `GET /admin/api/backup HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`,
    );
    await once(socket, 'data');
    stop(socket);
    expect((await api.get('/admin/api/users')).status).toBe(200);
    socket.destroy();
  });
});

describe('the clean-up', () => {
  it('is run step by step, each of which says what it removed', async () => {
    const { items } = await api.client.call(maintenance.sweeps);
    expect(items).toContainEqual({ id: 'old-flows', title: expect.any(String) });
    const params = { id: 'old-flows' };
    expect(await api.client.call(maintenance.sweep, { params })).toMatchObject({
      rows: 0,
      done: true,
    });
  });

  it('MUST NOT run a job that removes nothing, nor one that there is not', async () => {
    for (const id of ['seal-audit', 'nonsense']) {
      const run = api.client.call(maintenance.sweep, { params: { id } });
      await expect(run).rejects.toMatchObject({ status: 404 });
    }
  });
});

describe('people', () => {
  it('a password is set, audited, and signs them out', async () => {
    const params = { id: sub };
    const body = { password: 'quite another password' };
    expect(await api.client.call(users.setPassword, { params, body })).toMatchObject({
      sessions: 0,
    });
    const event = { actor_kind: 'admin', actor_id: 'api_key' };
    expect(await api.audited('user_password_changed')).toMatchObject([event]);
    const weak = api.client.call(users.setPassword, { params, body: { password: 'x' } });
    await expect(weak).rejects.toMatchObject({ status: 400 });
  });

  it('are linked to who they are elsewhere, and unlinked', async () => {
    const key = { issuer: 'https://idp.test', subject: '00u1' };
    const linked = await api.client.call(users.link, { params: { id: sub }, body: key });
    expect(linked.identities).toMatchObject([key]);
    const gone = await api.client.call(users.unlink, { params: { id: sub }, query: key });
    expect(gone.identities).toEqual([]);
  });

  it('are made without an invitation where none is wanted', async () => {
    const body = { email: 'sso@example.test', invite: false };
    const made = await api.client.call(users.create, { body });
    expect(made).toMatchObject({ invite: null, has_password: false, source: 'admin' });
  });
});

describe('tokens', () => {
  const asked = { resource: rs1, scope: 'mcp:read' };

  it('one is minted for a person and a client, as audited', async () => {
    const body = { ...asked, sub, client_id: 'WEB', expires_in: 60 };
    const made = await api.client.call(tokens.mint, { body });
    expect(made).toMatchObject({ scope: 'mcp:read', jti: expect.any(String) });
    const events = await api.audited('token_issued');
    expect(events.at(-1)).toMatchObject({ actor_kind: 'admin', client_id: 'WEB' });
  });

  it.each([
    ['for nobody', {}],
    ['for an unknown person', { sub: 'usr_nobody' }],
    ['for an unknown client', { client_id: 'nobody' }],
    ['for another resource than there is', { client_id: 'WEB', resource: 'https://no.test/' }],
    ['for a scope that is of another resource', { client_id: 'WEB', resource: rs2 }],
    ['for a workspace of others', { sub: 'self', workspace_id: 'none' }],
  ])('none is minted %s', async (_what, changed) => {
    const body = {
      ...asked,
      ...changed,
      ...('sub' in changed && changed.sub === 'self' && { sub }),
    };
    const minted = api.client.call(tokens.mint, { body });
    await expect(minted).rejects.toMatchObject({ status: 400 });
  });

  it('one that registers a client is shown once', async () => {
    const made = await api.client.call(clients.initialAccessToken, { body: { expires_in: 60 } });
    expect(made).toMatchObject({ initial_access_token: expect.stringMatching(/^iat_/) });
  });
});

it('a name of a system user MUST NOT be believed from anybody but the command line', async () => {
  const body = { name: 'operator', role: 'operator' } as const;
  const { key } = await api.client.call(apiKeys.create, { body });
  const answer = await api.send('/admin/api/workspaces', {
    method: 'POST',
    headers: {
      ...bearer(key),
      'content-type': 'application/json',
      'x-authserver-system-user': 'root',
    },
    body: '{"slug":"acme"}',
  });
  expect(answer.status).toBe(201);
  const [event] = await api.audited('workspace_created');
  expect(event).toMatchObject({ actor_kind: 'admin' });
  expect(event?.actor_id).not.toBe('root');
});

it('there is no link for a first owner once there is an owner', async () => {
  const owner = {
    email: 'owner@example.test',
    password: 'a long password',
    role: 'owner',
  } as const;
  expect(await api.client.call(maintenance.setupLink)).toMatchObject({ token: expect.any(String) });
  await api.client.call(users.create, { body: owner });
  expect(await api.client.call(maintenance.setupLink)).toEqual({ token: null });
});
