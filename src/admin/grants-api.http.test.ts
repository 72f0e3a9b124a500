import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { refused } from '../provider/answers.testing.ts';
import { good, refresh, type Tokens, tokens } from '../provider/flow.testing.ts';
import { alice, bob } from '../provider/server.testing.ts';
import {
  exchanged,
  introspect,
  mine,
  src,
  startExchange,
  subjectToken,
  tokenOf,
} from '../provider/token-exchange.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { grants, trustedIssuers } from './contract/index.ts';

let api: TestApi;
let own: Tokens;
beforeAll(async () => {
  api = await startApi({
    start: startExchange,
    extra: 'trusted_issuers: [{ issuer: "https://idp.test", jwks_uri: "https://idp.test/jwks" }]',
  });
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.server.db.kysely.deleteFrom('grants').execute();
  own = await subjectToken(api.server);
});

const list = async (query: object = {}) => {
  const rows = [];
  for await (const row of api.client.each(grants.list, query)) rows.push(row);
  return rows;
};
const only = async (query: object = {}) => {
  const [row, ...more] = await list(query);
  if (!row || more.length > 0) throw new Error('not one grant');
  return row;
};
const revoke = (id: string) => api.client.call(grants.revoke, { params: { id } });

describe('looking', () => {
  test('shows who allowed which client what, where and since when', async () => {
    expect(await only()).toMatchObject({
      sub: expect.stringMatching(/^usr_/),
      username: alice.email,
      client_id: 'PUB',
      client_name: 'Public client',
      resource: src,
      scope: 's:write',
      workspace_id: null,
      status: 'active',
      revoked_at: null,
    });
  });

  test('by client, person, resource, status and beginning, page by page', async () => {
    await tokens(api.server, good(), { person: bob });
    await tokenOf(api.server, 'TOOL', { resource: src, scope: 's:read' });
    const clients = async (query: object) =>
      (await list({ limit: 1, ...query })).map(({ client_id: client }) => client).toSorted();
    expect(await clients({})).toEqual(['PUB', 'PUB', 'TOOL']);
    expect(await clients({ sort: 'created_at' })).toEqual(['PUB', 'PUB', 'TOOL']);
    expect(await clients({ client_id: 'TOOL' })).toEqual(['TOOL']);
    expect(await clients({ resource: src })).toEqual(['PUB', 'TOOL']);
    expect(await clients({ q: 'BOB@' })).toEqual(['PUB']);
    expect(await clients({ q: 'public cl' })).toEqual(['PUB', 'PUB']);
    expect(await clients({ q: '%' })).toEqual([]);
    expect(await clients({ status: 'revoked' })).toEqual([]);
    const { sub } = await only({ q: 'bob@' });
    expect(await clients({ sub })).toEqual(['PUB']);
  });

  test('one whose tokens have all run out is expired', async () => {
    await api.server.db.kysely
      .updateTable('families')
      .set({ expires_at: new Date(0) })
      .execute();
    expect(await only({ status: 'expired' })).toMatchObject({ client_id: 'PUB' });
  });
});

describe('labels and groups', () => {
  const label = (id: string, text: string | null) =>
    api.client.call(grants.update, { params: { id }, body: { label: text } });

  test('a label is kept over the next approval, audited, and taken away again', async () => {
    const { id, client_id } = await only();
    expect(await label(id, 'CI <b>runner</b>')).toMatchObject({ label: 'CI <b>runner</b>' });
    await subjectToken(api.server);
    expect((await only({ q: id.toLowerCase() })).label).toBe('CI <b>runner</b>');
    expect(await label(id, null)).toMatchObject({ id, label: null });
    expect(await api.audited('grant_updated')).toMatchObject([
      { client_id, detail: { changes: [{ field: 'label', from: null }] } },
      { client_id, detail: { changes: [{ field: 'label', to: null }] } },
    ]);
    await expect(label('gr_unknown', 'x')).rejects.toMatchObject({ status: 404 });
  });

  test('are counted by client, person and resource, page by page; withdrawn ones are not', async () => {
    await tokens(api.server, good(), { person: bob });
    await tokenOf(api.server, 'TOOL', { resource: src, scope: 's:read' });
    const groups = async (by: 'client' | 'user' | 'resource') => {
      const found = [];
      for await (const row of api.client.each(grants.summary, { by, limit: 1 })) found.push(row);
      return found;
    };
    const counts = async (by: 'client' | 'user' | 'resource') =>
      Object.fromEntries((await groups(by)).map((row) => [row.name ?? row.id, row.grants]));
    expect(await counts('client')).toEqual({ 'Public client': 2, TOOL: 1 });
    expect(await counts('user')).toEqual({ [alice.email]: 2, [bob.email]: 1 });
    expect(Object.values(await counts('resource')).reduce((sum, n) => sum + n, 0)).toBe(3);
    await revoke((await only({ client_id: 'TOOL' })).id);
    expect(Object.keys(await counts('client'))).toEqual(['Public client']);
  });

  test.each(['by=sub', 'by=client&cursor=forged', ''])('refuses %s (AD08)', async (query) => {
    expect((await api.get(`/admin/api/grants/summary?${query}`)).status).toBe(400);
  });
});

