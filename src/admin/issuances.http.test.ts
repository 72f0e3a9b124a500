import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashId } from '../db/index.ts';
import { refused } from '../provider/answers.testing.ts';
import { refresh, type Tokens } from '../provider/flow.testing.ts';
import { alice } from '../provider/server.testing.ts';
import {
  exchange,
  exchanged,
  introspect,
  machineToken,
  opaque,
  src,
  startExchange,
  subjectToken,
} from '../provider/token-exchange.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { issuances } from './contract/index.ts';
import { AdminCallError } from './index.ts';

/** One place to look for what was issued, and one action that takes it all back. */

let api: TestApi;
let root: Tokens;
let child: string;
let grandchild: string;
beforeAll(async () => {
  api = await startApi({ start: startExchange });
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.server.db.kysely.deleteFrom('issuances').execute();
  root = await subjectToken(api.server);
  child = (await exchanged(api.server, root.access_token, { by: 'TOOL3' })).access_token;
  const form = { resource: opaque };
  grandchild = (await exchanged(api.server, child, { by: 'TOOL', form })).access_token;
});

const jti = (token: string) => String(decodeJwt(token).jti);
const living = () =>
  Promise.all(
    [root.access_token, child, grandchild].map(
      async (token) => (await introspect(api.server, token)).active,
    ),
  );
const revoke = (id: string, extent?: 'token' | 'authorization') =>
  api.client.call(issuances.revoke, { params: { id }, body: { extent } });
const list = async (query: object = {}) => {
  const rows = [];
  for await (const row of api.client.each(issuances.list, query)) rows.push(row);
  return rows;
};

describe('looking', () => {
  test('finds everything that a client got, with whom it is for, by one filter', async () => {
    const rows = await list({ client_id: 'PUB' });
    expect(rows.map(({ kind }) => kind).toSorted()).toEqual(['access_token', 'refresh_token']);
    const row = rows.find(({ kind }) => kind === 'access_token');
    expect(row).toMatchObject({
      id: jti(root.access_token),
      jti: jti(root.access_token),
      client_id: 'PUB',
      username: alice.email,
      resource: src,
      scope: 's:write',
      token_type: 'Bearer',
      status: 'active',
      grant_type: 'authorization_code',
      parent: null,
      revoked_at: null,
    });
    expect(row?.sub).toMatch(/^usr_/);
    expect(new Date(String(row?.expires_at)) > api.server.now()).toBe(true);
  });

  test('filters combine; unknown values find nothing and are no error', async () => {
    const [{ sub } = { sub: '' }] = await list({ client_id: 'PUB' });
    expect(await list({ sub, client_id: 'TOOL3' })).toHaveLength(1);
    expect(await list({ resource: opaque, kind: 'access_token' })).toHaveLength(1);
    expect(await list({ parent: jti(root.access_token) })).toMatchObject([{ client_id: 'TOOL3' }]);
    expect(await list({ q: alice.email.toUpperCase().slice(0, 5) })).toHaveLength(4);
    expect(await list({ client_id: "' OR 1=1 --" })).toEqual([]);
    expect(await list({ q: '%' })).toEqual([]);
  });

  test('pages hold every row once, in either order', async () => {
    await machineToken(api.server, 'MACHINE');
    const newest = await list({ limit: 2 });
    const oldest = await list({ limit: 2, sort: 'issued_at' });
    expect(newest).toHaveLength(5);
    expect(oldest.toReversed()).toEqual(newest);
  });

  test.each([
    'limit=0',
    'limit=201',
    'limit=1.5',
    'limit=x',
    'limit=',
    'sort=jti;drop',
    'sort=expires_at',
    'status=alive',
    'kind=',
    'cursor=x',
    "cursor=';drop",
    'cursor=',
    'order=asc',
    'claims->>x=1',
    `q=${'x'.repeat(201)}`,
    `sub=${'x'.repeat(3000)}`,
    'sub=%00',
    'sub=%ff',
  ])('MUST answer 400 with a sentence to %s (AD08)', async (query) => {
    const { status, json } = await api.get(`/admin/api/issuances?${query}`);
    expect({ status, json }).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
    expect(json.error_description.length).toBeGreaterThan(10);
    expect(json.error_description).not.toContain('drop');
  });

  test('a cursor of another order or list is refused', async () => {
    const { next_cursor: cursor } = await api.client.call(issuances.list, { query: { limit: 1 } });
    const other = await api.get(`/admin/api/issuances?sort=issued_at&cursor=${cursor}`);
    expect(other.status).toBe(400);
    expect((await api.get(`/admin/api/grants?cursor=${cursor}`)).status).toBe(400);
  });

  test('one token shows its lineage: what it came from, nearest first, and how much came from it', async () => {
    const top = await api.client.call(issuances.get, { params: { id: jti(root.access_token) } });
    expect(top).toMatchObject({ parents: [], children: 1 });
    const bottom = await api.client.call(issuances.get, { params: { id: hashId(grandchild) } });
    expect(bottom.parents.map(({ id }) => id)).toEqual([jti(child), jti(root.access_token)]);
    expect(bottom).toMatchObject({ children: 0, parent: jti(child), root: expect.any(String) });
  });

  test('no value of a token is in any answer (AD05)', async () => {
    const { body } = await api.get('/admin/api/issuances');
    for (const token of [root.access_token, root.refresh_token, child, grandchild]) {
      expect(body).not.toContain(token);
    }
    expect(Object.keys(JSON.parse(body).items[0])).not.toContain('claims');
  });

  test('a rotated refresh token shows as used', async () => {
    await refresh(api.server, root.refresh_token);
    const rows = await list({ client_id: 'PUB', kind: 'refresh_token' });
    expect(rows.map(({ status }) => status)).toEqual(['active', 'used']);
    expect(await list({ status: 'used' })).toMatchObject([{ id: hashId(root.refresh_token) }]);
  });

  test('what has expired says so', async () => {
    expect(await list({ status: 'expired' })).toEqual([]);
    await api.server.db.kysely
      .updateTable('issuances')
      .set({ expires_at: new Date(Date.now() - 1000) })
      .where('jti', '=', jti(child))
      .execute();
    expect(await list({ status: 'expired' })).toMatchObject([{ id: jti(child) }]);
  });
});

