import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { recordAudit } from '../audit/index.ts';
import { refused } from '../provider/answers.testing.ts';
import { good, refresh, tokens } from '../provider/flow.testing.ts';
import { loopbackCallback, rs1, rs2, webSecret } from '../provider/server.testing.ts';
import { apiKey, bearer, startApi, type TestApi } from './api.testing.ts';
import { clients, grants } from './contract/index.ts';

/** The noun clients: what operators see of them, and do to them. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const callback = 'https://app.test/cb';
const document = 'https://tool.example/oauth/client.json?v=1';
const call: TestApi['client']['call'] = (route, sent) => api.client.call(route, sent);
const get = (id: string) => call(clients.get, { params: { id } });
const ids = async (query: object) => {
  const found = [];
  for await (const { id } of api.client.each(clients.list, query)) found.push(id);
  return found;
};

/** A client as its own registration or document would have made it. */
async function arrive(row: { client_id: string; kind: 'dcr' | 'cimd'; name?: string; at?: Date }) {
  const { client_id, kind, name, at = new Date() } = row;
  const metadata = {
    ...(name !== undefined && { client_name: name }),
    redirect_uris: ['https://tool.example/cb', 'http://127.0.0.1:4711/cb'],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    application_type: 'native',
    token_endpoint_auth_method: 'none',
  };
  const isDocument = kind === 'cimd';
  await api.server.db.kysely
    .insertInto('clients')
    .values({
      ...{ client_id, kind, client_name: name ?? null, metadata: JSON.stringify(metadata) },
      ...(isDocument && { document_host: 'docs.example', document_fetched_at: at }),
      source: isDocument ? 'document' : 'registration',
      ...{ created_at: at, updated_at: at },
    })
    .execute();
}

beforeEach(async () => {
  const { kysely } = api.server.db;
  await kysely.deleteFrom('clients').where('source', '!=', 'config').execute();
});

