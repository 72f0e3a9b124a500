import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { refused } from './answers.testing.ts';
import { readForm } from './browser.testing.ts';
import { signedIn } from './people.testing.ts';
import type { TestServer } from './server.testing.ts';
import {
  as,
  exchange,
  exchanged,
  introspect,
  machineToken,
  mine,
  opaque,
  personalToken,
  startExchange,
  subjectToken,
  tokenOf,
} from './token-exchange.testing.ts';

/** What is exchanged ends with what it was exchanged from, at any depth, at once. */

let server: TestServer;
let root: { access_token: string; refresh_token: string };
let child: string;
let grandchild: string;
let last: string;

beforeAll(async () => {
  server = await startExchange();
});
afterAll(() => server.close());
beforeEach(async () => {
  root = await subjectToken(server);
  [child, grandchild, last] = await descend(root.access_token);
  expect(await living()).toEqual([true, true, true, true]);
});

/** Three exchanges, one after the other, by three clients; the last token is opaque or not. */
async function descend(token: string): Promise<[string, string, string]> {
  const one = await exchanged(server, token, { by: 'TOOL3' });
  const two = await exchanged(server, one.access_token, { by: 'TOOL2' });
  const form = { resource: opaque };
  const three = await exchanged(server, two.access_token, { by: 'TOOL', form });
  return [one.access_token, two.access_token, three.access_token];
}

const isActive = async (token: string) => (await introspect(server, token)).active;
const living = () => Promise.all([root.access_token, child, grandchild, last].map(isActive));
const by = () => ({ actor: { kind: 'cli' as const }, meta: { at: server.now() } });

async function revoke(token: string, client: string) {
  const isPublic = client === 'PUB';
  const form: Record<string, string> = isPublic ? { token, client_id: client } : { token };
  const answer = await server.post('/oauth/revoke', form, isPublic ? {} : as(client));
  expect(answer.status).toBe(200);
}

describe('all three generations MUST end with', () => {
  test('the first token', async () => {
    await revoke(root.access_token, 'PUB');
    expect(await living()).toEqual([false, false, false, false]);
    await refused(await exchange(server, last), 400, 'invalid_request');
  });

  test('its refresh token', async () => {
    await revoke(root.refresh_token, 'PUB');
    expect(await living()).toEqual([false, false, false, false]);
  });

  test('its grant', async () => {
    const sub = String(decodeJwt(root.access_token).sub);
    const grants = server.db.kysely.updateTable('grants').where('user_id', '=', sub);
    await grants.set({ revoked_at: server.now() }).execute();
    expect(await living()).toEqual([false, false, false, false]);
  });

  test('its user', async () => {
    const users = server.db.kysely.updateTable('users');
    await users.set({ status: 'disabled' }).execute();
    expect(await living()).toEqual([false, false, false, false]);
    await users.set({ status: 'active' }).execute();
  });

  test('its client', async () => {
    await server.app.rooms.clients.suspend('PUB', by());
    expect(await living()).toEqual([false, false, false, false]);
    await server.app.rooms.clients.resume('PUB', by());
    expect(await living()).toEqual([true, true, true, true]);
  });
});

