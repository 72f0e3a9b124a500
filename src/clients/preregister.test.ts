import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { auditOf, testClients } from './clients.testing.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
afterAll(() => db.close());

const by = { actor: { kind: 'cli' } as const, meta: { at: new Date() } };
const redirect_uris = ['https://app.test/cb'];

describe('a client made by an operator', () => {
  it('gets a secret where it needs one and none is given', async () => {
    const { clients } = testClients(db);
    const { client, clientSecret } = await clients.create(
      { client_id: 'web', redirect_uris, token_endpoint_auth_method: 'client_secret_basic' },
      'cli',
      by,
    );
    expect(client).toMatchObject({ clientId: 'web', kind: 'preregistered', source: 'cli' });
    expect(clients.verifySecret(client, clientSecret ?? '')).toBe(true);
  });

  it('keeps a given secret as a hash, with its resources and scope ceiling', async () => {
    const { clients } = testClients(db);
    const made = await clients.create(
      {
        client_id: 'given',
        client_secret: 'correct horse battery',
        redirect_uris,
        resources: ['https://rs.test/mcp'],
        scope: 'a b',
      },
      'admin',
      by,
    );
    expect(made).not.toHaveProperty('clientSecret');
    expect(made.client).toMatchObject({
      resources: ['https://rs.test/mcp'],
      scope: 'a b',
      metadata: { token_endpoint_auth_method: 'client_secret_basic' },
    });
    expect(clients.verifySecret(made.client, 'correct horse battery')).toBe(true);
    expect(JSON.stringify(await auditOf(db, 'given'))).not.toContain('horse');
  });

  it.each([
    ['that of a person', 'usr_x'],
    ['a document', 'https://app.test/client.json'],
    ['not printable', 'a\u0000b'],
    ['with a space', 'a b'],
    ['empty', ''],
    ['too long', 'a'.repeat(256)],
  ])('MUST NOT have an id that is %s', async (_name, client_id) => {
    const { clients } = testClients(db);
    await expect(clients.create({ client_id, redirect_uris }, 'cli', by)).rejects.toMatchObject({
      error: 'invalid_client_metadata',
    });
  });

  it('cannot take the id of another', async () => {
    const { clients } = testClients(db);
    await clients.create({ client_id: 'taken', redirect_uris }, 'cli', by);
    await expect(
      clients.create({ client_id: 'taken', redirect_uris, scope: 'x' }, 'cli', by),
    ).rejects.toMatchObject({ status: 409 });
    expect(await clients.find('taken', { refresh: false })).not.toHaveProperty('scope');
  });
});

describe('secrets rotate with an overlap', () => {
  it('the old one is good until the overlap ends, one before it no longer', async () => {
    const { clients } = testClients(db);
    const { clientSecret: first = '' } = await clients.create(
      { client_id: 'rotating', redirect_uris, token_endpoint_auth_method: 'client_secret_post' },
      'cli',
      by,
    );
    const good = async (secret = '') => {
      const client = await clients.find('rotating', { refresh: false });
      return client !== undefined && clients.verifySecret(client, secret);
    };
    const second = await clients.rotateSecret('rotating', by);
    expect([await good(first), await good(second)]).toEqual([true, true]);
    const third = await clients.rotateSecret('rotating', by);
    expect([await good(first), await good(second), await good(third)]).toEqual([false, true, true]);
    await clients.endSecretOverlap('rotating', by);
    expect([await good(second), await good(third)]).toEqual([false, true]);
  });

  it('a public client has none to rotate', async () => {
    const { clients } = testClients(db);
    await clients.create({ client_id: 'public', redirect_uris }, 'cli', by);
    expect(await clients.rotateSecret('public', by)).toBeUndefined();
    expect(await clients.rotateSecret('nobody', by)).toBeUndefined();
  });
});

describe('reconciling with the configuration', () => {
  const declared = { client_id: 'declared', client_secret: 'one secret here', redirect_uris };

  it('makes, changes, leaves alone and reports', async () => {
    const { clients, meta } = testClients(db);
    const run = (...list: Parameters<typeof clients.reconcile>[0]) => clients.reconcile(list, meta);
    expect(await run(declared)).toMatchObject({ created: ['declared'] });
    expect(await run(declared)).toMatchObject({ created: [], unchanged: ['declared'] });
    expect(await run({ ...declared, redirect_uris: ['https://b.test/cb'] })).toMatchObject({
      updated: ['declared'],
    });
    expect(
      await run({ ...declared, redirect_uris: ['https://b.test/cb'], scope: 'a' }),
    ).toMatchObject({
      updated: ['declared'],
    });
    expect(await clients.find('declared', { refresh: false })).toMatchObject({
      scope: 'a',
      metadata: { redirect_uris: ['https://b.test/cb'] },
    });
    expect(await run()).toMatchObject({ undeclared: ['declared'], updated: [] });
    expect(await clients.find('declared', { refresh: false })).toBeDefined();
  });

  it('a changed secret replaces the old one at once', async () => {
    const { clients, meta } = testClients(db);
    await clients.reconcile([{ ...declared, client_id: 'secretive' }], meta);
    await clients.reconcile(
      [{ ...declared, client_id: 'secretive', client_secret: 'another secret' }],
      meta,
    );
    const client = await clients.find('secretive', { refresh: false });
    expect(client && clients.verifySecret(client, 'another secret')).toBe(true);
    expect(client && clients.verifySecret(client, 'one secret here')).toBe(false);
  });

  it('touches nothing that was made elsewhere, and keeps a suspension', async () => {
    const { clients, meta } = testClients(db);
    await clients.create({ client_id: 'by-hand', redirect_uris }, 'admin', by);
    const report = await clients.reconcile(
      [{ client_id: 'by-hand', redirect_uris, scope: 'x' }],
      meta,
    );
    expect(report.conflicts).toEqual(['by-hand']);
    expect(await clients.find('by-hand', { refresh: false })).not.toHaveProperty('scope');
    await clients.reconcile([{ ...declared, client_id: 'stopped' }], meta);
    await clients.suspend('stopped', by);
    await clients.reconcile([{ ...declared, client_id: 'stopped', scope: 'y' }], meta);
    expect(await clients.find('stopped', { refresh: false })).toMatchObject({
      status: 'suspended',
      scope: 'y',
    });
  });

  it('five replicas starting at once make each client once', async () => {
    const rooms = Array.from({ length: 5 }, () => testClients(db));
    const reports = await Promise.all(
      rooms.map(({ clients, meta }) =>
        clients.reconcile([{ client_id: 'raced', redirect_uris }], meta),
      ),
    );
    expect(reports.flatMap((report) => report.created)).toEqual(['raced']);
    expect(await auditOf(db, 'raced')).toHaveLength(1);
  });

  it('a client that needs a secret and has none is refused', async () => {
    const { clients, meta } = testClients(db);
    const one = {
      client_id: 'no-secret',
      redirect_uris,
      token_endpoint_auth_method: 'client_secret_basic',
    };
    await expect(clients.reconcile([one], meta)).rejects.toThrow('client_secret of no-secret');
  });
});
