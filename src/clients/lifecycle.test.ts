import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { auditOf, type Clock, clientsConfig, testClients, testClock } from './clients.testing.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
afterAll(() => db.close());
beforeEach(async () => {
  await db.kysely.deleteFrom('clients').execute();
});

const by = { actor: { kind: 'admin', id: 'root' } as const, meta: { at: new Date() } };
const redirect_uris = ['https://app.test/cb'];
const find = { refresh: false };
const day = 86_400;

async function register(room: ReturnType<typeof testClients>) {
  const { body } = await room.clients.register(
    { redirect_uris },
    { ip: '192.0.2.1', meta: room.meta },
  );
  return body.client_id;
}

async function authorizeUntil(clientId: string, clock: Clock, seconds: number, revoked = false) {
  const at = clock.now();
  await db.kysely
    .insertInto('families')
    .values({
      id: `fam_${clientId}`,
      client_id: clientId,
      payload: '{}',
      expires_at: new Date(at.getTime() + seconds * 1000),
      revoked_at: revoked ? at : null,
      created_at: at,
    })
    .execute();
}

describe('suspending', () => {
  it('is seen at once here, within a second by every replica, and resumes', async () => {
    const clock = testClock();
    const here = testClients(db, clientsConfig(), clock);
    const there = testClients(db, clientsConfig(), clock);
    const id = await register(here);
    await there.clients.find(id, find);
    await here.clients.find(id, find);
    expect(await here.clients.suspend(id, by, 'abuse')).toBe(true);
    expect(await here.clients.find(id, find)).toMatchObject({ status: 'suspended' });
    clock.advance(0.6);
    expect(await there.clients.find(id, find)).toMatchObject({ status: 'suspended' });
    await here.clients.resume(id, by);
    expect(await here.clients.find(id, find)).toMatchObject({ status: 'active' });
    expect((await auditOf(db, id)).map((event) => event.type)).toEqual([
      'client_registered',
      'client_suspended',
      'client_resumed',
    ]);
  });

  it('is told to replicas that listen, before their copy runs out', async () => {
    const clock = testClock();
    const here = testClients(db, clientsConfig(), clock);
    const there = testClients(db, clientsConfig(), clock);
    const stop = await there.clients.listen();
    const id = await register(here);
    await there.clients.find(id, find);
    await here.clients.suspend(id, by);
    await expect.poll(async () => (await there.clients.find(id, find))?.status).toBe('suspended');
    await stop();
  });

  it('twice is recorded once, and an unknown client is told', async () => {
    const room = testClients(db);
    const id = await register(room);
    await room.clients.suspend(id, by);
    expect(await room.clients.suspend(id, by)).toBe(true);
    expect(await auditOf(db, id)).toHaveLength(2);
    expect(await room.clients.suspend('dcr_nobody', by)).toBe(false);
  });
});

describe('removing', () => {
  it('ends what the client holds, and the id is unknown', async () => {
    const room = testClients(db);
    const id = await register(room);
    expect(await room.clients.remove(id, by)).toEqual({ grants: 1, families: 2 });
    expect(room.ended).toEqual([id]);
    expect(await room.clients.find(id, find)).toBeUndefined();
    expect(await room.clients.remove(id, by)).toBeUndefined();
  });
});