describe('withdrawing', () => {
  test('many at once: what ended is told, and what is none is passed over', async () => {
    await tokens(api.server, good(), { person: bob });
    const ids = (await list()).map(({ id }) => id);
    const body = { ids: [...ids, ...ids, 'gr_unknown'] };
    const { revoked } = await api.client.call(grants.revokeMany, { body });
    expect(revoked.toSorted()).toEqual(ids.toSorted());
    expect(await api.client.call(grants.revokeMany, { body })).toEqual({ revoked: [] });
    expect(await list({ status: 'active' })).toEqual([]);
    expect((await introspect(api.server, own.access_token)).active).toBe(false);
    const tooMany = { ids: Array.from({ length: 201 }, (_, n) => `gr_${n}`) };
    expect((await api.post('/admin/api/grants/revoke', tooMany)).status).toBe(400);
  });

  test('MUST end every token under it at once, and the person is asked again', async () => {
    const { id } = await only();
    const { access_token: child } = await exchanged(api.server, own.access_token, { by: 'TOOL3' });
    expect(await revoke(id)).toMatchObject({
      id,
      status: 'revoked',
      revoked_at: expect.any(String),
    });
    for (const token of [own.access_token, child]) {
      expect((await introspect(api.server, token)).active).toBe(false);
    }
    await refused(await refresh(api.server, own.refresh_token), 400, 'invalid_grant');
    expect(await list({ status: 'active' })).toEqual([]);
  });

  test('what was exchanged under it MUST stay dead when it is approved again', async () => {
    const consented = { resource: mine, scope: 'm:read' };
    await tokenOf(api.server, 'TOOL', consented);
    const form = { resource: mine };
    const { access_token: token } = await exchanged(api.server, own.access_token, { form });
    const alive = async () => (await introspect(api.server, token, 'MINE')).active;
    expect(await alive()).toBe(true);
    await revoke((await only({ client_id: 'TOOL' })).id);
    expect(await alive()).toBe(false);
    await tokenOf(api.server, 'TOOL', consented);
    expect(await only({ client_id: 'TOOL' })).toMatchObject({ status: 'active' });
    expect(await alive()).toBe(false);
  });

  test('is audited once, under who did it (AD11)', async () => {
    const { id, sub } = await only();
    await revoke(id);
    await revoke(id);
    const events = await api.audited('consent_revoked');
    expect(events.filter(({ detail }) => JSON.stringify(detail).includes(id))).toMatchObject([
      {
        actor_kind: 'admin',
        actor_id: 'api_key',
        client_id: 'PUB',
        user_id: sub,
        resource: src,
        detail: { grant_id: id, reason: 'operator', families: 1 },
      },
    ]);
  });

  test('an unknown grant is 404', async () => {
    expect((await api.post('/admin/api/grants/gr_unknown/revoke', {})).status).toBe(404);
  });
});

test('trusted issuers are listed, without their keys', async () => {
  const { items } = await api.client.call(trustedIssuers.list);
  expect(items).toMatchObject([
    {
      issuer: 'https://idp.test',
      jwks_uri: 'https://idp.test/jwks',
      clients: null,
      resources: null,
      scopes: null,
      subject: 'automatic',
      enabled: true,
      source: 'config',
    },
  ]);
});