describe('taking back', () => {
  test('a token MUST end everything that was exchanged from it, at any depth, at once', async () => {
    expect(await living()).toEqual([true, true, true]);
    const { revoked } = await revoke(jti(root.access_token));
    expect(revoked.toSorted()).toEqual(
      [jti(root.access_token), jti(child), hashId(grandchild)].toSorted(),
    );
    expect(await living()).toEqual([false, false, false]);
    await refused(await exchange(api.server, child, { by: 'TOOL3' }), 400, 'invalid_request');
    const rows = await list({ status: 'revoked' });
    expect(rows.map(({ id }) => id).toSorted()).toEqual(revoked.toSorted());
  });

  test('a token in the middle leaves what it came from alone', async () => {
    expect((await revoke(jti(child))).revoked).toHaveLength(2);
    expect(await living()).toEqual([true, false, false]);
  });

  test('an access token alone leaves its refresh token, with its authorization both end', async () => {
    await revoke(jti(root.access_token));
    const next = await refresh(api.server, root.refresh_token);
    expect(next.status).toBe(200);
    const renewed: Tokens = JSON.parse(await next.text());
    await revoke(jti(renewed.access_token), 'authorization');
    await refused(await refresh(api.server, renewed.refresh_token), 400, 'invalid_grant');
  });

  test('a refresh token MUST end its authorization and all that was exchanged under it', async () => {
    const { revoked } = await revoke(hashId(root.refresh_token));
    expect(revoked).toHaveLength(4);
    expect(await living()).toEqual([false, false, false]);
    await refused(await refresh(api.server, root.refresh_token), 400, 'invalid_grant');
  });

  test('another authorization of the same client goes on', async () => {
    const other = await subjectToken(api.server);
    await revoke(hashId(root.refresh_token));
    expect((await introspect(api.server, other.access_token)).active).toBe(true);
    expect((await refresh(api.server, other.refresh_token)).status).toBe(200);
  });

  test('a machine token ends too', async () => {
    const { access_token: token } = await machineToken(api.server, 'MACHINE');
    expect((await revoke(jti(token))).revoked).toEqual([jti(token)]);
    expect((await introspect(api.server, token)).active).toBe(false);
  });

  test.each(['token', 'authorization'] as const)(
    'it is audited once, under who did it (AD11): extent %s',
    async (extent) => {
      const before = (await api.audited('token_revoked')).length;
      await revoke(jti(root.access_token), extent);
      expect(await revoke(jti(root.access_token), extent)).toEqual({ revoked: [] });
      const events = (await api.audited('token_revoked')).slice(before);
      expect(events).toMatchObject([
        {
          actor_kind: 'admin',
          actor_id: 'api_key',
          client_id: 'PUB',
          user_id: expect.stringMatching(/^usr_/),
          resource: src,
          ip: '127.0.0.1',
          trace_id: expect.stringMatching(/^[0-9A-Z]{10}$/),
          detail: { reason: 'operator', jti: jti(root.access_token) },
        },
      ]);
    },
  );

  test('a token that was never issued is 404 and leaves no event', async () => {
    const before = await api.audited('token_revoked');
    const error = await revoke('unknown').catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(AdminCallError);
    expect(error).toMatchObject({ status: 404, traceId: expect.stringMatching(/^[0-9A-Z]{10}$/) });
    expect(await api.audited('token_revoked')).toEqual(before);
  });

  test('a verb without parameters needs no body', async () => {
    const { headers } = {
      headers: { authorization: `Bearer a-key-of-sixteen-characters-or-more` },
    };
    const path = `/admin/api/issuances/${jti(child)}/revoke`;
    expect(await api.send(path, { method: 'POST', headers })).toMatchObject({ status: 200 });
  });
});
