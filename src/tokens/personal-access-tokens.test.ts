import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import { type Database, hashId } from '../db/index.ts';
import { aResource } from '../resources/resource.testing.ts';
import { type NewPersonalToken, readOpaqueToken } from './index.ts';
import { boards, by, day, later, personalTokens, start } from './personal-access-tokens.testing.ts';

let db: Database;
let room: Awaited<ReturnType<typeof personalTokens>>;
beforeAll(async () => {
  db = await testDatabase();
});
beforeEach(async () => {
  room = await personalTokens(db);
});
afterAll(() => db.close());

const issuances = () => db.kysely.selectFrom('issuances').selectAll().execute();

async function events(type: string) {
  const found = db.kysely.selectFrom('audit_events').selectAll().where('type', '=', type);
  return found.orderBy('id').execute();
}

async function alive(value: string): Promise<boolean> {
  return (await room.exchange.issued(hashId(value)))?.alive === true;
}

describe('a new token', () => {
  it('has the prefix of its resource and a checksum, and is recorded under its hash only', async () => {
    const made = await room.create({ scopes: ['write', 'read'], expiresIn: 30 * day });
    expect(made.value).toMatch(/^cp_pat_[0-9A-Za-z]{49}$/);
    expect(readOpaqueToken(made.value)).toEqual({ prefix: 'cp', kind: 'pat' });
    expect(await issuances()).toMatchObject([
      {
        jti: hashId(made.value),
        kind: 'personal_access_token',
        grant_type: 'personal_access_token',
        client_id: null,
        sub: 'usr_alice',
        resource: boards.uri,
        scope: 'read write',
        token_type: 'Bearer',
        root_jti: hashId(made.value),
        parent_jti: null,
        issued_at: start,
        expires_at: later(30 * day),
        revoked_at: null,
      },
    ]);
    const everything = JSON.stringify([
      await issuances(),
      await db.kysely.selectFrom('personal_access_tokens').selectAll().execute(),
      await events('token_issued'),
      await room.personal.list({ now: start }),
    ]);
    expect(everything).not.toContain(made.value);
  });

  it('is told of in the audit log', async () => {
    const made = await room.create();
    expect((await events('token_issued')).at(-1)).toMatchObject({
      actor_kind: 'user',
      actor_id: 'usr_alice',
      client_id: null,
      user_id: 'usr_alice',
      resource: boards.uri,
      ip: '192.0.2.1',
      detail: { kind: 'personal_access_token', scope: 'read', jti: made.id },
    });
  });

  it('lives 90 days unless told', async () => {
    expect((await room.create()).expiresAt).toEqual(later(90 * day));
  });

  const limited = { ...boards, access: [{ groups: ['staff'], scopes: ['write'] }] };
  it.each<[string, Partial<NewPersonalToken>, string]>([
    ['without a name', { name: ' ' }, 'name'],
    ['beyond the maximum', { expiresIn: 366 * day }, 'expires'],
    ['without a scope', { scopes: [] }, 'scope'],
    ['with a scope above the ceiling', { resource: limited, scopes: ['admin'] }, 'scope'],
    ['for a resource that demands DPoP', { resource: { ...boards, dpop: 'required' } }, 'resource'],
    ['without the workspace', { resource: { ...boards, workspaceScoped: true } }, 'workspace'],
    [
      'for a workspace of others',
      { resource: { ...boards, workspaceScoped: true }, workspaceId: 'w1' },
      'workspace',
    ],
    ['for one that is gone', { resource: aResource() }, 'resource'],
    ['for nobody', { userId: 'usr_nobody' }, 'account'],
  ])('%s is refused, and nothing is written', async (_what, change, field) => {
    const before = (await events('token_issued')).length;
    await expect(room.create(change)).rejects.toMatchObject({ field });
    expect(await issuances()).toEqual([]);
    expect((await events('token_issued')).length).toBe(before);
  });

  it('is for an enabled resource and an active person only', async () => {
    await db.kysely.updateTable('resources').set({ enabled: false }).execute();
    await expect(room.create()).rejects.toMatchObject({ field: 'resource' });
    await db.kysely.updateTable('resources').set({ enabled: true }).execute();
    await db.kysely.updateTable('users').set({ status: 'disabled' }).execute();
    await expect(room.create()).rejects.toMatchObject({ field: 'account' });
    expect(await issuances()).toEqual([]);
  });

  it('is refused beyond 100 live ones; what was revoked or has expired does not count', async () => {
    const made = [];
    for (let count = 0; count < 100; count++) made.push(await room.create({ expiresIn: 60 }));
    await expect(room.create()).rejects.toMatchObject({ field: 'account', status: 409 });
    await room.personal.revoke(made[0]?.id ?? '', { ...by('usr_alice'), reason: 'test' });
    await room.create();
    await expect(room.create()).rejects.toMatchObject({ field: 'account' });
    await room.create({}, by('usr_alice', 61));
    await room.create({ userId: 'usr_bob' }, by('usr_bob'));
  });
});