describe('what hangs on a token in the middle MUST end with', () => {
  test('it (RFC 7009), and nothing above it does', async () => {
    await revoke(child, 'TOOL3');
    expect(await living()).toEqual([true, false, false, false]);
    const again = await exchanged(server, root.access_token, { by: 'TOOL3' });
    expect(await isActive(again.access_token)).toBe(true);
  });

  test('its client, suspended', async () => {
    await server.app.rooms.clients.suspend('TOOL2', by());
    expect(await living()).toEqual([true, true, false, false]);
    await server.app.rooms.clients.resume('TOOL2', by());
    expect(await living()).toEqual([true, true, true, true]);
  });

  test('its client, removed', async () => {
    const other = await startExchange();
    try {
      const first = await subjectToken(other);
      const one = await exchanged(other, first.access_token, { by: 'TOOL3' });
      const two = await exchanged(other, one.access_token, { by: 'TOOL2' });
      await other.app.rooms.clients.remove('TOOL3', by());
      expect((await introspect(other, first.access_token)).active).toBe(true);
      expect((await introspect(other, one.access_token)).active).toBe(false);
      expect((await introspect(other, two.access_token)).active).toBe(false);
      await refused(await exchange(other, two.access_token), 400, 'invalid_request');
    } finally {
      await other.close();
    }
  });

  test('the revocation of the last one, which ends nothing else', async () => {
    await revoke(last, 'TOOL');
    expect(await living()).toEqual([true, true, true, false]);
  });

  test('a stranger who revokes ends nothing', async () => {
    await revoke(child, 'STRANGER');
    await revoke(child, 'TOOL'); // in its audience, but not its client
    expect(await living()).toEqual([true, true, true, true]);
  });
});

test('what was exchanged under a consent stays dead when the person consents again', async () => {
  const toMine = { form: { resource: mine } };
  await tokenOf(server, 'TOOL', { resource: mine, scope: 'm:read' });
  const { access_token: token } = await exchanged(server, root.access_token, toMine);
  const seen = async () => (await introspect(server, token)).active;
  expect(await seen()).toBe(true);
  const browser = await signedIn(server);
  const { html } = await browser.open(`${server.url}/account`);
  const item = html.split('<li').find((part) => part.includes(mine)) ?? '';
  const { action, fields } = readForm(item);
  await browser.submit(action, fields);
  expect(await seen()).toBe(false);
  await tokenOf(server, 'TOOL', { resource: mine, scope: 'm:read' });
  await exchanged(server, root.access_token, toMine);
  expect(await seen()).toBe(false);
});

describe('other roots', () => {
  test('a personal access token that is ended', async () => {
    const { id, value } = await personalToken(server, ['s:write']);
    const [one, _two, three] = await descend(value);
    expect(await Promise.all([value, one, three].map(isActive))).toEqual([true, true, true]);
    await server.app.rooms.tokens.personal.revoke(id, { ...by(), reason: 'test' });
    expect(await Promise.all([value, one, three].map(isActive))).toEqual([false, false, false]);
  });

  test('a machine that is suspended', async () => {
    const { access_token: own } = await machineToken(server, 'MACHINE', { scope: 's:write' });
    const [one, _two, three] = await descend(own);
    expect(await Promise.all([own, one, three].map(isActive))).toEqual([true, true, true]);
    await server.app.rooms.clients.suspend('MACHINE', by());
    expect(await Promise.all([own, one, three].map(isActive))).toEqual([false, false, false]);
    await server.app.rooms.clients.resume('MACHINE', by());
  });
});

test('every record names its parent and its root', async () => {
  const rows = await server.db.kysely
    .selectFrom('issuances')
    .select(['jti', 'parent_jti', 'root_jti', 'family_id'])
    .execute();
  const jti = (token: string) => String(decodeJwt(token).jti);
  const row = (id: string) => rows.find((one) => one.jti === id);
  const first = row(jti(root.access_token));
  expect(row(jti(child))).toMatchObject({
    parent_jti: first?.jti,
    root_jti: first?.root_jti,
    family_id: null,
  });
  expect(row(jti(grandchild))).toMatchObject({ parent_jti: jti(child), root_jti: first?.root_jti });
});

test('a subject that is revoked at this very moment buys nothing that lives', async () => {
  const answers = await Promise.all([
    ...Array.from({ length: 10 }, () => exchange(server, root.access_token)),
    revoke(root.access_token, 'PUB'),
    ...Array.from({ length: 10 }, () => exchange(server, root.access_token)),
  ]);
  for (const answer of answers) {
    if (!answer) continue;
    const body: { access_token?: string; error?: string } = JSON.parse(await answer.text());
    if (answer.status === 200) expect(await isActive(body.access_token ?? '')).toBe(false);
    else expect(['invalid_request', 'invalid_grant']).toContain(body.error);
  }
});
