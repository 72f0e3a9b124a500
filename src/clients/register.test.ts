import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditMeta } from '../audit/index.ts';
import { testDatabase } from '../db/database.testing.ts';
import { type Database, hashId } from '../db/index.ts';
import { auditOf, clientsConfig, publicKey, testClients } from './clients.testing.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
afterAll(() => db.close());

const good = { redirect_uris: ['http://127.0.0.1:7777/cb'], client_name: 'App' };
const dcr = (mode: 'open' | 'initial_access_token' | 'admin_only') =>
  clientsConfig({ dcr: { ...clientsConfig().dcr, mode } });

async function clientCount(): Promise<number> {
  const rows = await db.kysely.selectFrom('clients').select('client_id').execute();
  return rows.length;
}

describe('RFC 7591 §3.2.1: the answer to a registration', () => {
  it('is 201 with the effective metadata and without null', async () => {
    const { clients, clock, meta } = testClients(db);
    const { status, body } = await clients.register(
      { ...good, client_uri: null, scope: 'a b', grant_types: ['authorization_code', 'implicit'] },
      { ip: '192.0.2.1', meta },
    );
    expect(status).toBe(201);
    expect(body).toEqual({
      client_id: expect.stringMatching(/^dcr_/),
      client_id_issued_at: clock.now().getTime() / 1000,
      client_name: 'App',
      redirect_uris: good.redirect_uris,
      response_types: ['code'],
      grant_types: ['authorization_code'],
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      registration_access_token: expect.stringMatching(/^rat_/),
      registration_client_uri: `https://as.test/oauth/register/${body.client_id}`,
    });
    expect(JSON.stringify(body)).not.toContain('null');
  });

  it('the client is there at once and the event is recorded', async () => {
    const { clients, meta } = testClients(db);
    const { body } = await clients.register(good, { ip: '192.0.2.1', meta });
    expect(await clients.find(body.client_id, { refresh: false })).toMatchObject({
      kind: 'dcr',
      status: 'active',
      clientName: 'App',
      secretHashes: [],
    });
    expect(await auditOf(db, body.client_id)).toMatchObject([
      { type: 'client_registered', actor_kind: 'client', detail: { kind: 'dcr' } },
    ]);
  });

  it.each(['client_secret_basic', 'client_secret_post'])(
    '%s gets a secret, of which only the hash is stored',
    async (token_endpoint_auth_method) => {
      const { clients, meta } = testClients(db);
      const { body } = await clients.register(
        { ...good, token_endpoint_auth_method, client_secret: 'mine' },
        { ip: '192.0.2.1', meta },
      );
      expect(body.client_secret).toMatch(/^cs_/);
      expect(body.client_secret_expires_at).toBe(0);
      const client = await clients.find(body.client_id, { refresh: false });
      expect(client && clients.verifySecret(client, body.client_secret ?? '')).toBe(true);
      expect(client && clients.verifySecret(client, 'mine')).toBe(false);
      const row = await db.kysely
        .selectFrom('clients')
        .selectAll()
        .where('client_id', '=', body.client_id)
        .executeTakeFirstOrThrow();
      const stored = JSON.stringify(row);
      expect(stored).not.toContain(body.client_secret);
      expect(stored).not.toContain(body.registration_access_token);
    },
  );

  it('private_key_jwt gets no secret, and its keys come back', async () => {
    const { clients, meta } = testClients(db);
    const jwks = { keys: [publicKey('EC', 'k1')] };
    const { body } = await clients.register(
      { ...good, token_endpoint_auth_method: 'private_key_jwt', jwks },
      { ip: '192.0.2.1', meta },
    );
    expect(body).not.toHaveProperty('client_secret');
    expect(body.jwks?.keys[0]).toMatchObject({ kid: 'k1', kty: 'EC' });
  });

  it('a refused registration leaves nothing behind', async () => {
    const { clients, meta } = testClients(db);
    const before = await clientCount();
    const refused = clients.register(
      { redirect_uris: ['javascript:alert(1)'] },
      { ip: '192.0.2.1', meta },
    );
    await expect(refused).rejects.toMatchObject({ error: 'invalid_redirect_uri', status: 400 });
    expect(await clientCount()).toBe(before);
  });
});

