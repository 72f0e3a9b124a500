import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import { tokens } from '../provider/flow.testing.ts';
import { alice, rs1 } from '../provider/server.testing.ts';
import { testAdmin } from './admin.testing.ts';
import { apiKey, bearer, startApi, type TestApi } from './api.testing.ts';
import { routes } from './contract/index.ts';
import { openApiReference } from './index.ts';

let api: TestApi;
let userId: string;
let userToken: string;
beforeAll(async () => {
  api = await startApi();
  userToken = (await tokens(api.server)).access_token;
  const { id } = await api.server.db.kysely
    .selectFrom('users')
    .select('id')
    .where('email', '=', alice.email)
    .executeTakeFirstOrThrow();
  userId = id;
});
afterAll(() => api.close());

/** Everything that a write could change. */
async function everything() {
  const { kysely } = api.server.db;
  return [
    await kysely.selectFrom('issuances').selectAll().orderBy('jti').execute(),
    await kysely.selectFrom('personal_access_tokens').selectAll().orderBy('jti').execute(),
    await kysely.selectFrom('families').selectAll().orderBy('id').execute(),
    await kysely.selectFrom('grants').selectAll().orderBy('id').execute(),
    await kysely.selectFrom('audit_events').selectAll().orderBy('id').execute(),
  ];
}

describe('paths', () => {
  it.each([
    '//admin/api/issuances',
    '/admin//api/issuances',
    '/ADMIN/api/issuances',
    '/admin/API/issuances',
    '/admin;x=1/api/issuances',
    '/admin/api;x=1/issuances',
    '/admin/%61pi/issuances',
    '/admin/%2561pi/issuances',
    '/admin/x/../api/issuances',
    '/admin/./api/issuances',
    '/admin/x/%2e%2e/api/issuances',
    '/admin%2fapi/issuances',
    '/admin\\api\\issuances',
  ])('are never another way in (AD10): %s', async (path) => {
    expect(await api.send(path)).toMatchObject({ status: 401 });
    expect(await api.send(path, { headers: bearer(userToken) })).toMatchObject({ status: 401 });
    expect(await api.send(path, { headers: bearer(apiKey) })).toMatchObject({ status: 404 });
  });

  it.each([
    '/admin/api',
    '/admin/api/',
    '/admin/api/nothing',
    '/admin/api/issuances/',
    '/admin/api/issuances;x=1',
    '/admin/api/Issuances',
    '/admin/api/issuances/a/b',
    '/admin/api/issuances/unknown',
    '/admin/api/issuances/%00',
    `/admin/api/issuances/${'x'.repeat(2000)}`,
    "/admin/api/issuances/'%20or%201=1--",
    '/admin/api/tokens/unknown',
    '/admin/api/grants/unknown',
  ])('that lead nowhere answer 404 as JSON, to browsers too: %s', async (path) => {
    const headers = { ...bearer(apiKey), accept: 'text/html' };
    const answer = await api.send(path, { headers });
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body)).toEqual({
      error: 'invalid_request',
      error_description: expect.any(String),
      trace_id: expect.stringMatching(/^[0-9A-Z]{10}$/),
    });
    expect(await api.send(path, { headers: { accept: 'text/html' } })).toMatchObject({
      status: 401,
    });
  });

  it.each([
    ['DELETE', '/admin/api/issuances', 'HEAD, GET'],
    ['PUT', '/admin/api/tokens', 'HEAD, GET, POST'],
    ['GET', '/admin/api/issuances/x/revoke', 'POST'],
    ['DELETE', '/admin/api/grants/x', 'HEAD, GET, PATCH'],
  ])('answer 405 with Allow to another method: %s %s', async (method, path, allow) => {
    const answer = await api.send(path, { method, headers: bearer(apiKey) });
    expect(answer).toMatchObject({ status: 405, headers: { allow } });
    expect(await api.send(path, { method })).toMatchObject({ status: 401 });
  });
});

describe('bodies', () => {
  const path = '/admin/api/tokens';
  let before: unknown;
  beforeEach(async () => {
    before = await everything();
  });

  it.each([
    ['text/plain (AD04)', 'text/plain', '{}', 415],
    ['a form', 'application/x-www-form-urlencoded', 'sub=1', 415],
    ['no content type', undefined, '{}', 415],
    ['another charset', 'application/json; charset=utf-16', '{}', 415],
    ['300 kB', 'application/json', `"${'x'.repeat(300_000)}"`, 413],
    ['10,000 levels', 'application/json', '['.repeat(10_000), 400],
    ['half JSON', 'application/json', '{"a":', 400],
    ['a list', 'application/json', '[]', 400],
    ['null', 'application/json', 'null', 400],
    ['NUL', 'application/json', '{"name":"a\\u0000"}', 400],
    ['a member twice', 'application/json', '{"name":"a","name":"b"}', 400],
    ['nothing', 'application/json', '', 400],
  ])('are refused: %s', async (_what, type, body, status) => {
    const headers = { ...bearer(apiKey), ...(type && { 'content-type': type }) };
    const answer = await api.send(path, {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      body,
    });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ error_description: expect.any(String) });
    expect(await everything()).toEqual(before);
  });

  it.each(['role', 'id', 'jti', 'user_id', 'created_at', 'expires_at', '__proto__x'])(
    'with the unknown member %s are refused, and told what is known (AD06)',
    async (member) => {
      const good = { sub: userId, name: 'CI', resource: rs1, scope: 'mcp:read' };
      const { status, json } = await api.post(path, { ...good, [member]: 'x' });
      expect(status).toBe(400);
      expect(json.error_description).toBe(
        `The body has an unknown member: ${member}. It takes: sub, name, resource, scope, workspace_id, expires_in.`,
      );
      expect(await everything()).toEqual(before);
    },
  );

  it('name the member that is wrong, never what was sent', async () => {
    const { status, json } = await api.post(path, { sub: 5, name: 'secret' });
    expect(status).toBe(400);
    expect(json.error_description).toMatch(/^sub in the body is not valid: .*string/);
  });
});

describe('the description', () => {
  it('is committed as docs/openapi.json and is not stale', () => {
    const committed = readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
    expect(committed).toBe(openApiReference());
  });

  it('has every route with its permission, and is what the API answers', async () => {
    const { json } = await api.get('/admin/api/openapi.json');
    expect(json).toEqual(JSON.parse(openApiReference()));
    expect(json.openapi).toBe('3.1.0');
    for (const { method, path, permission, name } of routes) {
      expect(json.paths[path][method.toLowerCase()]).toMatchObject({
        operationId: name,
        'x-permission': permission,
      });
    }
  });

  it('refers only to schemas that it has', () => {
    const text = openApiReference();
    const { schemas } = JSON.parse(text).components;
    const referred = [...text.matchAll(/"\$ref": "([^"]*)"/g)].map(([, ref]) => ref);
    expect(referred.length).toBeGreaterThan(10);
    for (const ref of referred) {
      expect(ref).toMatch(/^#\/components\/schemas\/\w+$/);
      expect(schemas).toHaveProperty(String(ref).split('/').at(-1) ?? '');
    }
  });
});

it('without a configured key the API is closed to everybody', async () => {
  const db = await testDatabase();
  const keyless = await testAdmin(db);
  for (const key of ['', 'undefined', apiKey, userToken]) {
    const answer = await keyless.send('/admin/api/tokens', { headers: bearer(key) });
    expect(answer.status).toBe(401);
  }
  await keyless.close();
  await db.close();
});
