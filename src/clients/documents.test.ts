import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { auditOf, clientsConfig, testClients } from './clients.testing.ts';
import { freshness } from './documents.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
afterAll(() => db.close());

let count = 0;
/** A client_id of its own for each test, with its document. */
function newDocument(members: object = {}) {
  count += 1;
  const client_id = `https://app${count}.test/client.json`;
  return { client_id, client_name: 'App', redirect_uris: ['https://app.test/cb'], ...members };
}

const authorize = { refresh: true };
const token = { refresh: false };

describe('CI01: a client with a metadata document', () => {
  it('is known by its document, its host and the rules that helped', async () => {
    const { clients, web } = testClients(db);
    const document = newDocument();
    web.serve(document.client_id, document);
    expect(await clients.find(document.client_id, authorize)).toMatchObject({
      clientId: document.client_id,
      kind: 'cimd',
      status: 'active',
      clientName: 'App',
      documentHost: new URL(document.client_id).hostname,
      secretHashes: [],
      rules: ['default-grant-types', 'auth-method-none-when-absent'],
    });
    expect((await auditOf(db, document.client_id)).map((event) => event.type)).toEqual([
      'client_registered',
    ]);
  });

  it('is fetched at authorize only: elsewhere the stored document answers, however old', async () => {
    const { clients, web, clock } = testClients(db);
    const document = newDocument();
    web.serve(document.client_id, document);
    expect(await clients.find(document.client_id, token)).toBeUndefined();
    expect(web.asked).toEqual([]);
    await clients.find(document.client_id, authorize);
    clock.advance(7 * 86_400);
    expect(await clients.find(document.client_id, token)).toBeDefined();
    expect(web.asked).toHaveLength(1);
  });

  it('one document is fetched once at a time, and all replicas share it', async () => {
    const one = testClients(db);
    const document = newDocument();
    one.web.serve(document.client_id, document);
    const found = await Promise.all(
      Array.from({ length: 20 }, () => one.clients.find(document.client_id, authorize)),
    );
    expect(found.every((client) => client?.kind === 'cimd')).toBe(true);
    expect(one.web.asked).toHaveLength(1);
    const other = testClients(db);
    expect(await other.clients.find(document.client_id, authorize)).toBeDefined();
    expect(other.web.asked).toEqual([]);
  });
});

describe('CI15: a document that changes', () => {
  it('is fetched again when it is no longer fresh, and its digest changes', async () => {
    const { clients, web, clock } = testClients(db);
    const document = newDocument();
    web.serve(document.client_id, document, { 'cache-control': 'max-age=600' });
    const before = await clients.find(document.client_id, authorize);
    web.serve(document.client_id, {
      ...document,
      client_name: 'Other',
      redirect_uris: ['https://evil.test/cb'],
    });
    clock.advance(599);
    expect(await clients.find(document.client_id, authorize)).toMatchObject({ clientName: 'App' });
    clock.advance(2);
    const after = await clients.find(document.client_id, authorize);
    expect(after?.clientName).toBe('Other');
    expect(after?.metadata.redirect_uris).toEqual(['https://evil.test/cb']);
    expect(after?.digest).not.toBe(before?.digest);
    expect(web.asked).toHaveLength(2);
    const [, changed] = await auditOf(db, document.client_id);
    expect(changed).toMatchObject({
      type: 'client_document_changed',
      detail: {
        changes: expect.arrayContaining([
          { field: 'client_name', from: 'App', to: 'Other' },
          { field: 'redirect_hosts', from: ['app.test'], to: ['evil.test'] },
        ]),
      },
    });
  });

  it('a change of nothing that people agreed to is no event', async () => {
    const { clients, web, clock } = testClients(db);
    const document = newDocument();
    web.serve(document.client_id, document);
    await clients.find(document.client_id, authorize);
    web.serve(document.client_id, { ...document, software_version: '2' });
    clock.advance(3601);
    const after = await clients.find(document.client_id, authorize);
    expect(after?.metadata.software_version).toBe('2');
    expect(await auditOf(db, document.client_id)).toHaveLength(1);
  });

  it('the cache headers count, between a minute and cimd.cache_ttl', () => {
    // rounded: the library looks at the clock twice
    const seconds = (headers: Record<string, string>) =>
      Math.round(freshness(headers, 3600) / 1000);
    expect(seconds({})).toBe(3600);
    expect(seconds({ 'cache-control': 'max-age=600' })).toBe(600);
    expect(seconds({ 'cache-control': 'max-age=600, s-maxage=900' })).toBe(900);
    expect(seconds({ 'cache-control': 'max-age=600', age: '200' })).toBe(400);
    expect(seconds({ 'cache-control': 'no-store' })).toBe(60);
    expect(seconds({ 'cache-control': 'max-age=0' })).toBe(60);
    expect(seconds({ 'cache-control': 'private, max-age=600' })).toBe(60);
    expect(seconds({ 'cache-control': 'max-age=99999999' })).toBe(3600);
    expect(seconds({ 'cache-control': 'nonsense=;;' })).toBe(60);
    expect(seconds({ expires: 'nonsense' })).toBe(60);
    expect(freshness({ 'cache-control': 'max-age=600' }, 1)).toBe(60_000);
  });
});

