import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { apiKey, bearer, startApi, type TestApi } from './api.testing.ts';
import { AdminCallError, createAdminClient } from './client.ts';
import { apiKeys, type Permission, users } from './contract/index.ts';

const password = 'a long enough password';

let api: TestApi;
let operator: ReturnType<typeof createAdminClient>;
beforeAll(async () => {
  api = await startApi();
  operator = clientOf(await keyOf('operator'));
});
afterAll(() => api.close());

async function keyOf(role: Permission): Promise<string> {
  return (await api.client.call(apiKeys.create, { body: { name: role, role } })).key;
}

function clientOf(key: string) {
  return createAdminClient({ origin: api.origin, apiKey: key });
}

let count = 0;
function add(person: { role?: Permission; name?: string; groups?: string[] } = {}) {
  count += 1;
  return api.client.call(users.create, {
    body: { email: `Person${count}@Example.test`, password, ...person },
  });
}

const refusedWith = (status: number, text = '') =>
  expect.objectContaining({ status, message: expect.stringContaining(text) });

describe('people', () => {
  it('are made with a password, found, and shown with everything but that', async () => {
    const made = await add({ name: 'Ada Lovelace', groups: ['math'], role: 'viewer' });
    expect(made).toMatchObject({
      ...{ name: 'Ada Lovelace', groups: ['math'], role: 'viewer', status: 'active' },
      ...{ has_password: true, invite: null, source: 'admin', sessions: 0, locked_until: null },
      ...{ identities: [], workspaces: [] },
    });
    const { invite: _, ...detail } = made;
    expect(await api.client.call(users.get, { params: { id: made.id } })).toEqual(detail);
    const { body } = await api.send(`/admin/api/users/${made.id}`, { headers: bearer(apiKey) });
    expect(body).not.toMatch(/argon|password_hash|hash"/);
    expect(await api.audited('user_created')).toContainEqual(
      expect.objectContaining({ user_id: made.id, actor_kind: 'admin', actor_id: 'api_key' }),
    );
  });

  it.each([
    ['the beginning of an address, in another case', 'PERSON', 2],
    ['the beginning of a name', 'ada l', 1],
    ['nothing like a pattern', '%', 0],
    ['nothing like a pattern', '_', 0],
    ['a statement', "'; drop table users--", 0],
  ])('are found by %s (AD08)', async (_what, q, least) => {
    await add();
    const { items } = await api.client.call(users.list, { query: { q } });
    if (least === 0) expect(items).toEqual([]);
    else expect(items.length).toBeGreaterThanOrEqual(least);
  });

  it('are found by id, and by their filters', async () => {
    const { id } = await add({ role: 'operator', groups: ['ops', 'night shift'] });
    const find = async (query: z.input<(typeof users.list)['query']>) =>
      (await api.client.call(users.list, { query })).items.map((one) => one.id);
    expect(await find({ q: id.slice(0, 12).toUpperCase() })).toEqual([id]);
    expect(await find({ group: 'night shift' })).toEqual([id]);
    expect(await find({ role: 'operator' })).toEqual([id]);
    expect(await find({ role: 'none' })).not.toContain(id);
    expect(await find({ status: 'disabled' })).toEqual([]);
  });

  it.each(['-created_at', 'created_at', 'email', '-email'] as const)(
    'are listed by %s, page by page, nobody twice and nobody left out',
    async (sort) => {
      const all = await api.client.call(users.list, { query: { sort, limit: 200 } });
      const paged = [];
      for await (const row of api.client.each(users.list, { sort, limit: 2 })) paged.push(row.id);
      expect(paged).toEqual(all.items.map((row) => row.id));
      expect(new Set(paged).size).toBe(paged.length);
      const other = sort === 'email' ? '-email' : 'email';
      const first = await api.client.call(users.list, { query: { sort, limit: 1 } });
      const mixed = { sort: other, cursor: first.next_cursor } as const;
      await expect(api.client.call(users.list, { query: mixed })).rejects.toEqual(refusedWith(400));
    },
  );

  it('are changed by what is sent and nothing else, if nobody else has changed them (AD06)', async () => {
    const { id, version } = await add();
    const params = { id };
    const body = { name: 'New name', groups: ['a'] };
    const changed = await api.client.call(users.update, { params, body });
    expect(changed).toMatchObject({ ...body, role: null });
    expect(changed.version).not.toBe(version);
    const stale = await api.send(`/admin/api/users/${id}`, {
      method: 'PATCH',
      headers: {
        ...bearer(apiKey),
        'content-type': 'application/json',
        'if-match': `"${version}"`,
      },
      body: '{"name":"Other"}',
    });
    expect(stale.status).toBe(412);
    for (const member of ['id', 'email', 'password_hash', 'status', 'source', 'created_at']) {
      const answer = await api.send(`/admin/api/users/${id}`, {
        method: 'PATCH',
        headers: { ...bearer(apiKey), 'content-type': 'application/json' },
        body: JSON.stringify({ [member]: 'x' }),
      });
      expect(answer.status).toBe(400);
    }
    expect(await api.client.call(users.get, { params })).toEqual(changed);
  });

  it('are disabled, enabled, signed out and unlocked, each with an audit event', async () => {
    const { id, email } = await add();
    const params = { id };
    expect(await operator.call(users.disable, { params })).toMatchObject({ status: 'disabled' });
    expect(await operator.call(users.enable, { params })).toMatchObject({ status: 'active' });
    expect(await operator.call(users.signOut, { params })).toMatchObject({ sessions: 0 });
    const { authenticate } = api.server.app.rooms.accounts;
    for (let tries = 0; tries < 11; tries += 1) {
      await authenticate({
        email,
        password: 'wrong',
        meta: { at: api.server.now(), ip: '192.0.2.9' },
      });
    }
    expect(await operator.call(users.get, { params })).toMatchObject({
      locked_until: expect.any(String),
    });
    expect(await operator.call(users.unlock, { params })).toMatchObject({ locked_until: null });
    for (const type of ['user_disabled', 'user_enabled', 'user_unlocked']) {
      expect(await api.audited(type)).toContainEqual(
        expect.objectContaining({ user_id: id, actor_kind: 'admin' }),
      );
    }
  });

  it('that there are not answer 404 to every verb', async () => {
    for (const route of [users.get, users.disable, users.enable, users.signOut, users.unlock]) {
      await expect(api.client.call(route, { params: { id: 'usr_nobody' } })).rejects.toEqual(
        refusedWith(404),
      );
    }
  });
});

describe('an operator', () => {
  it('MUST NOT do anything to an owner: not even a link that would take the account over', async () => {
    const { id } = await add({ role: 'owner' });
    const params = { id };
    for (const route of [users.disable, users.enable, users.signOut, users.unlock]) {
      await expect(operator.call(route, { params })).rejects.toEqual(refusedWith(403));
    }
    for (const route of [users.resetLink, users.invite]) {
      await expect(operator.call(route, { params })).rejects.toEqual(refusedWith(403));
    }
    await expect(operator.call(users.update, { params, body: { name: 'x' } })).rejects.toEqual(
      refusedWith(403),
    );
    const links = await api.server.db.kysely
      .selectFrom('one_time_links')
      .select('purpose')
      .where('subject', '=', id)
      .execute();
    expect(links).toEqual([]);
  });

  it('MUST NOT give or take a role, not their own kind either', async () => {
    const { id } = await add();
    const viewer = await add({ role: 'viewer' });
    const body = { email: 'new@example.test', password };
    for (const role of ['viewer', 'operator', 'owner'] as const) {
      await expect(operator.call(users.create, { body: { ...body, role } })).rejects.toEqual(
        refusedWith(403, 'Only an owner'),
      );
      await expect(operator.call(users.update, { params: { id }, body: { role } })).rejects.toEqual(
        refusedWith(403, 'Only an owner'),
      );
    }
    await expect(
      operator.call(users.update, { params: { id: viewer.id }, body: { role: null } }),
    ).rejects.toEqual(refusedWith(403));
    const same = { params: { id: viewer.id }, body: { role: 'viewer', name: 'V' } } as const;
    expect(await operator.call(users.update, same)).toMatchObject({ role: 'viewer', name: 'V' });
  });

  it('cannot use a link to somebody who got a role after it was made', async () => {
    const made = await operator.call(users.create, { body: { email: 'rising@example.test' } });
    const token = made.invite?.url.split('#')[1] ?? '';
    await api.client.call(users.update, { params: { id: made.id }, body: { role: 'owner' } });
    const { redeem } = api.server.app.rooms.accounts.passwordLinks;
    await expect(redeem({ token, password }, { at: api.server.now() })).rejects.toMatchObject({
      field: 'token',
    });
  });
});

it('the last owner can neither be demoted nor disabled, by nobody', async () => {
  const { items } = await api.client.call(users.list, { query: { role: 'owner' } });
  const [last, ...others] = items;
  const id = last?.id ?? (await add({ role: 'owner' })).id;
  for (const other of others) {
    await api.client.call(users.disable, { params: { id: other.id } });
  }
  await expect(
    api.client.call(users.update, { params: { id }, body: { role: null } }),
  ).rejects.toEqual(refusedWith(409, 'last owner'));
  await expect(api.client.call(users.disable, { params: { id } })).rejects.toEqual(
    refusedWith(409, 'last owner'),
  );
  const second = await add({ role: 'owner' });
  const both = await Promise.allSettled(
    [id, second.id].map((one) => api.client.call(users.disable, { params: { id: one } })),
  );
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
});

describe('API keys', () => {
  it('show their value once, begin with as_key_, and are kept as a hash only (AD05)', async () => {
    const { key, ...made } = await api.client.call(apiKeys.create, {
      body: { name: 'Deploy', role: 'operator', expires_in: 3600 },
    });
    expect(key).toMatch(/^as_key_[0-9A-Za-z]{49}$/);
    expect(made).toMatchObject({
      ...{ id: expect.stringMatching(/^key_/), name: 'Deploy', role: 'operator' },
      ...{ status: 'active', prefix: key.slice(0, 13), created_by: 'api_key' },
    });
    const stored = await api.server.db.kysely.selectFrom('api_keys').selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain(key);
    expect(await api.client.call(apiKeys.get, { params: { id: made.id } })).toEqual(made);
    expect(JSON.stringify(await api.audited('api_key_created'))).not.toContain(key.slice(13));
    expect(api.server.logged()).not.toContain(key);
    for (const q of ['deploy', made.id.toLowerCase(), key.slice(0, 10)]) {
      const { items } = await api.client.call(apiKeys.list, { query: { q } });
      expect(items.map(({ id }) => id)).toContain(made.id);
    }
  });

  it('end when they are revoked or have expired, and each end is recorded once', async () => {
    const { key, id } = await api.client.call(apiKeys.create, {
      body: { name: 'short', role: 'viewer' },
    });
    expect(await clientOf(key).call(users.list, {})).toHaveProperty('items');
    const revoked = await api.client.call(apiKeys.revoke, { params: { id } });
    expect(revoked).toMatchObject({ status: 'revoked' });
    expect(await api.client.call(apiKeys.revoke, { params: { id } })).toEqual(revoked);
    await expect(clientOf(key).call(users.list, {})).rejects.toBeInstanceOf(AdminCallError);
    const events = (await api.audited('api_key_revoked')).filter(
      ({ detail }) => Reflect.get(Object(detail), 'key_id') === id,
    );
    expect(events).toHaveLength(1);
  });

  it('record who made them, and who did what with them', async () => {
    const owner = await api.client.call(apiKeys.create, { body: { name: 'o', role: 'owner' } });
    const { key, ...made } = await clientOf(owner.key).call(apiKeys.create, {
      body: { name: 'child', role: 'viewer' },
    });
    expect(key).toBeTruthy();
    expect(made.created_by).toBe(owner.id);
    expect((await api.audited('api_key_created')).at(-1)).toMatchObject({
      ...{ actor_kind: 'admin', actor_id: owner.id },
    });
  });

  it('MUST NOT be made by less than an owner', async () => {
    for (const role of ['viewer', 'operator', 'owner'] as const) {
      await expect(operator.call(apiKeys.create, { body: { name: 'x', role } })).rejects.toEqual(
        refusedWith(403),
      );
    }
  });
});
