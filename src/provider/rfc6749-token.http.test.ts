import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basic, granted, isActive, ownClock, refused } from './answers.testing.ts';
import { authorizeUrl, code, good, redeem, refresh, tokens } from './flow.testing.ts';
import { rs2, startServer, type TestServer, webCallback, webSecret } from './server.testing.ts';

let server: TestServer;
const clock = ownClock();
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.close();
  clock.release();
});

const web = (changes = {}) => good({ client_id: 'WEB', redirect_uri: webCallback, ...changes });
const grants = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
];

describe('client authentication (RFC 6749 §2.3, §5.2)', () => {
  test.each([
    ['wrong', { client_id: 'WEB', client_secret: 'wrong' }, {}],
    ['wrong, in the header', {}, basic('WEB', 'wrong')],
    ['empty', { client_id: 'WEB', client_secret: '' }, {}],
    ['empty, in the header', {}, basic('WEB', '')],
    ['missing', { client_id: 'WEB' }, {}],
    ['of another method', { client_id: 'WEB' }, { authorization: 'Bearer abc' }],
    ['unreadable', {}, { authorization: 'Basic %%%' }],
    ['without a colon', {}, { authorization: `Basic ${btoa('WEB')}` }],
    ['missing, of nobody', {}, {}],
    ['of an unknown client', { client_id: 'NOBODY', client_secret: 'x' }, {}],
    ['of a client id that cannot be', { client_id: 'ü\u202e', client_secret: 'x' }, {}],
  ])('a secret that is %s MUST be refused as invalid_client', async (_what, form, headers) => {
    const flow = web();
    const body = { grant_type: 'authorization_code', code: await code(server, flow), ...form };
    const proof = { redirect_uri: webCallback, code_verifier: flow.verifier };
    await refused(
      await server.post('/oauth/token', { ...body, ...proof }, headers),
      401,
      'invalid_client',
    );
    await granted(await redeem(server, flow, body.code, {}, basic('WEB', webSecret)));
  });

  test.each(grants)('%s without authentication MUST be refused', async (grant_type) => {
    const form = { grant_type, client_id: 'WEB', code: 'x', refresh_token: 'x' };
    await refused(await server.post('/oauth/token', form), 401, 'invalid_client');
  });

  test('a client MUST NOT use two methods in one request', async () => {
    const form = { grant_type: 'refresh_token', client_secret: webSecret, refresh_token: 'x' };
    const answer = await server.post('/oauth/token', form, basic('WEB', webSecret));
    await refused(answer, 400, 'invalid_request');
  });

  test('a suspended client MUST be refused, and a resumed one goes on', async () => {
    const flow = web();
    const { refresh_token } = await granted(
      await redeem(server, flow, await code(server, flow), {}, basic('WEB', webSecret)),
    );
    const again = () =>
      refresh(server, refresh_token, { client_id: 'WEB' }, basic('WEB', webSecret));
    const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
    await server.app.rooms.clients.suspend('WEB', by);
    await refused(await again(), 401, 'invalid_client');
    await server.app.rooms.clients.resume('WEB', by);
    await granted(await again());
  });

  test('a removed client MUST be refused', async () => {
    const flow = good({ client_id: 'WEB2', redirect_uri: webCallback });
    const value = await code(server, flow);
    const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
    await server.app.rooms.clients.remove('WEB2', by);
    const answer = await redeem(server, flow, value, {}, basic('WEB2', webSecret));
    await refused(answer, 401, 'invalid_client');
  });
});

