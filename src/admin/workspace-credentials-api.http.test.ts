import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashId } from '../db/index.ts';
import { alice, bob } from '../provider/server.testing.ts';
import {
  introspect,
  memberOf,
  spaces,
  startWorkspaces,
  userId,
  vault,
  workspaceId,
} from '../provider/workspaces.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { inspector, issuances, workspaceCredentials as routes } from './contract/index.ts';
import { type SignedInBrowser, signInAs } from './sign-in.testing.ts';

const person = { email: 'space@example.test', password: 'a long enough password' };
let api: TestApi;
let acme: string;
let beta: string;
let browser: SignedInBrowser;
beforeAll(async () => {
  api = await startApi({ start: startWorkspaces });
  acme = await workspaceId(api.server, 'acme');
  beta = await workspaceId(api.server, 'beta');
  const { accounts } = api.server.app.rooms;
  await accounts.create({ ...person, source: 'admin' }, { at: api.server.now() });
  await memberOf(api.server, person, { acme: 'admin', beta: 'member' });
  await memberOf(api.server, alice, { acme: 'admin', beta: 'admin' });
  await memberOf(api.server, bob, { acme: 'member' });
  browser = await signInAs(api.send, person);
});
beforeEach(async () => {
  await api.server.db.kysely.deleteFrom('issuances').execute();
});
afterAll(() => api.close());

const call: TestApi['client']['call'] = (...args) => api.client.call(...args);

async function regenerated(id = acme, resource = spaces) {
  const sub = await userId(api.server, alice);
  return call(routes.regenerate, { params: { id }, body: { sub, resource } });
}

async function ofBob(label = 'Laptop') {
  const sub = await userId(api.server, bob);
  return call(routes.create, { params: { id: acme }, body: { sub, resource: spaces, label } });
}

const listed = async (query = {}, id = acme) =>
  (await call(routes.list, { params: { id }, query })).items;

describe('operators', () => {
  it('make, list, see and end credentials, in the name of who did it', async () => {
    const made = await regenerated();
    const { credential, ...row } = made;
    expect(row).toEqual({
      ...{ id: credential.split('.')[0], jti: hashId(credential), workspace_id: acme },
      ...{ kind: 'default', label: 'Default', connector: null, resource: spaces },
      ...{ sub: await userId(api.server, alice), username: alice.email, status: 'active' },
      ...{ created_at: expect.any(String), revoked_at: null },
      ...{ last_used_at: null, last_used_from: null },
    });
    expect(await listed()).toEqual([row]);
    const params = { id: acme, credential_id: row.id };
    expect(await call(routes.get, { params })).toEqual(row);
    expect(await introspect(api.server, credential)).toMatchObject({ active: true });
    expect(await call(routes.revoke, { params })).toMatchObject({
      ...{ id: row.id, status: 'revoked', revoked_at: expect.any(String) },
    });
    expect(await introspect(api.server, credential)).toEqual({ active: false });
    const [created] = (await api.audited('credential_created')).slice(-1);
    const [ended] = (await api.audited('credential_revoked')).slice(-1);
    for (const event of [created, ended]) {
      expect(event).toMatchObject({ actor_kind: 'admin', user_id: row.sub, resource: spaces });
    }
    expect(ended?.detail).toMatchObject({ credential_id: row.id, reason: 'operator' });
  });

  it('a page at a time, the live ones alone where they ask for that', async () => {
    for (const label of ['one', 'two', 'three']) await ofBob(label);
    await regenerated();
    await regenerated();
    expect(await listed({ status: 'active' })).toHaveLength(4);
    expect(await listed({ status: 'revoked' })).toMatchObject([{ kind: 'default' }]);
    const first = await call(routes.list, { params: { id: acme }, query: { limit: 3 } });
    const cursor = first.next_cursor;
    const rest = await call(routes.list, { params: { id: acme }, query: { limit: 3, cursor } });
    const ids = [...first.items, ...rest.items].map(({ id }) => id);
    expect(new Set(ids).size).toBe(5);
    expect(rest.next_cursor).toBeUndefined();
  });

  it('a credential of another workspace MUST be unknown, also to be ended (AD07)', async () => {
    const { id, credential } = await regenerated(beta, vault);
    const params = { id: acme, credential_id: id };
    for (const route of [routes.get, routes.revoke]) {
      await expect(call(route, { params })).rejects.toMatchObject({ status: 404 });
    }
    expect(await introspect(api.server, credential)).toMatchObject({ active: true });
  });

  it('what cannot be made says why', async () => {
    const sub = await userId(api.server, bob);
    const body = { sub, resource: spaces };
    const params = { id: acme };
    const regenerating = (more: object, id = acme) =>
      call(routes.regenerate, { params: { id }, body: { ...body, ...more } });
    await expect(regenerating({})).rejects.toThrow('Only admins of a workspace');
    await expect(regenerating({ sub: 'usr_x' })).rejects.toThrow('disabled');
    await expect(regenerating({ resource: 'https://rs1.test/mcp' })).rejects.toThrow(
      'knows no workspaces',
    );
    await expect(regenerating({ resource: 'https://x.test' })).rejects.toThrow(spaces);
    await expect(regenerating({}, crypto.randomUUID())).rejects.toMatchObject({ status: 404 });
    const unnamed = call(routes.create, { params, body: { ...body, label: ' ' } });
    await expect(unnamed).rejects.toThrow('Give the credential a name');
  });

  it('find it among the issuances, without an expiry, and end it there too', async () => {
    const { jti, credential, id } = await ofBob();
    const { items } = await call(issuances.list, { query: { kind: 'workspace_credential' } });
    expect(items).toMatchObject([
      {
        ...{ jti, kind: 'workspace_credential', status: 'active', expires_at: null },
        ...{ client_id: null, workspace_id: acme, username: bob.email },
      },
    ]);
    expect(await call(issuances.revoke, { params: { id: jti } })).toEqual({ revoked: [jti] });
    expect(await introspect(api.server, credential)).toEqual({ active: false });
    const [ended] = (await api.audited('credential_revoked')).slice(-1);
    expect(ended?.detail).toMatchObject({ credential_id: id, reason: 'operator' });
  });

  it('paste it into the inspector, which MUST NOT keep it', async () => {
    const { credential, jti } = await regenerated();
    const inspect = (token: string) => call(inspector.inspect, { body: { token } });
    const explained = await inspect(`Bearer ${credential}`);
    expect(explained).toMatchObject({
      ...{ kind: 'workspace_credential', verdict: 'active', issuance_id: jti },
      person: { username: alice.email },
    });
    const claims = Object.fromEntries(explained.claims.map(({ name, value }) => [name, value]));
    expect(claims).toMatchObject({ workspace_id: acme, scope: 's:use s:admin', aud: spaces });
    expect(claims).not.toHaveProperty('exp');
    expect((await inspect(credential.slice(0, -1))).summary).toContain('its checksum is wrong');
    await regenerated();
    const ended = await inspect(credential);
    expect(ended).toMatchObject({ verdict: 'inactive' });
    expect(ended.summary).toContain('(regenerated)');
    expect(api.server.logged()).not.toContain(credential.split('.')[1]);
  });
});

