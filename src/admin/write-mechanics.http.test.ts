import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tokens } from '../provider/flow.testing.ts';
import { apiKey, bearer, startApi, type TestApi } from './api.testing.ts';
import { clients, grants, resources } from './contract/index.ts';
import { openApiDocument } from './openapi.ts';

/** What every write of the admin API has in common: versions of rows, and requests that come twice. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const json = { ...bearer(apiKey), 'content-type': 'application/json' };
const callback = 'https://app.test/cb';

async function makeClient() {
  return api.client.call(clients.create, { body: { redirect_uris: [callback] } });
}
const pathOf = (id: string) => `/admin/api/clients/${encodeURIComponent(id)}`;
const nameOf = async (id: string) =>
  (await api.client.call(clients.get, { params: { id } })).client_name;

function patch(id: string, body: object, headers: Record<string, string> = {}) {
  return api.send(pathOf(id), {
    method: 'PATCH',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });
}

describe('If-Match (RFC 9110 §13.1.1)', () => {
  let id: string;
  let version: string;
  beforeEach(async () => {
    ({ id, version } = await makeClient());
  });

  test('what one row answers has its version as ETag too', async () => {
    const answer = await api.send(pathOf(id), { headers: bearer(apiKey) });
    expect(answer.headers.etag).toBe(`"${version}"`);
    const changed = await patch(id, { client_name: 'New' });
    expect(changed.headers.etag).toBe(`"${JSON.parse(changed.body).version}"`);
    expect(changed.headers.etag).not.toBe(`"${version}"`);
  });

  test('an edit of the version that was read goes through, and so does one without the header', async () => {
    expect(await patch(id, { client_name: 'One' }, { 'if-match': `"${version}"` })).toMatchObject({
      status: 200,
    });
    expect(await patch(id, { client_name: 'Two' })).toMatchObject({ status: 200 });
    expect(await patch(id, { client_name: 'Three' }, { 'if-match': '*' })).toMatchObject({
      status: 200,
    });
    expect(await nameOf(id)).toBe('Three');
  });

  test('a stale version MUST be refused with 412, and nothing is written', async () => {
    await patch(id, { client_name: 'Mine' });
    const events = (await api.audited('client_updated')).length;
    const stale = { 'if-match': `"${version}"` };
    const answer = await patch(id, { client_name: 'Theirs' }, stale);
    expect(answer.status).toBe(412);
    expect(JSON.parse(answer.body).error_description).toContain('Read it again');
    const removal = { method: 'DELETE', headers: { ...bearer(apiKey), ...stale } };
    expect(await api.send(pathOf(id), removal)).toMatchObject({ status: 412 });
    expect(await nameOf(id)).toBe('Mine');
    expect(await api.audited('client_updated')).toHaveLength(events);
  });

  test('of many edits of one version exactly one MUST win', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const answers = await Promise.all(
      names.map((client_name) => patch(id, { client_name }, { 'if-match': `"${version}"` })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412, 412, 412]);
    const won = names[answers.findIndex(({ status }) => status === 200)];
    expect(await nameOf(id)).toBe(won);
  });

  test.each([
    ['a weak tag matches nothing', (tag: string) => `W/"${tag}"`, 412],
    ['one of several tags is enough', (tag: string) => `"other", "${tag}"`, 200],
    ['a tag without quotation marks is no tag', (tag: string) => tag, 400],
    ['markup is no tag', () => '<script>', 400],
  ])('%s', async (_what, header, status) => {
    const answer = await patch(id, { client_name: 'X' }, { 'if-match': header(version) });
    expect(answer.status).toBe(status);
  });

  test('a route that would not ask for it refuses the header instead of ignoring it', async () => {
    const headers = { ...json, 'if-match': `"${version}"` };
    const suspend = await api.send(`${pathOf(id)}/suspend`, { method: 'POST', headers });
    expect(suspend.status).toBe(400);
    const { status } = await api.client.call(clients.get, { params: { id } });
    expect(status).toBe('active');
  });

  test('resources and grants keep to it too', async () => {
    await tokens(api.server);
    const [grant] = (await api.client.call(grants.list)).items;
    const params = { id: grant?.id ?? '' };
    const relabel = (label: string, ifMatch: string) =>
      api.client.call(grants.update, { params, body: { label }, ifMatch });
    const labelled = await relabel('CI', grant?.version ?? '');
    await expect(relabel('other', grant?.version ?? '')).rejects.toMatchObject({ status: 412 });
    expect(await relabel('again', labelled.version)).toMatchObject({ label: 'again' });
    const body = { slug: 'rs9', uri: 'https://rs9.test/mcp', scopes: [{ name: 'a' }] };
    const { version: first } = await api.client.call(resources.create, { body });
    const rename = (display_name: string) =>
      api.client.call(resources.update, {
        params: { id: 'rs9' },
        body: { display_name },
        ifMatch: first,
      });
    expect(await rename('Nine')).toMatchObject({ display_name: 'Nine' });
    await expect(rename('Neuf')).rejects.toMatchObject({ status: 412 });
  });
});

describe('Idempotency-Key', () => {
  const create = (body: object, key: string, headers: Record<string, string> = {}) =>
    api.post('/admin/api/clients', body, { 'idempotency-key': key, ...headers });
  const secretive = {
    redirect_uris: [callback],
    token_endpoint_auth_method: 'client_secret_basic',
  };
  const countClients = async () => {
    const rows = await api.server.db.kysely.selectFrom('clients').select('client_id').execute();
    return rows.length;
  };

  test('the same request again MUST get the same answer, secret and all, and nothing is done twice', async () => {
    const key = randomUUID();
    const first = await create(secretive, key);
    const before = await countClients();
    const second = await create(secretive, key);
    expect(first).toMatchObject({ status: 201, json: { client_secret: expect.any(String) } });
    expect(second).toMatchObject({ status: 201, json: first.json });
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(await countClients()).toBe(before);
  });

  test('two that arrive at once MUST be done once', async () => {
    const key = randomUUID();
    const before = await countClients();
    const answers = await Promise.all(Array.from({ length: 5 }, () => create(secretive, key)));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(await countClients()).toBe(before + 1);
  });

  test('the key with another request MUST be refused', async () => {
    const key = randomUUID();
    await create(secretive, key);
    const other = await create({ ...secretive, client_name: 'Other' }, key);
    expect(other.status).toBe(422);
    expect(other.json.error_description).toContain('another request');
  });

  test('what was refused did nothing, so its key is free', async () => {
    const key = randomUUID();
    expect(await create({ redirect_uris: ['http://evil.test/'] }, key)).toMatchObject({
      status: 400,
    });
    expect(await create(secretive, key)).toMatchObject({ status: 201 });
  });

  test('one that broke off is not done again: 409 says to look', async () => {
    const key = randomUUID();
    await create(secretive, key);
    await api.server.db.kysely
      .updateTable('idempotent_requests')
      .set({ answer_sealed: sql`NULL` })
      .execute();
    const again = await create(secretive, key);
    expect(again.status).toBe(409);
    expect(again.json.error_description).toContain('Look whether it took effect');
  }, 30_000);

  test('a key counts for one route, and for a day', async () => {
    const key = randomUUID();
    const { json: made } = await create(secretive, key);
    const rotate = await api.post(
      `${pathOf(made.id)}/rotate-secret`,
      {},
      { 'idempotency-key': key },
    );
    expect(rotate.json.client_secret).not.toBe(made.client_secret);
    api.server.advance(86_401);
    const later = await create(secretive, key);
    expect(later).toMatchObject({ status: 201 });
    expect(later.json.id).not.toBe(made.id);
  });

  test('answers are stored sealed, and keys as hashes (AD05)', async () => {
    const key = randomUUID();
    const { json: made } = await create(secretive, key);
    const rows = await api.server.db.kysely.selectFrom('idempotent_requests').selectAll().execute();
    const stored = JSON.stringify(rows);
    expect(stored).not.toContain(made.client_secret);
    expect(stored).not.toContain(made.id);
    expect(stored).not.toContain(key);
  });

  test.each(['x'.repeat(256), 'é'])('a key that is none is refused: %s', async (key) => {
    const headers = { ...json, 'idempotency-key': Buffer.from(key).toString('latin1') };
    const sent = { method: 'POST', headers, body: JSON.stringify(secretive) };
    expect(await api.send('/admin/api/clients', sent)).toMatchObject({ status: 400 });
  });

  test('an edit takes no notice of it', async () => {
    const { id } = await makeClient();
    const key = { 'idempotency-key': randomUUID() };
    expect(await patch(id, { client_name: 'A' }, key)).toMatchObject({ status: 200 });
    expect(await patch(id, { client_name: 'B' }, key)).toMatchObject({ status: 200 });
  });
});

test('the description tells of both headers where they are taken', () => {
  const { paths } = openApiDocument();
  const named = (path: string, method: string) => JSON.stringify(paths[path]?.[method]);
  expect(named('/admin/api/clients/{id}', 'patch')).toContain('"If-Match"');
  expect(named('/admin/api/clients', 'post')).toContain('"Idempotency-Key"');
  expect(named('/admin/api/clients', 'get')).not.toContain('Idempotency-Key');
});
