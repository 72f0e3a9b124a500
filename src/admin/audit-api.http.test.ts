import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tokens as flow } from '../provider/flow.testing.ts';
import { alice } from '../provider/server.testing.ts';
import { apiKey, bearer, startApi, type TestApi } from './api.testing.ts';
import { audit } from './contract/index.ts';

/** What happened, found, followed, downloaded and checked through the admin API. */

let api: TestApi;
let traceId: string;
beforeAll(async () => {
  api = await startApi();
  await flow(api.server);
  for (let round = 0; round < 5; round += 1) {
    await api.server.post('/oauth/token', { grant_type: 'refresh_token', client_id: 'PUB' });
  }
  await api.server.app.rooms.auditLog.seal('now');
  const [row] = await list({ type: 'token_issued' });
  traceId = row?.trace_id ?? '';
});
afterAll(() => api.close());

const list = async (query: object = {}) => {
  const rows = [];
  for await (const row of api.client.each(audit.list, query)) rows.push(row);
  return rows;
};

describe('the list', () => {
  test('has what happened, newest first, with whom it was about', async () => {
    const rows = await list();
    expect(rows.length).toBeGreaterThan(3);
    const times = rows.map(({ at }) => at);
    expect(times).toEqual(times.toSorted().toReversed());
    expect(rows.find(({ type }) => type === 'token_issued')).toMatchObject({
      client_id: 'PUB',
      username: alice.email,
      actor_kind: 'client',
      trace_id: expect.stringMatching(/^[0-9A-Z]{10}$/),
      detail: { grant_type: 'authorization_code' },
      sealed: true,
    });
  });

  test('filters combine, and several types are asked for at once', async () => {
    const issued = await list({ type: 'token_issued,consent_granted' });
    expect(new Set(issued.map(({ type }) => type))).toEqual(
      new Set(['token_issued', 'consent_granted']),
    );
    const [{ user_id } = { user_id: null }] = issued;
    expect(await list({ user_id, type: 'token_issued' })).not.toEqual([]);
    expect(await list({ client_id: 'PUB', actor_kind: 'client' })).not.toEqual([]);
    expect(await list({ client_id: 'PUB', actor_kind: 'cli' })).toEqual([]);
    expect(await list({ trace_id: traceId, ip: '203.0.113.99' })).toEqual([]);
    expect(await list({ trace_id: traceId })).not.toEqual([]);
    expect(await list({ client_id: "' OR 1=1 --" })).toEqual([]);
  });

  test('a span of time has its beginning and not its end', async () => {
    const rows = await list({ sort: 'at' });
    const [first, last] = [rows[0]?.at, rows.at(-1)?.at];
    const within = await list({ from: first, to: last });
    expect(within.some(({ at }) => at === first)).toBe(true);
    expect(within.some(({ at }) => at === last)).toBe(false);
  });

  test('a search finds a trace, a client and a person by the beginning', async () => {
    const found = await list({ q: traceId.slice(0, 5).toLowerCase() });
    expect(found.some((row) => row.trace_id === traceId)).toBe(true);
    expect(await list({ q: 'pu' })).toEqual(await list({ client_id: 'PUB' }));
    const mine = await list({ q: alice.email.slice(0, 4).toUpperCase() });
    expect(mine.length).toBeGreaterThan(1);
    expect(new Set(mine.map(({ username }) => username))).toEqual(new Set([alice.email]));
    expect(await list({ q: '%' })).toEqual([]);
    expect(await list({ q: '_ub' })).toEqual([]);
  });

  test('pages hold every row once, in either order, with a filter that few match too', async () => {
    const newest = await list({ limit: 2 });
    expect(newest).toHaveLength((await list()).length);
    expect((await list({ limit: 2, sort: 'at' })).toReversed()).toEqual(newest);
    expect(await list({ limit: 1, actor_kind: 'client' })).toEqual(
      newest.filter(({ actor_kind }) => actor_kind === 'client'),
    );
  });

  const forged = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64url');
  test.each([
    'limit=0',
    'sort=id;drop',
    "type=';drop",
    'type=a,,b',
    'type=',
    'actor_kind=root',
    'from=yesterday',
    'from=2026-01-01',
    'detail->>method=x',
    'trace_id=%00',
    'cursor=x',
    `cursor=${forged(['audit -at', '2026-01-01T00:00:00.000Z', '1;drop'])}`,
    `cursor=${forged(['audit -at', '2026-01-01T00:00:00.000Z', '99999999999999999999'])}`,
    `cursor=${forged(['audit at', '2026-01-01T00:00:00.000Z', '1'])}`,
    `cursor=${forged(['audit -at', "x' OR 1=1", '1'])}`,
  ])('MUST answer 400 with a sentence to %s (AD08)', async (query) => {
    const { status, json } = await api.get(`/admin/api/audit?${query}`);
    expect({ status, json }).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
    expect(json.error_description).not.toContain('drop');
  });
});

describe('one event', () => {
  test('tells its place in the chain, and whether that is signed', async () => {
    const [row] = await list({ type: 'token_issued' });
    const one = await api.client.call(audit.get, { params: { id: row?.id ?? '' } });
    expect(one).toMatchObject({
      ...row,
      seal: {
        seq: expect.any(Number),
        block: expect.any(Number),
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        signed_at: expect.any(String),
      },
    });
  });

  test.each(['1-1', 'x', '99999999999999999999-1', '1769350000000000', "1-1'--"])(
    'MUST answer 404 to the id %s',
    async (id) => {
      expect(await api.get(`/admin/api/audit/${encodeURIComponent(id)}`)).toMatchObject({
        status: 404,
      });
    },
  );
});

