import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { User } from '../accounts/index.ts';
import type { Client } from '../clients/index.ts';
import { basic, isActive } from '../provider/answers.testing.ts';
import { alice, rs1, startServer, type TestServer, webSecret } from '../provider/server.testing.ts';
import type { Resource } from '../resources/index.ts';
import { mintForTesting, type TestTokenRequest } from './index.ts';

const shapes = `
  - slug: opaque
    uri: https://opaque.test/mcp
    display_name: Opaque server
    token_format: opaque
    token_prefix: cp
    access_ttl: 5m
    scopes: [{ name: "o:use", description: Use it }]
    clients: [RS1]
  - slug: bound
    uri: https://bound.test/mcp
    display_name: Bound server
    dpop: required
    scopes: [{ name: "b:use", description: Use it }]
  - slug: limited
    uri: https://limited.test/mcp
    display_name: Limited server
    scopes: [{ name: "l:read", description: Read }, { name: "l:admin", description: Everything }]
    access: [{ users: ["${alice.email}"], scopes: ["l:read"] }]`;

let server: TestServer;
let user: User;
let client: Client;
beforeAll(async () => {
  server = await startServer({ resources: shapes });
  const { accounts, clients } = server.app.rooms;
  const { items } = await accounts.list({ limit: 10 });
  user = must(items.find(({ email }) => email === alice.email));
  client = must(await clients.find('WEB', { refresh: false }));
});
afterAll(() => server.close());

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a fixture is missing');
  return value;
}

const resource = (slug: string): Resource => must(server.app.rooms.resources.bySlug(slug));

function mint(change: Partial<TestTokenRequest> = {}) {
  return mintForTesting(
    server.app.rooms,
    { issuer: server.url, accessTtl: 900 },
    { subject: { client, user }, resource: resource('rs1'), scopes: ['mcp:read'], ...change },
    { actor: { kind: 'cli', id: 'root' }, meta: { at: server.now() } },
  );
}

async function introspect(token: string) {
  const answer = await server.post('/oauth/introspect', { token }, basic('RS1', webSecret));
  return JSON.parse(await answer.text());
}

describe('a minted token', () => {
  it('is a JWT as RFC 9068 demands where the resource wants one', async () => {
    const { value, jti, expiresAt } = await mint();
    const keys = createLocalJWKSet(server.app.rooms.keys.publicJwks());
    const { payload, protectedHeader } = await jwtVerify(value, keys, { audience: rs1 });
    expect(protectedHeader).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    expect(payload).toEqual({
      iss: server.url,
      sub: user.id,
      aud: rs1,
      client_id: 'WEB',
      scope: 'mcp:read',
      jti,
      iat: expect.any(Number),
      exp: Math.floor(expiresAt.getTime() / 1000),
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900);
    expect(await introspect(value)).toMatchObject({ active: true, sub: user.id, jti });
  });

  it('is opaque where the resource says so, and lives as long as others there', async () => {
    const { value, expiresAt } = await mint({ resource: resource('opaque'), scopes: ['o:use'] });
    expect(value).toMatch(/^cp_oat_/);
    expect(expiresAt.getTime() - server.now().getTime()).toBeLessThanOrEqual(300_000);
    expect(await introspect(value)).toMatchObject({ active: true, client_id: 'WEB' });
  });

  it('may be of the client itself or of a person without a client', async () => {
    const ofClient = await mint({ subject: { client } });
    expect(await introspect(ofClient.value)).toMatchObject({ sub: 'WEB', client_id: 'WEB' });
    const ofPerson = await mint({ subject: { user } });
    expect(await introspect(ofPerson.value)).toMatchObject({ sub: user.id, active: true });
  });

  it('is recorded and audited, never its value', async () => {
    const { value, jti } = await mint();
    const found = server.db.kysely.selectFrom('audit_events').selectAll();
    const event = await found.orderBy('id', 'desc').executeTakeFirstOrThrow();
    expect(event).toMatchObject({
      type: 'token_issued',
      actor_kind: 'cli',
      client_id: 'WEB',
      user_id: user.id,
      detail: { grant_type: 'token_mint', jti, scope: 'mcp:read' },
    });
    expect(JSON.stringify(event)).not.toContain(value);
  });

  it('ends with its client', async () => {
    const { value } = await mint();
    const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
    await server.app.rooms.clients.suspend('WEB', by);
    expect(await isActive(server, value, webSecret)).toBe(false);
    await expect(mint()).rejects.toMatchObject({ error: 'unauthorized_client' });
    await server.app.rooms.clients.resume('WEB', by);
  });

  it.each<[string, () => Partial<TestTokenRequest>, string]>([
    ['where DPoP is demanded', () => ({ resource: resource('bound') }), 'invalid_target'],
    ['with an unknown scope', () => ({ scopes: ['mcp:read', 'mcp:x'] }), 'invalid_scope'],
    ['without a scope', () => ({ scopes: [] }), 'invalid_scope'],
    [
      'above the person’s ceiling',
      () => ({ resource: resource('limited'), scopes: ['l:read', 'l:admin'] }),
      'invalid_scope',
    ],
    ['for longer than others live', () => ({ expiresIn: 901 }), 'invalid_request'],
    ['for no time', () => ({ expiresIn: 0 }), 'invalid_request'],
    [
      'beyond the client’s ceiling',
      () => ({ subject: { client: { ...client, scope: 'mcp:read' } }, scopes: ['mcp:write'] }),
      'invalid_scope',
    ],
  ])('is refused %s, and nothing is written', async (_what, change, error) => {
    const count = async () =>
      (await server.db.kysely.selectFrom('issuances').select('jti').execute()).length;
    const before = await count();
    await expect(mint(change())).rejects.toMatchObject({ error });
    expect(await count()).toBe(before);
  });
});