describe('looking', () => {
  beforeEach(async () => {
    await arrive({ client_id: document, kind: 'cimd', name: 'Ärger & Söhne' });
    await arrive({ client_id: 'dcr_one', kind: 'dcr', name: 'Cursor' });
  });

  test('a row says how a client is known, where answers go and what it has', async () => {
    const { items } = await call(clients.list, { query: { kind: 'cimd' } });
    expect(items).toEqual([
      expect.objectContaining({
        id: document,
        client_name: 'Ärger & Söhne',
        trust: 'verified_host',
        status: 'active',
        source: 'document',
        redirect_hosts: ['tool.example', '127.0.0.1'],
        document_host: 'docs.example',
        document_fetched_at: expect.any(String),
        scope: null,
        resources: null,
        grants: 0,
        last_used_at: null,
      }),
    ]);
    expect(await get('dcr_one')).toMatchObject({ trust: 'self_registered', has_secret: false });
    expect(await get('WEB')).toMatchObject({ trust: 'operator', has_secret: true });
    expect(await get('RS1')).toMatchObject({ resource_server_of: [rs1] });
  });

  test.each([
    ['client_id', { q: 'DCR_O' }, ['dcr_one']],
    ['a URL', { q: 'https://tool.example/OAUTH' }, [document]],
    ['name, in any case', { q: 'ÄRGER & ' }, [document]],
    ['redirect host', { q: 'tool.ex' }, ['dcr_one', document]],
    ['document host', { q: 'docs.' }, [document]],
    ['this computer, whatever the port', { q: '127.0.0.1' }, ['dcr_one', document, 'PUB']],
    ['exact host', { host: 'TOOL.example' }, ['dcr_one', document]],
    ['half a host', { host: 'tool.' }, []],
    ['host and name', { host: 'tool.example', q: 'cur' }, ['dcr_one']],
    ['kind', { kind: 'dcr' }, ['dcr_one']],
    ['status', { status: 'suspended' }, []],
    ['nothing there', { q: 'nobody' }, []],
  ])('finds by %s, page by page', async (_what, query, expected) => {
    const found = await ids({ limit: 1, sort: '-created_at', ...query });
    expect(found.toSorted()).toEqual(expected.toSorted());
  });

  test.each(['%', '_', '\\', "';drop table clients--", '")', '->>', '\u202e'])(
    'a search for %s is text, not a pattern (AD08)',
    async (q) => {
      expect(await ids({ q })).toEqual([]);
      expect(await ids({ host: q })).toEqual([]);
    },
  );

  test.each([
    'sort=client_id',
    'sort=created_at%20desc',
    'kind=root',
    'cursor=forged',
    `cursor=${Buffer.from('["clients -created_at","now()","x"]').toString('base64url')}`,
    `cursor=${Buffer.from('["grants -created_at","2026-01-01T00:00:00.000Z","x"]').toString('base64url')}`,
    'limit=1000',
    'metadata->>client_name=x',
    'q=%00',
  ])('what is no order, filter or cursor of this list is 400 (AD08): %s', async (query) => {
    expect((await api.get(`/admin/api/clients?${query}`)).status).toBe(400);
  });

  test('in each order, and by last use with those that were never used last', async () => {
    const { kysely } = api.server.db;
    await tokens(api.server);
    await kysely
      .updateTable('clients')
      .set({ last_used_at: new Date(Date.now() + 60_000) })
      .where('client_id', '=', document)
      .execute();
    const [first, second, ...rest] = await ids({ sort: '-last_used_at', limit: 1 });
    expect([first, second]).toEqual([document, 'PUB']);
    expect(rest).toHaveLength(4);
    const up = await ids({ sort: 'created_at', limit: 2 });
    expect(await ids({ sort: '-created_at', limit: 2 })).toEqual(up.toReversed());
  });

  test('more clients than a search names are found by walking', async () => {
    const rows = Array.from({ length: 1200 }, (_, n) => ({
      client_id: `bulk_${n}`,
      kind: 'dcr' as const,
      client_name: `Bulk ${n}`,
      metadata: '{"redirect_uris": ["https://bulk.example/cb"], "grant_types": []}',
      source: 'registration' as const,
      ...{ created_at: new Date(1000 + n), updated_at: new Date() },
    }));
    await api.server.db.kysely.insertInto('clients').values(rows).execute();
    const metadata = {
      ...(await rawMetadata('dcr_one')),
      redirect_uris: ['https://bulk.example/'],
    };
    await api.server.db.kysely
      .updateTable('clients')
      .set({ metadata: JSON.stringify(metadata) })
      .where('kind', '=', 'dcr')
      .execute();
    expect(await ids({ q: 'bulk', limit: 200 })).toHaveLength(1201);
    expect(await ids({ host: 'bulk.example', limit: 200 })).toHaveLength(1201);
    expect(await ids({ host: 'bulk.example', q: 'curs' })).toEqual(['dcr_one']);
    expect(await ids({ q: 'bulk_7 ' })).toEqual([]);
  });

  test('the history of a document is shown', async () => {
    const changes = [{ field: 'client_name', from: 'Before', to: 'Ärger & Söhne' }];
    const event = { actor: { kind: 'system' }, clientId: document, detail: { changes } } as const;
    await recordAudit(
      api.server.db.kysely,
      { type: 'client_document_changed', ...event },
      { at: new Date(0) },
    );
    expect((await get(document)).document_changes).toEqual([
      { at: '1970-01-01T00:00:00.000Z', changes },
    ]);
  });
});

async function rawMetadata(id: string) {
  const { metadata } = await api.server.db.kysely
    .selectFrom('clients')
    .select('metadata')
    .where('client_id', '=', id)
    .executeTakeFirstOrThrow();
  return metadata;
}

describe('making', () => {
  test('a client with a secret: shown this once, and it works', async () => {
    const made = await call(clients.create, {
      body: {
        client_name: 'CI',
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['client_credentials'],
        scope: 'mcp:read',
        resources: [rs1],
      },
    });
    expect(made).toMatchObject({
      id: expect.stringMatching(/^client_/),
      source: 'admin',
      kind: 'preregistered',
      scope: 'mcp:read',
      resources: [rs1],
      client_secret: expect.stringMatching(/^cs_/),
    });
    const { id: client_id, client_secret = '' } = made;
    const asked = { grant_type: 'client_credentials', resource: rs1, client_id, client_secret };
    expect((await api.server.post('/oauth/token', asked)).status).toBe(200);
    const later = JSON.stringify([await get(client_id), await call(clients.list)]);
    expect(later).not.toContain(client_secret);
  });

  test('is judged as a registration is', async () => {
    const make = (body: object) => api.post('/admin/api/clients', body);
    expect((await make({ redirect_uris: ['http://evil.test/cb'] })).json).toMatchObject({
      error: 'invalid_redirect_uri',
    });
    expect((await make({ redirect_uris: ['javascript:alert(1)'] })).status).toBe(400);
    expect((await make({ client_id: 'usr_1', redirect_uris: [callback] })).status).toBe(400);
    expect((await make({ client_id: document, redirect_uris: [callback] })).status).toBe(400);
    expect((await make({ client_id: '..', redirect_uris: [callback] })).status).toBe(400);
    expect((await make({ client_id: 'WEB', redirect_uris: [callback] })).status).toBe(409);
  });

  test.each(['status', 'kind', 'source', 'secret_hashes', 'rules', 'created_at'])(
    'a member that is not the operator’s to set is refused (AD06): %s',
    async (name) => {
      const headers = { ...bearer(apiKey), 'content-type': 'application/json' };
      const body = `{"redirect_uris": ["${callback}"], "${name}": "x"}`;
      const answer = await api.send('/admin/api/clients', { method: 'POST', headers, body });
      expect(answer.status).toBe(400);
    },
  );

  test.each([
    '<img src=x onerror=alert(1)>',
    '"; DROP TABLE clients; --',
    '\u202Egnp.exe',
    '😀'.repeat(20),
    '{{constructor.constructor("return 1")()}}',
  ])('a hostile name is data: %s', async (client_name) => {
    const { id } = await call(clients.create, { body: { client_name, redirect_uris: [callback] } });
    const { client_name: kept } = await get(id);
    expect(kept).toBe(client_name.replace('\u202E', '').trim());
    expect(await ids({ q: kept ?? '' })).toEqual([id]);
  });
});