describe('the list', () => {
  it('is newest first, of one person, with the state of each', async () => {
    const old = await room.create({ name: 'old', expiresIn: 60 });
    const ended = await room.create({ name: 'ended' }, by('usr_alice', 10));
    const live = await room.create({ name: 'live' }, by('usr_alice', 20));
    await room.create({ userId: 'usr_bob', name: 'of bob' }, by('usr_bob'));
    await room.personal.revoke(ended.id, { ...by('usr_alice', 30), reason: 'test' });
    const { items, next_cursor } = await room.personal.list({
      userId: 'usr_alice',
      now: later(90),
    });
    expect(items.map(({ name, status }) => [name, status])).toEqual([
      ['live', 'active'],
      ['ended', 'revoked'],
      ['old', 'expired'],
    ]);
    expect(next_cursor).toBeUndefined();
    expect(items[0]).toEqual({
      id: live.id,
      userId: 'usr_alice',
      email: 'alice@example.test',
      name: 'live',
      resource: boards.uri,
      scopes: ['read'],
      createdAt: later(20),
      expiresAt: later(20 + 90 * day),
      status: 'active',
    });
    expect(items[2]?.id).toBe(old.id);
    for (const status of ['active', 'expired', 'revoked'] as const) {
      const some = await room.personal.list({ userId: 'usr_alice', status, now: later(90) });
      expect(some.items).toEqual(items.filter((item) => item.status === status));
    }
  });

  it('goes on at the cursor, also among tokens of one instant', async () => {
    const made = new Set<string>();
    for (let count = 0; count < 5; count++) made.add((await room.create()).id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await room.personal.list({ cursor, limit: 2, now: start });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor);
    expect(seen).toHaveLength(5);
    expect(new Set(seen)).toEqual(made);
  });

  it.each(['', 'x', "' or 1=1--", Buffer.from('["soon","x"]').toString('base64url')])(
    'a forged cursor is refused: %j (AD08)',
    async (cursor) => {
      await expect(room.personal.list({ cursor, now: start })).rejects.toMatchObject({
        error: 'invalid_request',
      });
    },
  );
});

describe('revoking', () => {
  it('ends a token at once, audited', async () => {
    const { id, value } = await room.create();
    expect(await alive(value)).toBe(true);
    const revoked = await room.personal.revoke(id, {
      ...by('usr_alice', 5),
      ownedBy: 'usr_alice',
      reason: 'account_page',
    });
    expect(revoked).toMatchObject({ status: 'revoked', revokedAt: later(5) });
    expect(await alive(value)).toBe(false);
    expect((await events('token_revoked')).at(-1)).toMatchObject({
      user_id: 'usr_alice',
      resource: boards.uri,
      detail: { jti: id, reason: 'account_page' },
    });
  });

  it('again changes and records nothing', async () => {
    const { id } = await room.create();
    await room.personal.revoke(id, { ...by('usr_alice', 5), reason: 'test' });
    const recorded = (await events('token_revoked')).length;
    const again = await room.personal.revoke(id, { ...by('usr_alice', 9), reason: 'test' });
    expect(again).toMatchObject({ status: 'revoked', revokedAt: later(5) });
    expect((await events('token_revoked')).length).toBe(recorded);
  });

  it('somebody else’s token MUST NOT work, nor tell that it exists (AD07)', async () => {
    const { id, value } = await room.create();
    const asBob = { ...by('usr_bob'), ownedBy: 'usr_bob', reason: 'test' };
    expect(await room.personal.revoke(id, asBob)).toBeUndefined();
    expect(await room.personal.revoke('unknown', asBob)).toBeUndefined();
    expect(await alive(value)).toBe(true);
  });

  it('also ends what was exchanged from it', async () => {
    const { id } = await room.create();
    await db.kysely
      .insertInto('issuances')
      .values({
        ...{
          jti: 'exchanged',
          kind: 'access_token',
          sub: 'usr_alice',
          parent_jti: id,
          root_jti: id,
        },
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        ...{ resource: boards.uri, scope: 'read', token_type: 'Bearer' },
        ...{ issued_at: start, expires_at: later(600) },
      })
      .execute();
    expect((await room.exchange.issued('exchanged'))?.alive).toBe(true);
    await room.personal.revoke(id, { ...by('usr_alice'), reason: 'test' });
    expect((await room.exchange.issued('exchanged'))?.alive).toBe(false);
  });

  it('is what happens to all tokens of somebody who is disabled, and enabling brings none back', async () => {
    const mine = await room.create();
    const ofBob = await room.create({ userId: 'usr_bob' }, by('usr_bob'));
    const set = (status: 'active' | 'disabled') =>
      db.kysely.updateTable('users').set({ status }).where('id', '=', 'usr_alice').execute();
    await set('disabled');
    expect(await alive(mine.value)).toBe(false);
    await room.families.endAllOf(db.kysely, { user_id: 'usr_alice' }, later(5));
    await set('active');
    expect(await alive(mine.value)).toBe(false);
    expect(await alive(ofBob.value)).toBe(true);
  });
});

describe('the last use', () => {
  const lastUse = async (id: string) => {
    const { lastUsedAt, lastUsedFrom } = (await room.personal.find(id, start)) ?? {};
    return [lastUsedAt, lastUsedFrom];
  };

  it('is written at most once a minute', async () => {
    const { id } = await room.create();
    expect(await lastUse(id)).toEqual([undefined, undefined]);
    await room.personal.touch(id, { at: later(10), from: '192.0.2.7' });
    await room.personal.touch(id, { at: later(70), from: '192.0.2.8' });
    expect(await lastUse(id)).toEqual([later(10), '192.0.2.7']);
    await room.personal.touch(id, { at: later(71), from: '192.0.2.9' });
    expect(await lastUse(id)).toEqual([later(71), '192.0.2.9']);
  });

  it('asks the database for nothing when the last one is known to be fresh', async () => {
    const { id } = await room.create();
    await room.personal.touch(id, { at: later(10), from: 'x', lastUsedAt: later(0) });
    expect(await lastUse(id)).toEqual([undefined, undefined]);
    await room.personal.touch(id, { at: later(10), from: 'x', lastUsedAt: null });
    expect(await lastUse(id)).toEqual([later(10), 'x']);
  });
});