describe('an admin of a workspace', () => {
  const as = (path: string, sent = {}) =>
    api.send(`/admin/api/workspaces/${path}`, { headers: { cookie: browser.cookie }, ...sent });
  const post = (path: string, body: unknown = {}) =>
    as(path, {
      method: 'POST',
      headers: {
        ...{ cookie: browser.cookie, 'x-csrf-token': browser.csrf },
        ...{ origin: api.origin, 'content-type': 'application/json' },
      },
      body: JSON.stringify(body),
    });

  it('MUST see and end those of theirs, and no others', async () => {
    const [own, foreign] = [await ofBob(), await regenerated(beta, vault)];
    const list = await as(`${acme}/credentials`);
    expect(JSON.parse(list.body).items).toMatchObject([{ id: own.id }]);
    expect((await as(`${beta}/credentials`)).status).toBe(404);
    for (const path of [`${beta}/credentials/${foreign.id}`, `${acme}/credentials/${foreign.id}`]) {
      expect((await as(path)).status).toBe(404);
      expect((await post(`${path}/revoke`)).status).toBe(404);
    }
    expect(await introspect(api.server, foreign.credential)).toMatchObject({ active: true });
    expect((await post(`${acme}/credentials/${own.id}/revoke`)).status).toBe(200);
    expect(await introspect(api.server, own.credential)).toEqual({ active: false });
  });

  it('MUST NOT make any here: that is done on the page of the workspace', async () => {
    const body = { sub: await userId(api.server, person), resource: spaces };
    for (const path of ['credentials/regenerate', 'credentials']) {
      const answer = await post(`${acme}/${path}`, { ...body, label: 'x' });
      expect(answer.status).toBe(403);
    }
    expect(await listed()).toEqual([]);
  });
});

it('a credential MUST be no key of the admin API', async () => {
  const { credential } = await regenerated();
  const headers = { authorization: `Bearer ${credential}` };
  expect((await api.send('/admin/api/session', { headers })).status).toBe(401);
});