const by = (meta: AuditMeta) => ({ actor: { kind: 'admin', id: 'api_key' }, meta }) as const;

describe('dcr.mode', () => {
  it('admin_only refuses everybody', async () => {
    const { clients, meta } = testClients(db, dcr('admin_only'));
    await expect(clients.register(good, { ip: '192.0.2.1', meta })).rejects.toMatchObject({
      status: 403,
    });
  });

  it('DC14: initial_access_token takes a token once, and a refused request does not spend it', async () => {
    const { clients, meta } = testClients(db, dcr('initial_access_token'));
    const { token: initialAccessToken } = await clients.issueInitialAccessToken(3600, by(meta));
    const request = { ip: '192.0.2.1', meta, initialAccessToken };
    const made = db.kysely.selectFrom('audit_events').select(['actor_id', 'detail']);
    expect(await made.where('type', '=', 'initial_access_token_created').execute()).toEqual([
      { actor_id: 'api_key', detail: { expires_at: expect.any(String) } },
    ]);
    await expect(clients.register({ redirect_uris: [] }, request)).rejects.toMatchObject({
      error: 'invalid_redirect_uri',
    });
    expect((await clients.register(good, request)).status).toBe(201);
    await expect(clients.register(good, request)).rejects.toMatchObject({
      error: 'invalid_token',
      status: 401,
    });
  });

  it('DC14: a wrong, missing or expired one MUST be 401 invalid_token', async () => {
    const { clients, clock, meta } = testClients(db, dcr('initial_access_token'));
    const { token } = await clients.issueInitialAccessToken(3600, by(meta));
    clock.advance(3601);
    for (const initialAccessToken of [undefined, '', 'wrong', token]) {
      const refused = clients.register(good, { ip: '192.0.2.1', meta, initialAccessToken });
      await expect(refused).rejects.toMatchObject({ error: 'invalid_token', status: 401 });
    }
  });

  it('DC14: one token used many times at once registers one client', async () => {
    const { clients, meta } = testClients(db, dcr('initial_access_token'));
    const { token: initialAccessToken } = await clients.issueInitialAccessToken(3600, by(meta));
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () =>
        clients.register(good, { ip: '192.0.2.1', meta, initialAccessToken }),
      ),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });

  it('a link with another purpose is no initial access token', async () => {
    const { clients, clock, meta } = testClients(db, dcr('initial_access_token'));
    await db.kysely
      .insertInto('one_time_links')
      .values({
        token_hash: hashId('setup'),
        purpose: 'setup',
        expires_at: new Date(clock.now().getTime() + 3_600_000),
        created_at: clock.now(),
      })
      .execute();
    const refused = clients.register(good, { ip: '192.0.2.1', meta, initialAccessToken: 'setup' });
    await expect(refused).rejects.toMatchObject({ error: 'invalid_token' });
  });
});

describe('DC10: how many', () => {
  it('an address that never uses what it registers is stopped with 429 and Retry-After', async () => {
    const { clients, clock, meta } = testClients(db);
    const at = clock.now();
    const rows = Array.from({ length: 1000 }, (_, index) => ({
      client_id: `dcr_flood${index}`,
      kind: 'dcr' as const,
      metadata: '{}',
      source: 'registration' as const,
      registered_from: '2001:db8:1:2::/64',
      created_at: at,
      updated_at: at,
    }));
    await db.kysely.insertInto('clients').values(rows).execute();
    const from = (ip: string) => clients.register(good, { ip, meta });
    await expect(from('2001:db8:1:2::5')).rejects.toMatchObject({
      status: 429,
      headers: { 'Retry-After': '3600' },
    });
    expect((await from('2001:db8:1:3::5')).status).toBe(201);
    await db.kysely
      .updateTable('clients')
      .set({ last_used_at: at })
      .where('client_id', '=', 'dcr_flood1')
      .execute();
    expect((await from('2001:db8:1:2::5')).status, 'one of them was used').toBe(201);
    clock.advance(86_401);
    expect((await from('2001:db8:1:2::5')).status, 'a day later').toBe(201);
  });
});
