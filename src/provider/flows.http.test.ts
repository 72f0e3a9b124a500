import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StoredFlowStep } from '../db/index.ts';
import { authorize, authorizeUrl, code, good, redeem, tokens } from './flow.testing.ts';
import {
  alice,
  rs1,
  startServer,
  type TestServer,
  webCallback,
  webSecret,
} from './server.testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    resources: `
  - { slug: opaque, uri: "https://opaque.test/mcp", token_format: opaque, clients: [RS1], scopes: [{ name: "op:use" }] }`,
  });
});
afterAll(() => server.close());
beforeEach(async () => {
  await server.app.rooms.flows.flush();
  await server.db.kysely.deleteFrom('flows').execute();
  server.advance(3600); // what an address may add, and what counts as the same, begins again
});

async function rows() {
  await server.app.rooms.flows.flush();
  return server.db.kysely.selectFrom('flows').selectAll().orderBy('created_at').execute();
}

async function only() {
  const all = await rows();
  expect(all).toHaveLength(1);
  const [row] = all;
  if (!row) throw new Error('no flow');
  return row;
}

function step(row: { steps: Record<string, StoredFlowStep> }, name: string): StoredFlowStep {
  const found = row.steps[name];
  if (!found) throw new Error(`no step ${name} in ${JSON.stringify(row.steps)}`);
  return found;
}

const states = (row: { steps: Record<string, StoredFlowStep> }) =>
  Object.fromEntries(Object.entries(row.steps).map(([name, { state }]) => [name, state]));

describe('an attempt that succeeds', () => {
  test('is one flow from the metadata to the token', async () => {
    await fetch(`${server.url}/.well-known/oauth-protected-resource/rs1`);
    await fetch(`${server.url}/.well-known/oauth-authorization-server`);
    await tokens(server);
    const row = await only();
    expect(row).toMatchObject({
      status: 'succeeded',
      failed_step: null,
      error: null,
      client_id: 'PUB',
      client_name: 'Public client',
      client_kind: 'preregistered',
      resource: rs1,
      redirect_host: '127.0.0.1:7777',
      scope: 'mcp:read',
      attempts: 1,
    });
    expect(row.user_id).toMatch(/^usr_/);
    expect(row.family_id).toMatch(/^fam_/);
    expect(states(row)).toEqual({
      resource_metadata: 'ok',
      server_metadata: 'ok',
      client: 'ok',
      authorize: 'ok',
      sign_in: 'ok',
      consent: 'ok',
      token: 'ok',
    });
    expect(step(row, 'authorize').facts).toMatchObject({ resource: rs1, scope: 'mcp:read' });
  });

  test('under remembered consent says so', async () => {
    const browser = server.browser();
    await tokens(server, good(), { browser });
    await rows();
    await server.db.kysely.deleteFrom('flows').execute();
    await tokens(server, good(), { browser });
    const row = await only();
    expect(row.status).toBe('succeeded');
    expect(step(row, 'consent').note).toBe('remembered');
    expect(row.steps.sign_in).toBeUndefined();
  });

  test('in parallel tabs is one flow each', async () => {
    const browsers = [server.browser(), server.browser(), server.browser()];
    await Promise.all(browsers.map((browser) => tokens(server, good(), { browser })));
    const all = await rows();
    expect(all.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  });

  test('has the first call at the resource server where it asks about the token', async () => {
    const flow = good({ resource: 'https://opaque.test/mcp', scope: 'op:use' });
    const { access_token: token } = await tokens(server, flow);
    await rows();
    const credentials = { client_id: 'RS1', client_secret: webSecret };
    await server.post('/oauth/introspect', { token, ...credentials });
    const row = await only();
    expect(step(row, 'first_call')).toMatchObject({
      state: 'ok',
      note: 'RS1 asked about the token',
    });
  });

  test('by a resource server that is not bound to the resource is seen at the first call', async () => {
    const flow = good({ resource: 'https://opaque.test/mcp', scope: 'op:use' });
    const { access_token: token } = await tokens(server, flow);
    await rows();
    const credentials = Buffer.from(`WEB:${webSecret}`).toString('base64');
    const headers = { authorization: `Basic ${credentials}` };
    await server.post('/oauth/introspect', { token }, headers);
    expect(step(await only(), 'first_call')).toMatchObject({ state: 'failed', error: 'inactive' });
  });

  test('by a device is a flow too', async () => {
    const { body } = await server
      .post('/oauth/device_authorization', { client_id: 'PUB', resource: rs1, scope: 'mcp:read' })
      .then(async (response) => ({ body: JSON.parse(await response.text()) }));
    expect(body.error ?? body.user_code).toBeDefined();
    const row = await only();
    expect(row.client_id).toBe('PUB');
  });
});

describe('an attempt that fails', () => {
  test('at an unregistered resource shows what was sent and what is registered', async () => {
    const response = await fetch(authorizeUrl(server, good({ resource: `${rs1}/v2` })), {
      redirect: 'manual',
    });
    expect(response.status).toBe(303);
    const row = await only();
    expect(row).toMatchObject({
      status: 'failed',
      failed_step: 'authorize',
      error: 'invalid_target',
    });
    expect(step(row, 'authorize').differences?.[0]).toMatchObject({
      what: 'resource',
      sent: `${rs1}/v2`,
      expected: expect.arrayContaining([rs1]),
    });
    expect(step(row, 'authorize').differences?.[0]?.expected[0]).toBe(rs1);
  });

  test('with the trace id of the error page is found by it', async () => {
    const url = authorizeUrl(server, good({ client_id: 'WHO' }));
    const response = await fetch(url, { headers: { accept: 'application/json' } });
    const html = await response.text();
    const [trace] = /[0-9A-HJKMNP-TV-Z]{10}/.exec(html.slice(html.indexOf('race'))) ?? [];
    const row = await only();
    expect(row.trace_ids).toContain(trace);
    expect(row).toMatchObject({ failed_step: 'client', error: 'invalid_client', client_id: 'WHO' });
  });

  test.each([
    ['a redirect URI', { redirect_uri: 'https://evil.test/cb' }, 'authorize', 'redirect_uri'],
    ['a scope', { scope: 'nobody:knows' }, 'authorize', 'scope'],
    ['no PKCE', { code_challenge: undefined }, 'authorize', 'code_challenge'],
    ['PKCE by plain', { code_challenge_method: 'plain' }, 'authorize', 'code_challenge_method'],
    ['another response type', { response_type: 'token' }, 'authorize', 'response_type'],
    ['two resources', { resource: [rs1, 'https://rs2.test/mcp'] }, 'authorize', 'resource'],
  ])('by %s names the step and the parameter', async (_what, changes, failed, what) => {
    await fetch(authorizeUrl(server, good(changes)), { redirect: 'manual' });
    const row = await only();
    expect(row).toMatchObject({ status: 'failed', failed_step: failed });
    expect(step(row, failed).differences?.map((one) => one.what)).toContain(what);
    expect(step(row, failed).sentence).toBeTruthy();
  });

  test('because the person refuses fails at the consent', async () => {
    await authorize(server, good({ prompt: 'consent' }), { decision: 'deny' });
    const row = await only();
    expect(row).toMatchObject({ status: 'failed', failed_step: 'consent', error: 'access_denied' });
    expect(states(row)).toMatchObject({ authorize: 'ok', sign_in: 'ok', consent: 'failed' });
  });

  test('at the sign-in stays open until it is left, and goes on when the password is right', async () => {
    const browser = server.browser();
    const flow = good();
    await authorize(server, flow, { browser, person: { ...alice, password: 'wrong' } });
    const open = await only();
    expect(open.status).toBe('open');
    expect(step(open, 'sign_in')).toMatchObject({ state: 'failed', error: 'invalid' });
  });

  test.each([
    ['another verifier', { code_verifier: randomBytes(32).toString('base64url') }, undefined],
    ['another redirect URI', { redirect_uri: 'http://127.0.0.1:7777/other' }, 'redirect_uri'],
    ['another resource', { resource: 'https://rs2.test/mcp' }, 'resource'],
  ])(
    'at the token endpoint by %s belongs to the flow of its code',
    async (_what, changes, what) => {
      const flow = good();
      const value = await code(server, flow);
      expect((await redeem(server, flow, value, changes)).status).toBe(400);
      const row = await only();
      expect(row).toMatchObject({ status: 'failed', failed_step: 'token', client_id: 'PUB' });
      expect(step(row, 'authorize').state).toBe('ok');
      if (what) expect(step(row, 'token').differences?.[0]?.what).toBe(what);
      expect((await redeem(server, flow, value)).status).toBe(200);
      expect(await only()).toMatchObject({ status: 'succeeded', error: null, failed_step: null });
    },
  );

  test('by a bad secret says how the client should authenticate', async () => {
    const flow = good({ client_id: 'WEB', redirect_uri: webCallback });
    const value = await code(server, flow);
    await redeem(server, flow, value, { client_secret: 'wrong' });
    const row = await only();
    expect(row).toMatchObject({ failed_step: 'token', error: 'invalid_client' });
    expect(step(row, 'token').differences?.[0]).toMatchObject({
      sent: 'client_secret_post',
      expected: ['client_secret_basic'],
    });
  });

  test('by a registration that is refused is a flow of its own', async () => {
    await fetch(`${server.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['http://evil.test/cb?token=hidden'] }),
    });
    const row = await only();
    expect(row).toMatchObject({
      failed_step: 'client',
      status: 'failed',
      redirect_host: 'evil.test',
    });
    expect(JSON.stringify(row)).not.toContain('hidden');
  });
});

