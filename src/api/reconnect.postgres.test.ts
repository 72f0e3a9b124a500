import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { User } from '../accounts/index.ts';
import { migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { alice, startServer, type TestServer } from '../provider/server.testing.ts';
import {
  leave,
  memberOf,
  startWorkspaces,
  userId,
  workspaceId,
} from '../provider/workspaces.testing.ts';
import { createReconnectLinks, type ReconnectLinks } from './reconnect-links.ts';

/** One link, confirmed on two replicas at once. */

const rounds = 25;
let one: TestServer;
let other: TestServer;
let links: [ReconnectLinks, ReconnectLinks];
let acme: string;
let user: User;
beforeAll(async () => {
  const dsn = await createTestDatabase('reconnect');
  const timeouts = { statementTimeout: 10_000, connectTimeout: 5000 };
  const open = () => openDatabase({ driver: 'postgres', dsn, maxConnections: 6, ...timeouts });
  const [db, second] = [await open(), await open()];
  await migrate(db);
  const shared = {
    key: randomBytes(32).toString('base64'),
    secret: randomBytes(32).toString('hex'),
  };
  const extra = `data_encryption: { key: "${shared.key}" }\nsession: { secret: "${shared.secret}" }`;
  one = await startWorkspaces({ db, extra });
  other = await startServer({ db: second, extra });
  links = [createReconnectLinks(one.app.rooms), createReconnectLinks(other.app.rooms)];
  acme = await workspaceId(one, 'acme');
  const found = await one.app.rooms.accounts.find(await userId(one, alice));
  if (!found) throw new Error('no alice');
  user = found;
}, 120_000);
afterAll(async () => {
  await one?.close();
  await other?.close();
});
beforeEach(async () => {
  await memberOf(one, alice, { acme: 'admin' });
  await one.db.kysely.deleteFrom('reconnect_links').execute();
});

const meta = () => ({ at: one.now() });

async function newSecret(): Promise<string> {
  await one.db.kysely.deleteFrom('reconnect_links').execute();
  const asked = { clientId: 'TOOL', workspaceId: acme, userId: user.id };
  return (await links[0].create(asked, meta())).secret;
}

async function live(): Promise<number> {
  return (await one.app.rooms.tokens.credentials.list({ workspaceId: acme })).length;
}

test('of replicas that confirm one link at once exactly one MUST get a credential', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const secret = await newSecret();
    const before = await live();
    const [here, there] = links;
    const all = await Promise.all(
      [here, there, here, there].map((replica) => replica.redeem(secret, user, meta())),
    );
    expect(all.filter((done) => done !== undefined)).toHaveLength(1);
    expect(await live()).toBe(before + 1);
  }
});

test('who is removed while they confirm MUST be left with no credential', async () => {
  for (let round = 0; round < rounds; round += 1) {
    await memberOf(one, alice, { acme: 'admin' });
    const secret = await newSecret();
    const removed = new Promise((resolve) => setTimeout(resolve, Math.random() * 12)).then(() =>
      leave(other, alice, 'acme'),
    );
    await links[0].redeem(secret, user, meta()).catch((refusal: unknown) => {
      expect(refusal).toMatchObject({ error: 'access_denied' });
    });
    await removed;
    expect(await live()).toBe(0);
  }
});

test('a client MUST NOT get more links than its share by asking at once', async () => {
  await one.db.kysely.deleteFrom('reconnect_links').execute();
  const asked = { clientId: 'TOOL', workspaceId: acme };
  const all = await Promise.allSettled(
    Array.from({ length: 40 }, (_, at) => links[at % 2 === 0 ? 0 : 1].create(asked, meta())),
  );
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
});