describe('the request (RFC 6749 §3.2)', () => {
  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s MUST NOT give a token', async (method) => {
    const flow = good();
    const query = new URLSearchParams({
      grant_type: 'authorization_code',
      code: await code(server, flow),
      client_id: 'PUB',
      redirect_uri: String(flow.params.redirect_uri),
      code_verifier: flow.verifier,
    });
    const answer = await fetch(`${server.url}/oauth/token?${query}`, { method });
    expect(answer.status).toBe(405);
    expect(await answer.text()).not.toContain('access_token');
    await granted(await redeem(server, flow, String(query.get('code'))));
  });

  test('parameters in the query MUST be ignored, a secret first of all', async () => {
    const query = new URLSearchParams({ client_id: 'WEB', client_secret: webSecret });
    const form = { grant_type: 'refresh_token', refresh_token: 'x' };
    await refused(await server.post(`/oauth/token?${query}`, form), 401, 'invalid_client');
    await refused(await server.post(`/oauth/token?${query}`, {}), 401, 'invalid_client');
    expect(server.logged()).not.toContain(webSecret);
  });

  test.each(['code', 'grant_type', 'client_id', 'redirect_uri', 'code_verifier'])(
    '%s MUST NOT be sent twice',
    async (name) => {
      const flow = good();
      const form: Record<string, string | string[]> = {
        grant_type: 'authorization_code',
        code: await code(server, flow),
        client_id: 'PUB',
        redirect_uri: String(flow.params.redirect_uri),
        code_verifier: flow.verifier,
      };
      const twice = { ...form, [name]: [form[name] ?? '', form[name] ?? ''].flat() };
      await refused(await server.post('/oauth/token', twice), 400, 'invalid_request');
      await granted(await server.post('/oauth/token', form));
    },
  );

  test.each([
    ['JSON', 'application/json', '{"grant_type":"authorization_code"}'],
    ['multipart', 'multipart/form-data; boundary=x', '--x--'],
    ['UTF-16', 'application/x-www-form-urlencoded; charset=utf-16', 'grant_type=x'],
  ])('a body in %s MUST be refused', async (_what, type, body) => {
    const headers = { 'content-type': type };
    const answer = await fetch(`${server.url}/oauth/token`, { method: 'POST', body, headers });
    await refused(answer, 415, 'invalid_request');
  });

  test.each(['password', 'implicit', '__proto__', 'constructor', 'X', ' '])(
    'the grant type %s MUST be refused',
    async (grant_type) => {
      const answer = await server.post('/oauth/token', { grant_type, client_id: 'PUB' });
      await refused(answer, 400, 'unsupported_grant_type');
    },
  );

  test('a grant type that is missing MUST be refused', async () => {
    await refused(await server.post('/oauth/token', { client_id: 'PUB' }), 400, 'invalid_request');
  });

  test('a grant type that the client has not MUST be refused as unauthorized_client', async () => {
    const form = { grant_type: 'authorization_code', code: 'x', redirect_uri: webCallback };
    const answer = await server.post('/oauth/token', form, basic('RS1', webSecret));
    await refused(answer, 400, 'unauthorized_client');
  });
});

