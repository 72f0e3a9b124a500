import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { revokeGrant } from '../consent/index.ts';
import { basic, granted, isActive, ownClock, refused, stored } from './answers.testing.ts';
import { readForm } from './browser.testing.ts';
import { createProver } from './dpop.testing.ts';
import { authorize, code, good, redeem, refresh, tokens } from './flow.testing.ts';
import { rs2, startServer, type TestServer, webSecret } from './server.testing.ts';

let server: TestServer;
const clock = ownClock();
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.close();
  clock.release();
});

const asWeb = basic('WEB', webSecret);
const overlap = 60;

/** DPoP-bound access tokens issued at refreshes, as the metrics count them. */
async function issuedCount(): Promise<number> {
  const { body } = await server.app.rooms.metrics.expose();
  const counted = /tokens_issued_total\{grant_type="refresh_token",token_type="DPoP"\} (\d+)/;
  return Number(counted.exec(body)?.[1] ?? 0);
}

describe('a refused request MUST NOT use the token up', () => {
  test.each([
    ['another client', { client_id: 'WEB' }, asWeb, 'invalid_grant'],
    ['another resource', { resource: rs2 }, {}, 'invalid_target'],
    ['an unknown resource', { resource: 'https://nobody.test/' }, {}, 'invalid_target'],
    ['a resource that is none', { resource: 'mcp' }, {}, 'invalid_target'],
    ['more scope', { scope: 'mcp:read mcp:write' }, {}, 'invalid_scope'],
    ['unknown scope', { scope: 'mcp:read nothing' }, {}, 'invalid_scope'],
    ['scope that is none', { scope: 'mcp:read "' }, {}, 'invalid_scope'],
    ['a proof that is none', {}, { DPoP: 'x' }, 'invalid_dpop_proof'],
  ])('%s', async (_what, form, headers, error) => {
    const { refresh_token } = await tokens(server);
    await refused(await refresh(server, refresh_token, form, headers), 400, error);
    expect((await stored(server, refresh_token)).consumed_at).toBeNull();
    clock.advance(overlap + 1);
    await granted(await refresh(server, refresh_token, { resource: 'HTTPS://rs1.test/mcp/' }));
  });

  test('two resources', async () => {
    const { refresh_token } = await tokens(server);
    const form = { grant_type: 'refresh_token', refresh_token, client_id: 'PUB' };
    const both = { ...form, resource: ['https://rs1.test/mcp', rs2] };
    await refused(await server.post('/oauth/token', both), 400, 'invalid_target');
    await granted(await refresh(server, refresh_token));
  });
});

describe('scope (RFC 6749 §6)', () => {
  test('it may narrow for one access token, and MUST NOT widen', async () => {
    const first = await tokens(server, good({ scope: 'mcp:read mcp:write' }));
    const narrow = await granted(await refresh(server, first.refresh_token, { scope: 'mcp:read' }));
    expect(narrow.scope).toBe('mcp:read');
    const again = await granted(await refresh(server, narrow.refresh_token));
    expect(again.scope.split(' ').toSorted()).toEqual(['mcp:read', 'mcp:write']);
  });

  test('offline_access, which clients repeat, is accepted', async () => {
    const scope = 'mcp:read offline_access';
    const { refresh_token } = await tokens(server, good({ scope }));
    expect((await granted(await refresh(server, refresh_token, { scope }))).scope).toBe('mcp:read');
  });
});

describe('a token bound to a DPoP key (RFC 9449 §5)', () => {
  test('it MUST be refused without that key, also in the window, and stays bound', async () => {
    const [mine, thief] = [await createProver(), await createProver()];
    const url = `${server.url}/oauth/token`;
    const flow = good();
    const bound = await granted(
      await redeem(server, flow, await code(server, flow), {}, await mine.headers(url)),
    );
    expect(bound.token_type).toBe('DPoP');
    let { refresh_token } = bound;
    for (let use = 0; use < 2; use += 1) {
      const steal = async (headers: object) =>
        refused(await refresh(server, refresh_token, {}, headers), 400, 'invalid_grant');
      await steal({});
      await steal(await thief.headers(url));
      const proof = await mine.headers(url);
      const next = await granted(await refresh(server, refresh_token, {}, proof));
      expect(next.token_type).toBe('DPoP');
      await steal({});
      await steal(await thief.headers(url));
      await refused(await refresh(server, refresh_token, {}, proof), 400, 'invalid_dpop_proof');
      const again = await refresh(server, refresh_token, {}, await mine.headers(url));
      expect((await granted(again)).refresh_token).toBe(next.refresh_token);
      refresh_token = next.refresh_token;
    }
  });

  test('a used proof MUST NOT use the token up; its refusal is logged once and is no issued token', async () => {
    const prover = await createProver();
    const url = `${server.url}/oauth/token`;
    const proof = await prover.headers(url);
    const flow = good();
    const { refresh_token } = await granted(
      await redeem(server, flow, await code(server, flow), {}, proof),
    );
    const before = await issuedCount();
    const answer = await refresh(server, refresh_token, {}, proof);
    expect(await issuedCount()).toBe(before);
    const { trace_id } = await refused(answer, 400, 'invalid_dpop_proof');
    const lines = server
      .logged()
      .split('\n')
      .filter((line) => line.includes(`"${trace_id}"`));
    expect(lines.filter((line) => line.includes('request refused'))).toHaveLength(1);
    clock.advance(overlap + 1);
    await granted(await refresh(server, refresh_token, {}, await prover.headers(url)));
  });
});