test('a code that is replayed is a flow of its own, and what succeeded stays so', async () => {
  const flow = good();
  const value = await code(server, flow);
  await redeem(server, flow, value);
  await redeem(server, flow, value);
  const all = await rows();
  expect(all.map(({ status }) => status).toSorted()).toEqual(['failed', 'succeeded']);
});

test('no secret is ever in the table', async () => {
  const state = `state-${randomBytes(9).toString('hex')}`;
  const flow = good({ state });
  const value = await code(server, flow);
  await redeem(server, flow, value, { code_verifier: randomBytes(32).toString('base64url') });
  const response = await redeem(server, flow, value);
  const { access_token: access, refresh_token: refresh } = JSON.parse(await response.text());
  const refused = good({ state, resource: `${rs1}/x?key=hidden-in-query` });
  await fetch(authorizeUrl(server, refused), { redirect: 'manual' });
  const stored = JSON.stringify(await rows());
  const challenge = String(flow.params.code_challenge);
  for (const secret of [state, value, flow.verifier, challenge, access, refresh, alice.password]) {
    expect(stored).not.toContain(secret);
  }
  expect(stored).not.toContain('hidden-in-query');
});

test('the same failure again is the same row, and a flood of different ones is cut', async () => {
  const ask = (changes: Record<string, string>) =>
    fetch(authorizeUrl(server, good(changes)), { redirect: 'manual' });
  for (let round = 0; round < 7; round += 1) await ask({ resource: `${rs1}/v2` });
  const row = await only();
  expect(row.attempts).toBe(7);
  expect(row.trace_ids).toHaveLength(7);
  for (let round = 0; round < 40; round += 1) await ask({ client_id: `flood-${round}` });
  expect((await rows()).length).toBeLessThanOrEqual(21);
});

test('flows are kept as long as retention.flows says', async () => {
  await fetch(authorizeUrl(server, good({ resource: `${rs1}/v2` })), { redirect: 'manual' });
  const { created_at, expires_at } = await only();
  expect(expires_at.getTime() - created_at.getTime()).toBe(14 * 86_400_000);
  const { flows } = server.app.rooms;
  expect(await flows.removeExpired(server.now(), 100)).toBe(0);
  server.advance(15 * 86_400);
  expect(await flows.removeExpired(server.now(), 100)).toBe(1);
});
