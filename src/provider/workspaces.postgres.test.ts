import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { migrate, openDatabase } from '../db/index.ts';
import { createTestDatabase } from '../db/postgres.testing.ts';
import type { Browser } from './browser.testing.ts';
import { good, redeem, refresh } from './flow.testing.ts';
import { answerOf, openConsent, press, signedIn } from './people.testing.ts';
import { alice, startServer, type TestServer } from './server.testing.ts';
import {
  introspect,
  leave,
  memberOf,
  spaces,
  startWorkspaces,
  tokensFor,
  userId,
  workspaceId,
} from './workspaces.testing.ts';

/** Who is removed from a workspace on one replica loses what is being granted on the other. */

const rounds = 40;
let one: TestServer;
let other: TestServer;
let browser: Browser;
let acme: string;
beforeAll(async () => {
  const dsn = await createTestDatabase('workspaces');
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
  browser = await signedIn(one);
  acme = await workspaceId(one, 'acme');
}, 120_000);
afterAll(async () => {
  await one?.close();
  await other?.close();
});
beforeEach(() => memberOf(one, alice, {}));

const pause = (most: number) => new Promise((resolve) => setTimeout(resolve, Math.random() * most));

/** Both at once, more or less. @returns what the first came to */
async function raced<T>(work: () => Promise<T>): Promise<T> {
  const removed = pause(12).then(() => leave(other, alice, 'acme'));
  const result = await work();
  await removed;
  return result;
}

async function standing(): Promise<number> {
  const rows = await one.db.kysely
    .selectFrom('grants')
    .select('id')
    .where('workspace_id', '=', acme)
    .where('revoked_at', 'is', null)
    .execute();
  return rows.length;
}

test('a consent that is given at the same moment MUST NOT outlive the membership', async () => {
  const seen = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    await memberOf(one, alice, { acme: 'member' });
    const flow = good({ resource: spaces, scope: 's:use', prompt: 'consent' });
    const { page } = await openConsent(one, flow, { browser });
    const answer = await raced(() => press(browser, page, [['decision', 'approve']]));
    const code = answerOf(answer).get('code');
    seen.add(code ? 'granted first' : 'removed first');
    expect(await standing()).toBe(0);
    if (!code) continue;
    expect((await redeem(one, flow, code)).status).toBe(400);
  }
  expect([...seen].sort()).toEqual(['granted first', 'removed first']);
}, 240_000);

test('a refresh at the same moment MUST NOT leave a token that is alive', async () => {
  for (let round = 0; round < rounds; round += 1) {
    await memberOf(one, alice, { acme: 'member' });
    const { refresh_token, access_token } = await tokensFor(one, 'acme', { browser });
    const answer = await raced(() => refresh(one, refresh_token));
    const next: { access_token?: string; refresh_token?: string } = JSON.parse(await answer.text());
    for (const token of [access_token, next.access_token ?? access_token]) {
      expect(await introspect(one, token)).toEqual({ active: false });
    }
    expect((await refresh(other, next.refresh_token ?? refresh_token)).status).toBe(400);
  }
}, 240_000);

test('a personal access token that is made at the same moment MUST die with the membership', async () => {
  const { tokens, resources } = one.app.rooms;
  const resource = resources.resolve(spaces);
  if (!resource) throw new Error('no such resource');
  const owner = await userId(one, alice);
  const seen = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    await memberOf(one, alice, { acme: 'member' });
    const request = { userId: owner, resource, workspaceId: acme, scopes: ['s:use'], name: 'CI' };
    const by = { actor: { kind: 'user' as const, id: owner }, meta: { at: one.now() } };
    const made = await raced(async () => {
      await pause(12);
      return tokens.personal.create(request, by).catch(() => undefined);
    });
    seen.add(made ? 'made first' : 'removed first');
    if (made) expect(await introspect(one, made.value)).toEqual({ active: false });
  }
  expect([...seen].sort()).toEqual(['made first', 'removed first']);
}, 240_000);