describe('changing', () => {
  const change = (id: string, body: object) =>
    api
      .send(`/admin/api/clients/${encodeURIComponent(id)}`, {
        method: 'PATCH',
        headers: { ...bearer(apiKey), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      .then((answer) => ({ ...answer, json: JSON.parse(answer.body) }));

  test('every member of one that an operator made, judged as a whole, and audited', async () => {
    const { id } = await call(clients.create, { body: { redirect_uris: [callback] } });
    const body = { client_name: 'Renamed', redirect_uris: [loopbackCallback], scope: 'mcp:read' };
    const changed = await call(clients.update, { params: { id }, body });
    expect(changed).toMatchObject({
      ...body,
      application_type: 'native',
      redirect_hosts: ['127.0.0.1'],
    });
    const cleared = { client_name: null, scope: null };
    expect(await call(clients.update, { params: { id }, body: cleared })).toMatchObject(cleared);
    expect((await change(id, { redirect_uris: [] })).json.error).toBe('invalid_redirect_uri');
    expect((await change(id, { grant_types: ['client_credentials'] })).status).toBe(400);
    const [event] = (await api.audited('client_updated')).filter((row) => row.client_id === id);
    expect(event).toMatchObject({ actor_kind: 'admin', actor_id: 'api_key' });
    expect(JSON.stringify(event?.detail)).toContain('"field":"redirect_hosts"');
  });

  test('keys are given in one way', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwks = { keys: [publicKey.export({ format: 'jwk' })] };
    const keyed = { token_endpoint_auth_method: 'private_key_jwt' as const, jwks };
    const { id } = await call(clients.create, { body: { redirect_uris: [callback], ...keyed } });
    const body = { jwks_uri: 'https://keys.example/jwks' };
    const changed = await call(clients.update, { params: { id }, body });
    expect(changed).toMatchObject({ jwks: null, jwks_uri: body.jwks_uri });
  });

  test.each([
    ['dcr_two', 'dcr', 'what it registered'],
    [document, 'cimd', 'metadata document'],
  ] as const)('of %s only the ceilings', async (client_id, kind, why) => {
    await arrive({ client_id, kind });
    const other = await change(client_id, { redirect_uris: [callback], scope: 'mcp:read' });
    expect(other).toMatchObject({ status: 400 });
    expect(other.json.error_description).toContain(why);
    expect((await get(client_id)).scope).toBeNull();
    const ceilings = { scope: 'mcp:read', resources: [rs1] };
    expect((await change(client_id, ceilings)).json).toMatchObject(ceilings);
    expect((await change(client_id, { scope: 'a "b' })).status).toBe(400);
    expect((await change(client_id, { resources: ['not a URI'] })).status).toBe(400);
  });

  test('of one that the configuration declares nothing: the sentence says where', async () => {
    const answer = await change('WEB', { client_name: 'Mine' });
    expect(answer.status).toBe(409);
    expect(answer.json.error_description).toContain('configuration');
    const rotated = await api.post('/admin/api/clients/WEB/rotate-secret', {});
    expect(rotated.status).toBe(409);
  });

  test.each(['status', 'client_id', 'kind', 'source', 'created_at', 'secret_hashes', 'id'])(
    'a member that is not the operator’s to set is refused (AD06): %s',
    async (name) => {
      const { id } = await call(clients.create, { body: { redirect_uris: [callback] } });
      expect((await change(id, { [name]: 'suspended' })).status).toBe(400);
    },
  );

  test('what is not there is 404', async () => {
    expect((await change('nobody', { scope: 'a' })).status).toBe(404);
    expect((await api.get('/admin/api/clients/nobody')).status).toBe(404);
    expect((await api.get('/admin/api/clients/%F0%9F%98%80')).status).toBe(404);
    for (const verb of ['suspend', 'resume', 'revoke', 'rotate-secret']) {
      expect((await api.post(`/admin/api/clients/nobody/${verb}`, {})).status).toBe(404);
    }
  });
});

describe('the secret', () => {
  const token = (client_id: string, client_secret: string) =>
    api.server.post('/oauth/token', {
      ...{ grant_type: 'client_credentials', resource: rs1, client_id, client_secret },
    });

  test('rotates with an overlap or at once, and is shown once', async () => {
    const { id, client_secret: first = '' } = await call(clients.create, {
      body: {
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['client_credentials'],
      },
    });
    const params = { id };
    const second = await call(clients.rotateSecret, { params, body: {} });
    expect(second).toMatchObject({ client_id: id, old_secret_until: expect.any(String) });
    expect((await token(id, first)).status).toBe(200);
    expect((await token(id, second.client_secret)).status).toBe(200);
    const third = await call(clients.rotateSecret, { params, body: { old_secret: 'end' } });
    expect((await token(id, second.client_secret)).status).toBe(401);
    expect((await token(id, third.client_secret)).status).toBe(200);
    const audited = JSON.stringify(await api.audited('client_secret_rotated'));
    expect(audited).not.toContain(third.client_secret);
  });

  test('a client without one cannot rotate it', async () => {
    const { id } = await call(clients.create, { body: { redirect_uris: [callback] } });
    expect((await api.post(`/admin/api/clients/${id}/rotate-secret`, {})).status).toBe(409);
  });
});

describe('ending', () => {
  const introspect = async (token: string) => {
    const basic = `Basic ${btoa(`RS1:${webSecret}`)}`;
    const answer = await api.server.post('/oauth/introspect', { token }, { authorization: basic });
    return JSON.parse(await answer.text()).active;
  };

  test('suspended and resumed: its tokens are dead meanwhile', async () => {
    const { access_token: token } = await tokens(api.server);
    const params = { id: 'PUB' };
    const body = { reason: 'looks odd' };
    expect(await call(clients.suspend, { params, body })).toMatchObject({ status: 'suspended' });
    expect(await ids({ status: 'suspended' })).toEqual(['PUB']);
    expect(await introspect(token)).toBe(false);
    expect(await call(clients.resume, { params })).toMatchObject({ status: 'active' });
    expect(await introspect(token)).toBe(true);
    expect((await api.audited('client_suspended')).at(-1)).toMatchObject({
      actor_kind: 'admin',
      client_id: 'PUB',
      detail: body,
    });
  });

  test('revoked: every grant and token MUST end and stay dead; the client stays', async () => {
    const own = await tokens(api.server);
    await tokens(api.server, good({ resource: rs2, scope: 'two:use' }));
    const { grants: before } = await get('PUB');
    expect(before).toBe(2);
    const ended = await call(clients.revoke, { params: { id: 'PUB' } });
    expect(ended).toMatchObject({ id: 'PUB', grants: 2 });
    expect(ended.authorizations).toBeGreaterThanOrEqual(2);
    expect(await introspect(own.access_token)).toBe(false);
    await refused(await refresh(api.server, own.refresh_token), 400, 'invalid_grant');
    expect(await get('PUB')).toMatchObject({ status: 'active', grants: 0 });
    const { items } = await call(grants.list, { query: { client_id: 'PUB', status: 'revoked' } });
    expect(items).toHaveLength(2);
    expect((await api.audited('client_revoked')).at(-1)?.detail).toMatchObject({ grants: 2 });
  });

  test('removed: what it takes down is said, and nobody finds it again', async () => {
    await arrive({ client_id: document, kind: 'cimd' });
    const params = { id: document };
    expect(await call(clients.remove, { params })).toEqual({
      id: document,
      grants: 0,
      authorizations: 0,
    });
    await expect(get(document)).rejects.toMatchObject({ status: 404 });
    expect(await ids({ q: 'docs.example' })).toEqual([]);
    await expect(call(clients.remove, { params })).rejects.toMatchObject({ status: 404 });
    expect((await api.audited('client_removed')).at(-1)).toMatchObject({ client_id: document });
  });
});
