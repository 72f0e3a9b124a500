import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashId } from '../db/index.ts';
import { isActive } from '../provider/answers.testing.ts';
import { alice, bob, rs1, rs2, webSecret } from '../provider/server.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { issuances, tokens } from './contract/index.ts';

const day = 86_400;
const path = '/admin/api/tokens';
const shapes = `
  - slug: bound
    uri: https://bound.test/mcp
    display_name: Bound server
    dpop: required
    scopes: [{ name: "bound:use" }]
  - slug: limited
    uri: https://limited.test/mcp
    display_name: Limited server
    scopes: [{ name: "l:read" }, { name: "l:admin" }]
    access: [{ users: ["${alice.email}"], scopes: ["l:read"] }]`;

let api: TestApi;
let ids: Map<string, string>;
beforeAll(async () => {
  api = await startApi({ resources: shapes });
  const people = await api.server.db.kysely.selectFrom('users').select(['id', 'email']).execute();
  ids = new Map(people.map(({ id, email }) => [email, id]));
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.server.db.kysely.deleteFrom('issuances').execute();
});

const idOf = ({ email }: { email: string }) => ids.get(email) ?? '';
const good = () => ({ sub: idOf(alice), name: 'CI', resource: rs1, scope: 'mcp:read' });
const make = (change: object = {}) =>
  api.client.call(tokens.create, { body: { ...good(), ...change } });

describe('making one', () => {
  test('answers 201 with the value, which works, and is in no other answer', async () => {
    const { status, json } = await api.post(path, { ...good(), expires_in: 7 * day });
    expect(status).toBe(201);
    expect(json).toMatchObject({
      id: hashId(json.token),
      sub: idOf(alice),
      username: alice.email,
      name: 'CI',
      resource: rs1,
      scope: 'mcp:read',
      status: 'active',
      revoked_at: null,
      last_used_at: null,
    });
    expect(json.token).toMatch(/^as_pat_/);
    expect(Date.parse(json.expires_at) - Date.parse(json.created_at)).toBe(7 * day * 1000);
    expect(await isActive(api.server, json.token, webSecret)).toBe(true);
    for (const other of [path, `${path}/${json.id}`, `/admin/api/issuances/${json.id}`]) {
      const answer = await api.get(other);
      expect(answer.body).toContain(json.id);
      expect(answer.body).not.toContain(json.token);
    }
    expect(api.server.logged()).not.toContain(json.token);
  });

  test('is audited under who did it, without the value (AD11)', async () => {
    const { id, token } = await make();
    const events = await api.audited('token_issued');
    expect(events.at(-1)).toMatchObject({
      actor_kind: 'admin',
      actor_id: 'api_key',
      user_id: idOf(alice),
      resource: rs1,
      detail: { jti: id, kind: 'personal_access_token' },
    });
    expect(JSON.stringify(events)).not.toContain(token);
  });

  test.each([
    [
      'a scope above the ceiling',
      { resource: 'https://limited.test/mcp', scope: 'l:admin' },
      'invalid_scope',
    ],
    ['an unknown scope', { scope: 'mcp:read nope' }, 'invalid_scope'],
    ['a scope of another resource', { resource: rs2 }, 'invalid_scope'],
    ['an unknown resource', { resource: 'https://nowhere.test/mcp' }, 'invalid_target'],
    [
      'a resource that wants DPoP',
      { resource: 'https://bound.test/mcp', scope: 'bound:use' },
      'invalid_target',
    ],
    ['an unknown person', { sub: 'usr_nobody' }, 'invalid_request'],
    ['an e-mail address as sub', { sub: alice.email }, 'invalid_request'],
    ['an expiry beyond the maximum', { expires_in: 10_000 * day }, 'invalid_request'],
    ['an expiry of no whole seconds', { expires_in: 60.5 }, 'invalid_request'],
    ['a negative expiry', { expires_in: -1 }, 'invalid_request'],
    ['an expiry as text', { expires_in: '60' }, 'invalid_request'],
    ['no name', { name: '' }, 'invalid_request'],
    ['a name that shows nothing', { name: ' \u200b ' }, 'invalid_request'],
  ])('MUST be refused for %s (TK12)', async (_what, change, error) => {
    const { status, json } = await api.post(path, { ...good(), ...change });
    expect({ status, json }).toMatchObject({ status: 400, json: { error } });
    expect((await api.client.call(tokens.list)).items).toEqual([]);
  });

  test('MUST be refused for a disabled person', async () => {
    const { accounts } = api.server.app.rooms;
    await accounts.disable(idOf(bob), { at: api.server.now() });
    const { status, json } = await api.post(path, { ...good(), sub: idOf(bob) });
    expect({ status, json }).toMatchObject({ status: 400, json: { error: 'access_denied' } });
    await accounts.enable(idOf(bob), { at: api.server.now() });
  });
});

describe('looking', () => {
  test('lists newest first, page by page, by person and by status', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await make({ name, ...(name === 'c' && { sub: idOf(bob) }) });
    const shown: string[] = [];
    for await (const { name } of api.client.each(tokens.list, { limit: 2 })) shown.push(name);
    expect(shown).toEqual(names.toReversed());
    const { items } = await api.client.call(tokens.list, { query: { sub: idOf(bob) } });
    expect(items.map(({ name }) => name)).toEqual(['c']);
    const active = await api.client.call(tokens.list, { query: { status: 'revoked' } });
    expect(active.items).toEqual([]);
  });

  test('is in the list of what was issued too', async () => {
    const { id } = await make();
    const query = { kind: 'personal_access_token', sub: idOf(alice) } as const;
    const { items } = await api.client.call(issuances.list, { query });
    expect(items).toMatchObject([{ id, client_id: null, username: alice.email, status: 'active' }]);
  });
});

describe('ending one', () => {
  test('MUST work at once, is audited, and may be repeated', async () => {
    const { id, token } = await make();
    const before = (await api.audited('token_revoked')).length;
    const ended = await api.client.call(tokens.revoke, { params: { id } });
    expect(ended).toMatchObject({ id, status: 'revoked', revoked_at: expect.any(String) });
    expect(await isActive(api.server, token, webSecret)).toBe(false);
    await api.client.call(tokens.revoke, { params: { id } });
    expect((await api.audited('token_revoked')).slice(before)).toMatchObject([
      { actor_kind: 'admin', actor_id: 'api_key', user_id: idOf(alice), detail: { jti: id } },
    ]);
  });

  test('by its issuance is the same', async () => {
    const { id, token } = await make();
    await api.client.call(issuances.revoke, { params: { id } });
    expect(await isActive(api.server, token, webSecret)).toBe(false);
    expect(await api.client.call(tokens.get, { params: { id } })).toMatchObject({
      status: 'revoked',
    });
  });

  test('only ends personal access tokens: another issuance is unknown here', async () => {
    await make();
    expect((await api.post(`${path}/unknown/revoke`, {})).status).toBe(404);
  });
});