describe('authorization codes (RFC 6749 §4.1.2, OAuth 2.1 §4.1.3)', () => {
  test('a code MUST work once; a second use ends what the first bought, and nothing else', async () => {
    const [flow, other] = [good(), await tokens(server)];
    const value = await code(server, flow);
    const bought = await granted(await redeem(server, flow, value));
    expect(await isActive(server, bought.access_token, webSecret)).toBe(true);
    clock.advance(1);
    await refused(await redeem(server, flow, value), 400, 'invalid_grant');
    expect(await isActive(server, bought.access_token, webSecret)).toBe(false);
    await refused(await refresh(server, bought.refresh_token), 400, 'invalid_grant');
    await granted(await refresh(server, other.refresh_token));
    const events = await server.db.kysely
      .selectFrom('audit_events')
      .where('type', '=', 'auth_code_reused')
      .select(['client_id', 'detail'])
      .execute();
    expect(events).toEqual([
      { client_id: 'PUB', detail: { family_id: expect.stringMatching(/^fam_/), age: 1 } },
    ]);
  });

  test('50 parallel redemptions MUST give exactly one success, which lives', async () => {
    const flow = good();
    const value = await code(server, flow);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => redeem(server, flow, value)),
    );
    const [winner, ...others] = answers.toSorted((a, b) => a.status - b.status);
    for (const loser of others) await refused(loser, 400, 'invalid_grant');
    const { access_token, refresh_token } = await granted(winner ?? Response.error());
    expect(await isActive(server, access_token, webSecret)).toBe(true);
    await granted(await refresh(server, refresh_token));
  });

  test("a code MUST NOT work for another client, and stays its owner's", async () => {
    const flow = good();
    const value = await code(server, flow);
    const stolen = await redeem(server, flow, value, { client_id: 'WEB' }, basic('WEB', webSecret));
    await refused(stolen, 400, 'invalid_grant');
    await granted(await redeem(server, flow, value));
  });

  test('a code MUST NOT work a second after its end', async () => {
    const flow = good();
    const value = await code(server, flow);
    clock.advance(61);
    const { error_description } = await refused(
      await redeem(server, flow, value),
      400,
      'invalid_grant',
    );
    expect(error_description).toContain('expired');
  });

  test('a code MUST NOT work with another redirect_uri or without one, and is not used up', async () => {
    const flow = good();
    const value = await code(server, flow);
    const other = { redirect_uri: 'http://127.0.0.1:7777/other' };
    await refused(await redeem(server, flow, value, other), 400, 'invalid_grant');
    await refused(await redeem(server, flow, value, { redirect_uri: '' }), 400, 'invalid_request');
    await granted(await redeem(server, flow, value));
  });

  test('another resource MUST be refused before the code is used up', async () => {
    const flow = good();
    const value = await code(server, flow);
    const unknown = { resource: 'https://nobody.test/' };
    await refused(await redeem(server, flow, value, { resource: rs2 }), 400, 'invalid_target');
    await refused(await redeem(server, flow, value, unknown), 400, 'invalid_target');
    await granted(await redeem(server, flow, value, { resource: 'https://RS1.test:443/mcp/' }));
  });

  test('a code that was changed MUST be refused', async () => {
    const flow = good();
    const value = await code(server, flow);
    const flipped = (value.startsWith('A') ? 'B' : 'A') + value.slice(1);
    const hostile = [flipped, value.slice(0, -1), `${value} `, `${value}\t`, 'undefined', 'null'];
    for (const one of [...hostile, "' OR 1=1--", 'ü', 'x'.repeat(100_000)]) {
      await refused(await redeem(server, flow, one), 400, 'invalid_grant');
    }
    await refused(await redeem(server, flow, ''), 400, 'invalid_request');
    await granted(await redeem(server, flow, value));
  });

  test('any other secret of this server MUST NOT work as a code', async () => {
    const flow = good();
    const { refresh_token, access_token } = await tokens(server);
    const browser = server.browser();
    const login = await browser.open(authorizeUrl(server, good()));
    const uid = new URL(login.url).pathname.split('/').at(-1) ?? '';
    const session = [...browser.jar.values()].map((cookie) => cookie.split('.')[0] ?? '');
    const others = [refresh_token, access_token, uid, ...session, 'as_pat_0123456789'];
    for (const one of [...others, 'urn:ietf:params:oauth:request_uri:abc']) {
      await refused(await redeem(server, flow, one), 400, 'invalid_grant');
    }
    await granted(await refresh(server, refresh_token));
  });

  test('a person who was disabled meanwhile MUST NOT be acted for', async () => {
    const person = { email: 'carol@example.test', password: 'correct horse carol' };
    const meta = { at: server.now() };
    const { accounts } = server.app.rooms;
    const user = await accounts.create({ ...person, groups: [], source: 'cli' }, meta);
    const flow = good();
    const value = await code(server, flow, { person });
    await accounts.disable(user.id, meta);
    await refused(await redeem(server, flow, value), 400, 'invalid_grant');
  });
});

test('errors say what was wrong, and the log line with their trace id has the full reason once', async () => {
  const body = await refused(await refresh(server, 'unknown'), 400, 'invalid_grant');
  expect(body.error_description).toBe('This refresh token is unknown. Start a new authorization.');
  const lines = server
    .logged()
    .split('\n')
    .filter((line) => line.includes(String(body.trace_id)));
  expect(lines.filter((line) => line.includes('refresh token not found'))).toHaveLength(1);
  await refused(
    await redeem(server, good(), 'unknown', { redirect_uri: webCallback }),
    400,
    'invalid_grant',
  );
  const twice = await server.post('/oauth/token', { grant_type: 'x', client_id: ['A', 'B'] });
  const { trace_id } = await refused(twice, 400, 'invalid_request');
  const again = server
    .logged()
    .split('\n')
    .filter((line) => line.includes(String(trace_id)));
  expect(again.filter((line) => line.includes('request refused'))).toHaveLength(1);
});