describe('a document that cannot be had', () => {
  it('makes the client unknown, and is left alone for a minute by every replica', async () => {
    const { clients, web, clock } = testClients(db);
    const document = newDocument();
    expect(await clients.find(document.client_id, authorize)).toBeUndefined();
    web.serve(document.client_id, document);
    expect(await clients.find(document.client_id, authorize)).toBeUndefined();
    const other = testClients(db, clientsConfig(), clock);
    other.web.serve(document.client_id, document);
    expect(await other.clients.find(document.client_id, authorize)).toBeUndefined();
    expect([...web.asked, ...other.web.asked]).toHaveLength(1);
    clock.advance(61);
    expect(await clients.find(document.client_id, authorize)).toBeDefined();
  });

  it('what is invalid is not stored', async () => {
    const { clients, web } = testClients(db);
    const document = newDocument({ client_secret: 'x' });
    web.serve(document.client_id, document);
    expect(await clients.find(document.client_id, authorize)).toBeUndefined();
    expect(await clients.find(document.client_id, token)).toBeUndefined();
    expect(await auditOf(db, document.client_id)).toEqual([]);
  });

  it('a stored copy stands in for up to a day while its host cannot answer', async () => {
    const { clients, web, clock } = testClients(db);
    const document = newDocument();
    web.serve(document.client_id, document);
    await clients.find(document.client_id, authorize);
    web.fail(document.client_id, { kind: 'timeout' });
    clock.advance(3601);
    expect(await clients.find(document.client_id, authorize)).toBeDefined();
    expect(await clients.find(document.client_id, authorize), 'during the pause').toBeDefined();
    expect(web.asked).toHaveLength(2);
    clock.advance(86_400);
    expect(await clients.find(document.client_id, authorize)).toBeUndefined();
  });

  it.each([
    { kind: 'status', status: 404 },
    { kind: 'document', problem: 'redirect_uris' },
    { kind: 'address', address: '10.0.0.1', range: '10.0.0.0/8' },
    { kind: 'redirect', status: 302 },
  ] as const)(
    'no stored copy stands in where the host has taken it back: $kind',
    async (reason) => {
      const { clients, web, clock } = testClients(db);
      const document = newDocument();
      web.serve(document.client_id, document);
      await clients.find(document.client_id, authorize);
      web.fail(document.client_id, reason);
      clock.advance(3601);
      expect(await clients.find(document.client_id, authorize)).toBeUndefined();
      expect(await clients.find(document.client_id, authorize), 'during the pause').toBeUndefined();
    },
  );

  it('being busy ourselves does not lock the client out for a minute', async () => {
    const { clients, web } = testClients(db);
    const document = newDocument();
    web.fail(document.client_id, { kind: 'busy', scope: 'host' });
    expect(await clients.find(document.client_id, authorize)).toBeUndefined();
    web.serve(document.client_id, document);
    expect(await clients.find(document.client_id, authorize)).toBeDefined();
  });
});

describe('who is not asked for a document', () => {
  it('a suspended client: nothing that its host says may bring it back', async () => {
    const { clients, web, clock, meta } = testClients(db);
    const document = newDocument();
    web.serve(document.client_id, document);
    await clients.find(document.client_id, authorize);
    await clients.suspend(document.client_id, { actor: { kind: 'admin' }, meta });
    web.serve(document.client_id, { ...document, client_name: 'Back' });
    clock.advance(7200);
    expect(await clients.find(document.client_id, authorize)).toMatchObject({
      status: 'suspended',
      clientName: 'App',
    });
    expect(web.asked).toHaveLength(1);
  });

  it.each([
    'http://app.test/client.json',
    'https://app.test',
    'https://app.test/a/%2e%2e/b',
    'https://user@app.test/a',
    'https://app.test/a#b',
    `https://app.test/${'a'.repeat(8192)}`,
    'https://app.test/\u0000',
    'https://app.test/a\r\nb',
  ])('a client_id that breaks the rules: %j', async (clientId) => {
    const { clients, web } = testClients(db);
    expect(await clients.find(clientId, authorize)).toBeUndefined();
    expect(await clients.find(clientId, token)).toBeUndefined();
    expect(web.asked).toEqual([]);
  });

  it('a host that the operator does not want, stored or not', async () => {
    const document = newDocument();
    const before = testClients(db);
    before.web.serve(document.client_id, document);
    await before.clients.find(document.client_id, authorize);
    const { cimd } = clientsConfig();
    const host = new URL(document.client_id).hostname;
    for (const lists of [
      { denied_hosts: [host] },
      { allowed_hosts: ['other.test'] },
      { enabled: false },
    ]) {
      const { clients } = testClients(db, clientsConfig({ cimd: { ...cimd, ...lists } }));
      expect(await clients.find(document.client_id, authorize)).toBeUndefined();
      expect(await clients.find(document.client_id, token)).toBeUndefined();
    }
  });
});