describe('the chain', () => {
  test('is verified in the background, and the result is kept', async () => {
    const begun = await api.post('/admin/api/audit/verify', {});
    expect(begun).toMatchObject({ status: 200, json: { status: 'running' } });
    await expect.poll(async () => (await api.client.call(audit.verification)).status).toBe('ok');
    expect(await api.client.call(audit.verification)).toMatchObject({
      broken: null,
      head: { seq: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(await api.audited('audit_verification_started')).toHaveLength(1);
  });

  test('leaves its head in the log in the form that a verification takes, not redacted', async () => {
    const signed = api.server
      .logged()
      .split('\n')
      .filter((line) => line.includes('log was signed'));
    expect(JSON.parse(signed[0] ?? '{}')).toMatchObject({
      head: expect.stringMatching(/^\d+:[0-9a-f]{64}$/),
    });
  });
});

describe('a download', () => {
  test('is NDJSON as an attachment, oldest first, and is itself on record (AD11)', async () => {
    const answer = await api.send('/admin/api/audit/export?type=token_issued', {
      headers: bearer(apiKey),
    });
    expect(answer).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/x-ndjson',
        'content-disposition': expect.stringMatching(/^attachment; filename="audit-.*\.ndjson"$/),
        'cache-control': 'no-store',
      },
    });
    const rows = answer.body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const listed = await list({ type: 'token_issued', sort: 'at' });
    expect(rows.map(({ id }) => id)).toEqual(listed.map(({ id }) => id));
    expect(await api.audited('audit_exported')).toMatchObject([
      {
        actor_kind: 'admin',
        detail: { format: 'ndjson', filters: ['type=token_issued'] },
      },
    ]);
  });

  test('is CSV when asked, and refuses what it does not know', async () => {
    const answer = await api.send('/admin/api/audit/export?format=csv', {
      headers: bearer(apiKey),
    });
    expect(answer.headers['content-type']).toMatch(/^text\/csv/);
    expect(answer.body.split('\r\n')[0]).toMatch(/^"id","at","type",/);
    expect((await api.get('/admin/api/audit/export?format=xlsx')).status).toBe(400);
    expect((await api.get('/admin/api/audit/export?limit=1')).status).toBe(400);
  });
});

describe('the live view', () => {
  async function follow(query = '') {
    const url = new URL(`${api.origin}/admin/api/audit/tail${query}`);
    const outgoing = request(url, { headers: bearer(apiKey), agent: false });
    outgoing.end();
    const { promise, resolve } = Promise.withResolvers<void>();
    const state = { status: 0, type: '', text: '', ended: false };
    outgoing.on('response', (incoming) => {
      state.status = incoming.statusCode ?? 0;
      state.type = incoming.headers['content-type'] ?? '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        state.text += chunk;
      });
      incoming.on('end', () => {
        state.ended = true;
      });
      resolve();
    });
    await promise;
    return { state, stop: () => outgoing.destroy() };
  }

  test('shows what happens from now on, as it was asked for', async () => {
    const { state, stop } = await follow('?type=user_login_failed,token_issued');
    expect(state).toMatchObject({
      status: 200,
      type: expect.stringMatching(/^text\/event-stream/),
    });
    await flow(api.server);
    await expect.poll(() => state.text, { timeout: 5000 }).toContain('event: audit\ndata: {');
    const [, data = ''] = /^data: (.*)$/m.exec(state.text) ?? [];
    expect(JSON.parse(data)).toMatchObject({ type: 'token_issued', client_id: 'PUB' });
    expect(state.text).not.toContain('consent_granted');
    stop();
  });

  test('MUST NOT be held open by any number of followers', async () => {
    const following = await Promise.all(Array.from({ length: 20 }, () => follow()));
    expect(following.every(({ state }) => state.status === 200)).toBe(true);
    const { state, stop } = await follow();
    expect(state.status).toBe(503);
    for (const one of [...following, { stop }]) one.stop();
    await expect
      .poll(async () => {
        const again = await follow();
        again.stop();
        return again.state.status;
      })
      .toBe(200);
  });
});

test('a viewer reads and downloads; only an operator begins a check or sends again', async () => {
  const permissions = Object.fromEntries(
    Object.values(audit).map(({ name, permission }) => [name, permission]),
  );
  expect(permissions).toEqual({
    'audit.list': 'viewer',
    'audit.export': 'viewer',
    'audit.tail': 'viewer',
    'audit.verification': 'viewer',
    'audit.verify': 'operator',
    'audit.dead-letters': 'viewer',
    'audit.retry': 'operator',
    'audit.get': 'viewer',
  });
});

test('there is no way to write to the log', async () => {
  for (const method of ['POST', 'PATCH', 'PUT', 'DELETE']) {
    const headers = { ...bearer(apiKey), 'content-type': 'application/json' };
    const answer = await api.send('/admin/api/audit/1-1', { method, headers, body: '{}' });
    expect([400, 404, 405]).toContain(answer.status);
  }
});
