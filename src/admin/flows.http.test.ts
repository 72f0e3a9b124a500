import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { authorizeUrl, good, tokens } from '../provider/flow.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';

const boards = 'https://boards.test/mcp';
let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  const scopes = [{ name: 'boards:read', description: 'Read boards', implies: [] }];
  const made = await api.post('/admin/api/resources', { slug: 'boards', uri: boards, scopes });
  expect(made.status).toBe(201);
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.server.app.rooms.flows.flush();
  await api.server.db.kysely.deleteFrom('flows').execute();
  api.server.advance(3600);
});

const ask = (changes: Parameters<typeof good>[0]) =>
  fetch(authorizeUrl(api.server, good(changes)), { redirect: 'manual' });
const list = async (query = '') => (await api.get(`/admin/api/flows${query}`)).json;
async function only() {
  const { items } = await list();
  expect(items).toHaveLength(1);
  return (await api.get(`/admin/api/flows/${items[0].id}`)).json;
}
async function fix(kind: string) {
  const flow = await only();
  const found = flow.fixes.find((one: { kind: string }) => one.kind === kind);
  expect(found, JSON.stringify(flow.fixes)).toBeDefined();
  return api.post(`/admin/api/flows/${flow.id}/fix`, { fix: found.id });
}

async function newClient(members: object) {
  const { json, status } = await api.post('/admin/api/clients', {
    redirect_uris: ['https://app.test/cb'],
    token_endpoint_auth_method: 'none',
    ...members,
  });
  expect(status, JSON.stringify(json)).toBe(201);
  return { client_id: json.client_id, redirect_uri: 'https://app.test/cb' };
}

test('a flow shows every step of an authorization in order', async () => {
  await tokens(api.server);
  const flow = await only();
  expect(flow).toMatchObject({ status: 'succeeded', username: 'alice@example.test', fixes: [] });
  expect(flow.resource_name).toBe('First server');
  expect(flow.steps.map((one: { name: string; state: string }) => [one.name, one.state])).toEqual([
    ['resource_metadata', 'skipped'],
    ['server_metadata', 'skipped'],
    ['client', 'ok'],
    ['authorize', 'ok'],
    ['sign_in', 'ok'],
    ['consent', 'ok'],
    ['token', 'ok'],
    ['first_call', 'waiting'],
  ]);
});

describe('a fix makes the next attempt get further', () => {
  test('by an alias of the resource', async () => {
    const changes = { resource: `${boards}/v2`, scope: 'boards:read' };
    expect((await ask(changes)).headers.get('location')).toContain('invalid_target');
    const { json, status } = await fix('add_alias');
    expect(status).toBe(200);
    expect(json.fixes).toEqual([]);
    expect((await ask(changes)).headers.get('location')).toContain('/login/');
    const [event] = await api.audited('resource_updated');
    expect(event).toMatchObject({ actor_kind: 'admin', resource: boards });
  });

  test('by a scope of the resource', async () => {
    const changes = { resource: boards, scope: 'boards:admin' };
    expect((await ask(changes)).headers.get('location')).toContain('invalid_scope');
    expect((await fix('add_scope')).status).toBe(200);
    expect((await ask(changes)).headers.get('location')).toContain('/login/');
  });

  test('by the ceiling of the client', async () => {
    const client = await newClient({ scope: 'mcp:read' });
    const changes = { ...client, resource: boards, scope: 'boards:read' };
    expect((await ask(changes)).headers.get('location')).toContain('invalid_scope');
    expect((await fix('allow_scope')).status).toBe(200);
    expect((await ask(changes)).headers.get('location')).toContain('/login/');
  });

  test('by the resources of the client', async () => {
    const client = await newClient({ resources: ['https://rs1.test/mcp'] });
    const changes = { ...client, resource: boards, scope: 'boards:read' };
    expect((await ask(changes)).headers.get('location')).toContain('invalid_target');
    expect((await fix('allow_resource')).status).toBe(200);
    expect((await ask(changes)).headers.get('location')).toContain('/login/');
  });

  test('by a redirect URI of a client that an operator made', async () => {
    const client = await newClient({});
    const changes = { ...client, redirect_uri: 'https://app.test/other' };
    expect((await ask(changes)).status).toBe(400);
    expect((await fix('allow_redirect')).status).toBe(200);
    expect((await ask(changes)).headers.get('location')).toContain('/login/');
  });

  test('by resuming the client', async () => {
    const client = await newClient({});
    await api.post(`/admin/api/clients/${client.client_id}/suspend`, {});
    api.server.advance(2);
    expect((await ask(client)).status).toBe(400);
    expect((await fix('resume_client')).status).toBe(200);
    expect((await ask(client)).headers.get('location')).toContain('/login/');
  });
});

