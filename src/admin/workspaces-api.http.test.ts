import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob, type TestServer } from '../provider/server.testing.ts';
import {
  introspect,
  spaces,
  startWorkspaces,
  tokensFor,
  userId,
} from '../provider/workspaces.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { tokens, workspaces } from './contract/index.ts';

const path = '/admin/api/workspaces';

let api: TestApi;
let server: TestServer;
let aliceId: string;
let bobId: string;
beforeAll(async () => {
  api = await startApi({ start: startWorkspaces });
  server = api.server;
  aliceId = await userId(server, alice);
  bobId = await userId(server, bob);
});
afterAll(() => api.close());
beforeEach(async () => {
  await server.db.kysely.deleteFrom('workspace_members').execute();
  await server.db.kysely.deleteFrom('workspaces').where('source', '<>', 'config').execute();
});

const make = (body: { slug: string; name?: string }) =>
  api.client.call(workspaces.create, { body });
const add = (id: string, body: { user_id?: string; email?: string; role?: 'member' | 'admin' }) =>
  api.client.call(workspaces.addMember, { params: { id }, body });

describe('workspaces', () => {
  test('are made, shown, renamed and listed, each change audited under who did it', async () => {
    const made = await make({ slug: 'north', name: 'North' });
    expect(made).toMatchObject({ slug: 'north', name: 'North', source: 'admin' });
    const params = { id: made.id };
    expect(await api.client.call(workspaces.get, { params })).toEqual(made);
    const renamed = await api.client.call(workspaces.update, {
      params,
      body: { name: 'Far north' },
    });
    expect(renamed).toMatchObject({ id: made.id, slug: 'north', name: 'Far north' });
    const { items } = await api.client.call(workspaces.list, { query: { q: 'FAR' } });
    expect(items).toEqual([renamed]);
    const declared = await api.client.call(workspaces.list, { query: { source: 'config' } });
    expect(declared.items.map(({ slug }) => slug).sort()).toEqual(['acme', 'beta', 'gamma']);
    for (const type of ['workspace_created', 'workspace_updated']) {
      expect((await api.audited(type)).at(-1)).toMatchObject({
        ...{ actor_kind: 'admin', detail: { workspace_id: made.id } },
      });
    }
  });

  test('lists are read page by page, in either order', async () => {
    for (const slug of ['n-1', 'n-2', 'n-3']) await make({ slug });
    const shown: string[] = [];
    const query = { limit: 1, q: 'n-', sort: 'created_at' } as const;
    for await (const { slug } of api.client.each(workspaces.list, query)) shown.push(slug);
    expect(shown).toEqual(['n-1', 'n-2', 'n-3']);
  });

  test.each([
    [{ slug: 'Not a slug' }, 400],
    [{ slug: 'acme' }, 409],
    [{ slug: 'x', name: ' ' }, 400],
    [{ slug: 'x', source: 'config' }, 400],
    [{}, 400],
  ])('%j MUST be refused', async (body, status) => {
    expect(await api.post(path, body)).toMatchObject({
      status,
      json: { error: 'invalid_request' },
    });
  });

  test.each(['', '/members'])('a slug or an unknown id in the path%s is 404', async (rest) => {
    for (const id of ['acme', '8c1c5e6e-0000-4000-8000-000000000001']) {
      expect((await api.get(`${path}/${id}${rest}`)).status).toBe(404);
    }
  });
});