describe('what ends a family, and what does not', () => {
  test('signing out MUST NOT end it', async () => {
    const flow = good();
    const { answer, browser } = await authorize(server, flow);
    const first = await granted(await redeem(server, flow, String(answer.get('code'))));
    const { html } = await browser.open(`${server.url}/account`);
    const csrf = readForm(html).fields.filter(([name]) => name === 'csrf');
    const { response } = await browser.submit(`${server.url}/logout`, csrf);
    expect(response.status).toBe(200);
    expect((await browser.open(`${server.url}/account`)).url).toContain('/account/sign-in');
    clock.advance(3600);
    const next = await granted(await refresh(server, first.refresh_token));
    expect(await isActive(server, next.access_token, webSecret)).toBe(true);
  });

  test('the revocation of a grant MUST end all its families at once', async () => {
    const person = { email: 'carol@example.test', password: 'correct horse carol' };
    const meta = { at: server.now() };
    await server.app.rooms.accounts.create({ ...person, groups: [], source: 'cli' }, meta);
    const [one, two] = [
      await tokens(server, good(), { person }),
      await tokens(server, good(), { person }),
    ];
    const { family_id } = await stored(server, one.refresh_token);
    const { grant_id } = await server.db.kysely
      .selectFrom('families')
      .where('id', '=', family_id)
      .select('grant_id')
      .executeTakeFirstOrThrow();
    await server.db.kysely
      .transaction()
      .execute((trx) => revokeGrant(trx, { grantId: String(grant_id), now: server.now() }));
    for (const { refresh_token, access_token } of [one, two]) {
      await refused(await refresh(server, refresh_token), 400, 'invalid_grant');
      expect(await isActive(server, access_token, webSecret)).toBe(false);
    }
  });

  test('disabling a person MUST end theirs at once, and enabling them MUST NOT bring it back', async () => {
    const person = { email: 'dave@example.test', password: 'correct horse dave' };
    const meta = { at: server.now() };
    const { accounts } = server.app.rooms;
    const user = await accounts.create({ ...person, groups: [], source: 'cli' }, meta);
    const { refresh_token } = await tokens(server, good(), { person });
    const next = await granted(await refresh(server, refresh_token));
    await accounts.disable(user.id, meta);
    await refused(await refresh(server, next.refresh_token), 400, 'invalid_grant');
    await refused(await refresh(server, refresh_token), 400, 'invalid_grant');
    await accounts.enable(user.id, meta);
    await refused(await refresh(server, next.refresh_token), 400, 'invalid_grant');
  });

  test('suspending a client MUST refuse its tokens at once, resuming it MUST NOT lose them', async () => {
    const { refresh_token, access_token } = await tokens(server);
    const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
    await server.app.rooms.clients.suspend('PUB', by);
    await refused(await refresh(server, refresh_token), 401, 'invalid_client');
    expect(await isActive(server, access_token, webSecret)).toBe(false);
    await server.app.rooms.clients.resume('PUB', by);
    await granted(await refresh(server, refresh_token));
  });

  test('RFC 7009 revocation MUST end that family only', async () => {
    const [mine, other] = [await tokens(server), await tokens(server)];
    const form = { token: mine.refresh_token, client_id: 'PUB' };
    expect((await server.post('/oauth/revoke', form)).status).toBe(200);
    await refused(await refresh(server, mine.refresh_token), 400, 'invalid_grant');
    expect(await isActive(server, mine.access_token, webSecret)).toBe(false);
    await granted(await refresh(server, other.refresh_token));
  });

  test('no other secret of this server MUST work as a refresh token', async () => {
    const flow = good();
    const value = await code(server, flow);
    const { access_token } = await tokens(server);
    for (const one of [value, access_token, 'as_pat_0123456789', 'undefined', 'ü']) {
      await refused(await refresh(server, one), 400, 'invalid_grant');
    }
    await refused(await refresh(server, ''), 400, 'invalid_request');
    await granted(await redeem(server, flow, value));
  });
});
