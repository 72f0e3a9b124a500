import { afterAll, beforeAll, expect, it } from 'vitest';
import { alice, bob } from '../provider/server.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { tokens } from './contract/index.ts';
import { type SignedInBrowser, signInAs } from './sign-in.testing.ts';

const spaces = 'https://spaces.test/mcp';
const person = { email: 'space@example.test', password: 'a long enough password' };
const scoped = `
  - slug: spaces
    uri: ${spaces}
    display_name: Server with workspaces
    workspace_scoped: true
    scopes: [{ name: "space:use", description: Use a workspace }]`;

let api: TestApi;
let browser: SignedInBrowser;
const own = new Set<string>();
const foreign = new Set<string>();
let ownId = '';
let foreignId = '';

beforeAll(async () => {
  api = await startApi({ resources: scoped });
  const { accounts, workspaces } = api.server.app.rooms;
  const meta = { at: api.server.now() };
  await accounts.create({ ...person, source: 'admin' }, meta);
  ownId = (await workspaces.create({ slug: 'own', name: 'Own', source: 'admin' }, meta)).id;
  foreignId = (await workspaces.create({ slug: 'other', name: 'Other', source: 'admin' }, meta)).id;
  for (const [workspaceId, email, role, into] of [
    [ownId, person.email, 'admin', own],
    [ownId, alice.email, 'member', own],
    [foreignId, bob.email, 'admin', foreign],
    [foreignId, person.email, 'member', foreign], // a member of it, but no admin
  ] as const) {
    const member = { workspaceId, role, source: 'admin', who: { email } } as const;
    const { userId } = await workspaces.addMember(member, meta);
    await fill(userId, workspaceId, into);
  }
  await fill((await accounts.findByEmail(alice.email))?.id ?? '', '', foreign);
  browser = await signInAs(api.send, person);
});
afterAll(() => api.close());

let count = 0;
/** A grant, a token under it, and a personal access token. */
async function fill(userId: string, workspaceId: string, into: Set<string>): Promise<void> {
  const { kysely } = api.server.db;
  const at = api.server.now();
  count += 1;
  const grant = `gr_${count}`;
  const times = { created_at: at, updated_at: at };
  await kysely
    .insertInto('grants')
    .values({
      ...{ id: grant, user_id: userId, client_id: 'PUB', resource: spaces, ...times },
      ...{ scopes: ['space:use'], offered_scopes: ['space:use'], redirect_host: '127.0.0.1' },
      workspace_id: workspaceId,
    })
    .execute();
  const expires = new Date(at.getTime() + 3_600_000);
  await kysely
    .insertInto('issuances')
    .values({
      ...{ jti: `jti_${count}`, kind: 'access_token', grant_type: 'authorization_code' },
      ...{ grant_id: grant, client_id: 'PUB', sub: userId, resource: spaces },
      ...{ scope: 'space:use', token_type: 'Bearer', workspace_id: workspaceId || null },
      ...{ issued_at: at, expires_at: expires },
    })
    .execute();
  into.add(grant).add(`jti_${count}`);
  if (!workspaceId) return;
  const body = { sub: userId, name: 'CI', resource: spaces, scope: 'space:use' };
  const made = await api.client.call(tokens.create, {
    body: { ...body, workspace_id: workspaceId },
  });
  into.add(made.id);
}

async function get(path: string) {
  const answer = await api.send(`/admin/api${path}`, { headers: { cookie: browser.cookie } });
  return { status: answer.status, json: JSON.parse(answer.body) };
}

async function idsIn(path: string): Promise<string[]> {
  const { status, json } = await get(path);
  expect(status).toBe(200);
  return json.items.map(({ id }: { id: string }) => id).toSorted();
}

const beginning = (ids: Set<string>, start: string) =>
  [...ids].filter((id) => id.startsWith(start)).toSorted();

it('an admin of a workspace is told which they are, and has no other role', async () => {
  expect((await get('/session')).json).toMatchObject({
    role: 'workspace',
    workspaces: [{ id: ownId, slug: 'own', name: 'Own' }],
  });
});

it('MUST see in every list what belongs to their workspaces, and nothing else', async () => {
  expect(await idsIn('/workspaces')).toEqual([ownId]);
  expect(await idsIn('/grants')).toEqual(beginning(own, 'gr_'));
  expect(await idsIn('/grants?client_id=PUB&sort=created_at')).toEqual(beginning(own, 'gr_'));
  const pats = [...own].filter((id) => !id.startsWith('gr_') && !id.startsWith('jti_')).toSorted();
  expect(await idsIn('/tokens')).toEqual(pats);
  expect(await idsIn('/issuances')).toEqual([...beginning(own, 'jti_'), ...pats].toSorted());
  expect(await idsIn('/issuances?q=jti_&status=active')).toEqual(beginning(own, 'jti_'));
  expect(await idsIn(`/workspaces/${ownId}/members`)).toHaveLength(2);
});

it('MUST find nothing else by its id, neither to read nor to change (AD07)', async () => {
  for (const id of own) {
    const noun = id.startsWith('gr_') ? 'grants' : 'issuances';
    expect(await get(`/${noun}/${id}`)).toMatchObject({ status: 200, json: { id } });
  }
  const events = async () =>
    (await api.audited('consent_revoked')).length + (await api.audited('token_revoked')).length;
  const before = await events();
  const headers = {
    cookie: browser.cookie,
    'x-csrf-token': browser.csrf,
    'content-type': 'application/json',
  };
  for (const id of foreign) {
    for (const noun of ['grants', 'issuances', 'tokens']) {
      expect(await get(`/${noun}/${id}`)).toMatchObject({ status: 404 });
      const revoke = { method: 'POST', headers, body: '{}' };
      const { status } = await api.send(`/admin/api/${noun}/${id}/revoke`, revoke);
      expect([403, 404]).toContain(status);
    }
  }
  const many = await api.send('/admin/api/grants/revoke', {
    ...{ method: 'POST', headers },
    body: JSON.stringify({ ids: beginning(foreign, 'gr_') }),
  });
  expect(JSON.parse(many.body)).toEqual({ revoked: [] });
  expect(await get(`/workspaces/${foreignId}`)).toMatchObject({ status: 404 });
  expect(await get(`/workspaces/${foreignId}/members`)).toMatchObject({ status: 404 });
  expect(await events()).toBe(before);
});

it('MUST lose it with the membership, at once', async () => {
  const { accounts, workspaces } = api.server.app.rooms;
  const user = await accounts.findByEmail(person.email);
  const member = { workspaceId: ownId, userId: user?.id ?? '' };
  await workspaces.setRole({ ...member, role: 'member' }, { at: api.server.now() });
  expect(await get('/grants')).toMatchObject({ status: 401 });
});