describe('R14: reaping', () => {
  it('removes a registered client unused for dcr.unused_ttl, and only then', async () => {
    const room = testClients(db);
    const id = await register(room);
    room.clock.advance(30 * day - 10);
    expect((await room.clients.reap()).clients).toBe(0);
    room.clock.advance(20);
    expect((await room.clients.reap()).clients).toBe(1);
    expect(await room.clients.find(id, find)).toBeUndefined();
    expect((await auditOf(db, id)).at(-1)).toMatchObject({ type: 'client_reaped' });
  });

  it('a client with a live authorization MUST NOT be reaped; one that ended does not count', async () => {
    const room = testClients(db);
    const live = await register(room);
    const expired = await register(room);
    const revoked = await register(room);
    await authorizeUntil(live, room.clock, 90 * day);
    await authorizeUntil(expired, room.clock, day);
    await authorizeUntil(revoked, room.clock, 90 * day, true);
    room.clock.advance(31 * day);
    expect((await room.clients.reap()).clients).toBe(2);
    expect(await room.clients.find(live, find)).toBeDefined();
  });

  it('a client that was used lately stays', async () => {
    const room = testClients(db);
    const id = await register(room);
    room.clock.advance(29 * day);
    const last_used_at = room.clock.now();
    await db.kysely
      .updateTable('clients')
      .set({ last_used_at })
      .where('client_id', '=', id)
      .execute();
    room.clock.advance(2 * day);
    expect((await room.clients.reap()).clients).toBe(0);
  });

  it('clients of operators and used documents are never reaped', async () => {
    const room = testClients(db);
    await room.clients.create({ client_id: 'web', redirect_uris }, 'admin', by);
    const document = { client_id: 'https://app.test/client.json', redirect_uris };
    room.web.serve(document.client_id, document);
    await room.clients.find(document.client_id, { refresh: true });
    const last_used_at = room.clock.now();
    await db.kysely
      .updateTable('clients')
      .set({ last_used_at })
      .where('client_id', '=', document.client_id)
      .execute();
    room.clock.advance(400 * day);
    expect(await room.clients.reap()).toMatchObject({ clients: 0, documents: 0 });
    expect(await room.clients.find('web', find)).toBeDefined();
    expect(await room.clients.find(document.client_id, find)).toBeDefined();
  });

  it('documents that nobody used are forgotten a day after they expired, unless suspended', async () => {
    const room = testClients(db);
    for (const name of ['one', 'two']) {
      const client_id = `https://${name}.test/client.json`;
      room.web.serve(client_id, { client_id, redirect_uris });
      await room.clients.find(client_id, { refresh: true });
    }
    await room.clients.find('https://none.test/client.json', { refresh: true });
    await room.clients.suspend('https://two.test/client.json', by);
    room.clock.advance(day + 3601);
    expect(await room.clients.reap()).toEqual({ clients: 0, documents: 1, failures: 1 });
    expect(await room.clients.find('https://two.test/client.json', find)).toBeDefined();
  });

  it('works through more than one batch', async () => {
    const room = testClients(db);
    const at = room.clock.now();
    const rows = Array.from({ length: 450 }, (_, index) => ({
      client_id: `dcr_${index}`,
      kind: 'dcr' as const,
      metadata: '{}',
      source: 'registration' as const,
      created_at: at,
      updated_at: at,
    }));
    await db.kysely.insertInto('clients').values(rows).execute();
    room.clock.advance(31 * day);
    expect((await room.clients.reap()).clients).toBe(450);
  });
});

describe('listing', () => {
  it('pages newest first, searches by prefix and filters', async () => {
    const room = testClients(db);
    for (const name of ['alpha', 'beta', 'gamma']) {
      await room.clients.create(
        { client_id: name, client_name: `The ${name}`, redirect_uris },
        'cli',
        by,
      );
      room.clock.advance(1);
    }
    const first = await room.clients.list({ limit: 2 });
    expect(first.items.map((client) => client.clientId)).toEqual(['gamma', 'beta']);
    const rest = await room.clients.list({ limit: 2, cursor: first.next_cursor });
    expect(rest.items.map((client) => client.clientId)).toEqual(['alpha']);
    expect(rest).not.toHaveProperty('next_cursor');
    const ids = async (request: object) =>
      (await room.clients.list(request)).items.map((client) => client.clientId);
    expect(await ids({ q: 'THE B' })).toEqual(['beta']);
    expect(await ids({ q: '%' })).toEqual([]);
    expect(await ids({ kind: 'dcr' })).toEqual([]);
    expect(await ids({ q: 'alpha', kind: 'dcr' })).toEqual([]);
    await room.clients.suspend('beta', by);
    expect(await ids({ status: 'suspended' })).toEqual(['beta']);
  });

  it.each(['', 'x', 'W10', Buffer.from('["a","b"]').toString('base64url')])(
    'AD08: a cursor that is not ours is refused: %s',
    async (cursor) => {
      const { clients } = testClients(db);
      await expect(clients.list({ cursor })).rejects.toMatchObject({ error: 'invalid_request' });
    },
  );

  it.each(["';drop table clients", '\u0000', '\ud800', '_', '\\'])(
    'q is data only: %j',
    async (q) => {
      const { clients } = testClients(db);
      expect(await clients.list({ q })).toEqual({ items: [] });
    },
  );
});

describe('find', () => {
  it.each(['', '\u0000', 'a\u0000', 'x'.repeat(5000), 'ünïcode', 'a b'])(
    'answers undefined for what no client_id can be: %j',
    async (clientId) => {
      const { clients } = testClients(db);
      expect(await clients.find(clientId, find)).toBeUndefined();
    },
  );

  it('reads a client once in half a second', async () => {
    const queries: string[] = [];
    const counted = {
      ...db,
      run: ((...args: Parameters<Database['run']>) => {
        queries.push(args[0].name);
        return db.run(...args);
      }) satisfies Database['run'],
    };
    const room = testClients(db);
    const id = await register(room);
    const other = testClients(counted, clientsConfig(), room.clock);
    for (let count = 0; count < 10; count += 1) await other.clients.find(id, find);
    expect(queries).toHaveLength(1);
    room.clock.advance(0.6);
    await other.clients.find(id, find);
    expect(queries).toHaveLength(2);
  });
});
