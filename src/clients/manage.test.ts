import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { auditOf, testClients } from './clients.testing.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
afterAll(() => db.close());

const good = { redirect_uris: ['https://app.test/cb'], client_name: 'App' };
const admin = { kind: 'admin', id: 'root' } as const;

async function registered(members: object = {}) {
  const room = testClients(db);
  const { body } = await room.clients.register(
    { ...good, ...members },
    { ip: '192.0.2.1', meta: room.meta },
  );
  return { ...room, id: body.client_id, token: body.registration_access_token, body };
}

describe('RFC 7592', () => {
  it('§2.1 read answers the metadata, the token and the URI, but no secret', async () => {
    const { clients, id, token, body } = await registered({
      token_endpoint_auth_method: 'client_secret_basic',
    });
    const { client_secret: _, client_secret_expires_at: __, ...expected } = body;
    expect(await clients.management.read(id, token)).toEqual(expected);
  });

  it('§2.2 update replaces all metadata: what is left out is gone', async () => {
    const { clients, id, token, meta } = await registered({ client_uri: 'https://app.test/' });
    const changed = { client_id: id, redirect_uris: ['https://app.test/new'] };
    const answer = await clients.management.update(id, token, changed, meta);
    expect(answer.redirect_uris).toEqual(['https://app.test/new']);
    expect(answer).not.toHaveProperty('client_uri');
    expect((await clients.find(id, { refresh: false }))?.metadata).not.toHaveProperty(
      'client_name',
    );
    expect((await auditOf(db, id)).map((event) => event.type)).toEqual([
      'client_registered',
      'client_updated',
    ]);
  });

  it('DC12: another redirect host changes the digest, so that consent is asked again', async () => {
    const { clients, id, token, meta } = await registered();
    const before = await clients.find(id, { refresh: false });
    const redirect_uris = [...good.redirect_uris, 'https://evil.test/cb'];
    await clients.management.update(id, token, { ...good, client_id: id, redirect_uris }, meta);
    const after = await clients.find(id, { refresh: false });
    expect(after?.digest).not.toBe(before?.digest);
  });

  it('T18: an update MUST be judged in full, like a registration', async () => {
    const { clients, id, token, meta } = await registered();
    const update = (members: object) =>
      clients.management.update(id, token, { ...good, client_id: id, ...members }, meta);
    await expect(update({ redirect_uris: ['javascript:alert(1)'] })).rejects.toMatchObject({
      error: 'invalid_redirect_uri',
    });
    await expect(update({ grant_types: ['client_credentials'] })).rejects.toMatchObject({
      error: 'invalid_client_metadata',
    });
    const widened = await update({ grant_types: ['authorization_code', 'client_credentials'] });
    expect(widened.grant_types).toEqual(['authorization_code']);
  });

  it('DC11: the members that identify the client MUST NOT be swapped', async () => {
    const { clients, id, token, meta } = await registered();
    const other = await registered();
    const update = (body: object) => clients.management.update(id, token, body, meta);
    await expect(update({ ...good, client_id: other.id })).rejects.toMatchObject({ status: 403 });
    await expect(update(good)).rejects.toMatchObject({ error: 'invalid_request', status: 400 });
  });

  it('a secret that the client proposes is ignored; it keeps its own', async () => {
    const { clients, id, token, meta, body } = await registered({
      token_endpoint_auth_method: 'client_secret_post',
    });
    const answer = await clients.management.update(
      id,
      token,
      {
        ...good,
        client_id: id,
        client_secret: 'chosen-by-me',
        token_endpoint_auth_method: 'client_secret_post',
      },
      meta,
    );
    expect(answer).not.toHaveProperty('client_secret');
    const client = await clients.find(id, { refresh: false });
    expect(client && clients.verifySecret(client, body.client_secret ?? '')).toBe(true);
    expect(client && clients.verifySecret(client, 'chosen-by-me')).toBe(false);
  });

  it('a client that becomes confidential gets a secret, one that becomes public loses it', async () => {
    const { clients, id, token, meta } = await registered();
    const update = (token_endpoint_auth_method: string) =>
      clients.management.update(
        id,
        token,
        { ...good, client_id: id, token_endpoint_auth_method },
        meta,
      );
    const { client_secret: secret = '' } = await update('client_secret_basic');
    expect(secret).toMatch(/^cs_/);
    await update('none');
    const client = await clients.find(id, { refresh: false });
    expect(client?.secretHashes).toEqual([]);
  });

  it('§2.3 delete removes the client and ends what it holds', async () => {
    const { clients, id, token, meta, ended } = await registered();
    await clients.management.remove(id, token, meta);
    expect(await clients.find(id, { refresh: false })).toBeUndefined();
    expect(ended).toEqual([id]);
    await expect(clients.management.read(id, token)).rejects.toMatchObject({ status: 401 });
    expect((await auditOf(db, id)).at(-1)).toMatchObject({ type: 'client_removed' });
  });
});

describe('DC11: whose token it is', () => {
  it('no token, a wrong one, and that of another client MUST be 401', async () => {
    const { clients, id, meta } = await registered();
    const other = await registered();
    for (const token of [undefined, '', 'rat_wrong', other.token]) {
      const refused = { error: 'invalid_token', status: 401 };
      const body = { ...good, client_id: id };
      await expect(clients.management.read(id, token)).rejects.toMatchObject(refused);
      await expect(clients.management.update(id, token, body, meta)).rejects.toMatchObject(refused);
      await expect(clients.management.remove(id, token, meta)).rejects.toMatchObject(refused);
    }
    expect(await clients.find(id, { refresh: false })).toBeDefined();
  });

  it('an unknown client is the same 401', async () => {
    const { clients, token } = await registered();
    await expect(clients.management.read('dcr_nobody', token)).rejects.toMatchObject({
      status: 401,
    });
  });

  it('a suspended client MUST NOT manage itself back, nor away', async () => {
    const { clients, id, token, meta } = await registered();
    await clients.suspend(id, { actor: admin, meta });
    const body = { ...good, client_id: id };
    await expect(clients.management.read(id, token)).rejects.toMatchObject({ status: 403 });
    await expect(clients.management.update(id, token, body, meta)).rejects.toMatchObject({
      status: 403,
    });
    await expect(clients.management.remove(id, token, meta)).rejects.toMatchObject({ status: 403 });
    expect(await clients.find(id, { refresh: false })).toMatchObject({ status: 'suspended' });
  });
});