test('what the configuration declares is not changed by a button, which says where to change it', async () => {
  await ask({ resource: 'https://rs1.test/mcp/v2' });
  const flow = await only();
  expect(flow.fixes[0]).toMatchObject({ kind: 'add_alias', value: 'https://rs1.test/mcp/v2' });
  expect(flow.fixes[0].blocked).toContain('configuration');
  const refused = await api.post(`/admin/api/flows/${flow.id}/fix`, { fix: flow.fixes[0].id });
  expect(refused.status).toBe(409);
  expect(refused.json.error_description).toBe(flow.fixes[0].blocked);
});

test('a fix that is none of the flow is refused', async () => {
  await ask({ client_id: 'nobody' });
  const flow = await only();
  expect(flow.fixes).toEqual([]);
  const refused = await api.post(`/admin/api/flows/${flow.id}/fix`, { fix: 'add_alias:rs1' });
  expect(refused.status).toBe(409);
});

test('flows are found by filter, by prefix and by any of their trace ids', async () => {
  await ask({ resource: `${boards}/other` });
  await ask({ client_id: 'someone' });
  await tokens(api.server);
  const ids = async (query: string) =>
    (await list(query)).items.map((one: { client_id: string }) => one.client_id);
  expect(await ids('')).toEqual(['PUB', 'someone', 'PUB']);
  expect(await ids('?sort=created_at&limit=2')).toEqual(['PUB', 'someone']);
  expect(await ids('?status=failed')).toEqual(['someone', 'PUB']);
  expect(await ids('?status=succeeded')).toEqual(['PUB']);
  expect(await ids('?error=invalid_client')).toEqual(['someone']);
  expect(await ids('?failed_step=authorize')).toEqual(['PUB']);
  expect(await ids('?client_id=PUB&status=failed')).toEqual(['PUB']);
  expect(await ids('?q=SOME')).toEqual(['someone']);
  expect(await ids('?q=public%20c')).toEqual(['PUB', 'PUB']);
  expect(await ids('?q=127.0.0.1')).toHaveLength(3);
  expect(await ids('?q=%25')).toEqual([]);
  const [succeeded] = (await list('?status=succeeded')).items;
  const whole = (await api.get(`/admin/api/flows/${succeeded.id}`)).json;
  for (const trace of whole.trace_ids) {
    expect((await list(`?trace_id=${trace.toLowerCase()}`)).items).toHaveLength(1);
  }
  const { next_cursor: cursor } = await list('?limit=2');
  expect(await ids(`?limit=2&cursor=${cursor}`)).toEqual(['PUB']);
  const before = new Date(api.server.now().getTime() - 60_000).toISOString();
  expect(await ids(`?from=${before}`)).toHaveLength(3);
  expect(await ids(`?to=${before}`)).toEqual([]);
});

test('an attempt that was left is abandoned after half an hour, at the step where it stands', async () => {
  await ask({});
  expect((await list()).items[0]).toMatchObject({ status: 'open', failed_step: null });
  api.server.advance(31 * 60);
  const left = { status: 'abandoned', failed_step: 'sign_in' };
  expect((await list('?status=abandoned')).items[0]).toMatchObject(left);
  expect((await list('?status=open')).items).toEqual([]);
});

test('a registration shows the compatibility rules that helped the client', async () => {
  const response = await fetch(`${api.server.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Some app', redirect_uris: ['http://localhost:1/cb'] }),
  });
  const { client_id } = JSON.parse(await response.text());
  await ask({ client_id, redirect_uri: 'http://localhost:5555/cb' });
  const flow = await only();
  const client = flow.steps.find((one: { name: string }) => one.name === 'client');
  const names = client.rules.map((one: { name: string }) => one.name);
  expect(names).toContain('native-when-loopback');
  expect(client.rules[0].reason).toBeTruthy();
});