describe('members', () => {
  test('are added by id or e-mail address, listed, changed and removed', async () => {
    const { id } = await make({ slug: 'team' });
    await add(id, { user_id: aliceId });
    const second = await add(id, { email: bob.email, role: 'admin' });
    expect(second).toMatchObject({ id: bobId, workspace_id: id, role: 'admin', source: 'admin' });
    const params = { id, user_id: aliceId };
    const body = { role: 'admin' } as const;
    const changed = await api.client.call(workspaces.changeMember, { params, body });
    expect(changed).toMatchObject({ id: aliceId, email: alice.email, role: 'admin' });
    const list = (query: { q?: string; role?: 'member' | 'admin' } = {}) =>
      api.client.call(workspaces.members, { params: { id }, query });
    expect((await list()).items.map((row) => row.id)).toEqual([bobId, aliceId]);
    expect((await list({ q: 'ALICE@' })).items).toEqual([changed]);
    expect((await list({ role: 'member' })).items).toEqual([]);
    expect(await api.client.call(workspaces.removeMember, { params })).toEqual(changed);
    expect((await list()).items).toEqual([second]);
    expect((await api.audited('workspace_member_removed')).at(-1)).toMatchObject({
      ...{ actor_kind: 'admin', user_id: aliceId, detail: { workspace_id: id, role: 'admin' } },
    });
  });

  test.each([
    ['nobody', {}, 400],
    ['two names', { user_id: 'x', email: 'y' }, 400],
    ['an unknown id', { user_id: 'usr_none' }, 400],
    ['an unknown address', { email: 'nobody@example.test' }, 400],
    ['an unknown role', { email: bob.email, role: 'owner' }, 400],
  ])('%s MUST be refused', async (_, body, status) => {
    const { id } = await make({ slug: 'team' });
    expect((await api.post(`${path}/${id}/members`, body)).status).toBe(status);
  });

  test('a second time is 409, and who is no member 404', async () => {
    const { id } = await make({ slug: 'team' });
    await add(id, { user_id: aliceId });
    const again = await api.post(`${path}/${id}/members`, { user_id: aliceId });
    expect(again.status).toBe(409);
    const params = { id, user_id: bobId };
    await expect(api.client.call(workspaces.removeMember, { params })).rejects.toThrow();
  });

  test('removing one MUST end their tokens for the workspace', async () => {
    const { items } = await api.client.call(workspaces.list, { query: { q: 'acme' } });
    const id = items[0]?.id ?? '';
    await add(id, { user_id: aliceId });
    const { access_token } = await tokensFor(server, 'acme');
    const body = { sub: aliceId, name: 'CI', resource: spaces, scope: 's:use', workspace_id: id };
    const personal = await api.client.call(tokens.create, { body });
    expect(personal.workspace_id).toBe(id);
    for (const token of [access_token, personal.token]) {
      expect(await introspect(server, token)).toMatchObject({ active: true, workspace_id: id });
    }
    await api.client.call(workspaces.removeMember, { params: { id, user_id: aliceId } });
    for (const token of [access_token, personal.token]) {
      expect(await introspect(server, token)).toEqual({ active: false });
    }
  });

  test('a personal access token MUST name a workspace of the person, where one is needed', async () => {
    const { id } = await make({ slug: 'team' });
    const body = { sub: aliceId, name: 'CI', resource: spaces, scope: 's:use' };
    for (const change of [{}, { workspace_id: id }, { workspace_id: 'nope' }]) {
      const { status, json } = await api.post('/admin/api/tokens', { ...body, ...change });
      expect({ status, json }).toMatchObject({ status: 400, json: { error: 'invalid_target' } });
    }
  });
});

describe('invitations', () => {
  test('are made with a link that is answered once, listed page by page, and taken back', async () => {
    const { id } = await make({ slug: 'team' });
    const params = { id };
    const invite = (email: string, role?: 'admin') =>
      api.client.call(workspaces.invite, { params, body: { email, role } });
    const { url, ...made } = await invite('new@example.test', 'admin');
    expect(url).toMatch(/^http:\/\/localhost:\d+\/account\/invitations\/[\w-]{43}$/);
    expect(made).toMatchObject({ role: 'admin', source: 'admin', invited_by: null });
    const second = await invite('other@example.test');
    const page = await api.client.call(workspaces.invitations, { params, query: { limit: 1 } });
    const cursor = page.next_cursor;
    const rest = await api.client.call(workspaces.invitations, { params, query: { cursor } });
    const listed = [...page.items, ...rest.items];
    expect(listed.map((one) => one.id).sort()).toEqual([made.id, second.id].sort());
    expect(JSON.stringify(listed)).not.toContain(url.split('/').at(-1));

    const one = { id, invitation_id: made.id };
    expect(await api.client.call(workspaces.revokeInvitation, { params: one })).toEqual(made);
    expect((await fetch(url)).status).toBe(404);
    await expect(api.client.call(workspaces.revokeInvitation, { params: one })).rejects.toThrow();
    for (const type of ['workspace_invitation_created', 'workspace_invitation_revoked']) {
      const events = await api.audited(type);
      expect(events.find(({ detail }) => detail.email === 'new@example.test')).toMatchObject({
        ...{ actor_kind: 'admin', detail: { workspace_id: id, invitation_id: made.id } },
      });
    }
  });

  test('MUST NOT be taken back under another workspace, nor be for a member or no address', async () => {
    const [{ id }, other] = [await make({ slug: 'team' }), await make({ slug: 'else' })];
    await add(id, { user_id: bobId });
    const invite = (email: string) =>
      api.client.call(workspaces.invite, { params: { id }, body: { email } });
    const { id: invitation_id } = await invite('new@example.test');
    const params = { id: other.id, invitation_id };
    await expect(api.client.call(workspaces.revokeInvitation, { params })).rejects.toMatchObject({
      status: 404,
    });
    await expect(invite(bob.email)).rejects.toMatchObject({ status: 409 });
    await expect(invite('nobody')).rejects.toMatchObject({ status: 400 });
  });
});
