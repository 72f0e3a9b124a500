import { createHmac } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import { grantTypes, tokenTypes } from '../oauth/index.ts';
import { standardClaims } from '../tokens/claims-reference.ts';
import { answerJson, startHookServer } from '../tokens/hook-server.testing.ts';
import { basic } from './answers.testing.ts';
import { code, good, redeem, refresh, type Tokens, tokens } from './flow.testing.ts';
import { alice, rs1, startServer, type TestServer, webSecret } from './server.testing.ts';
import { ofRequests } from './statements.testing.ts';

const mapped = 'https://mapped.test/mcp';
const opaque = 'https://opaque.test/mcp';
const hooked = 'https://hooked.test/mcp';
const optional = 'https://optional.test/mcp';
const secret = 'whsec_ZW5vdWdoIGxldHRlcnMgZm9yIGEga2V5IG9mIDMy';
const mapping = `claims: { email: user.email, groups: user.groups, admin: { group: admins }, app: client.client_name, "https://a.test/kind": client.kind, plan: { value: pro } }`;
const rest = 'scopes: [{ name: use }], clients: [RS1, GATE]';

const statements: string[] = [];
const tokenStatements = () => ofRequests(statements);
let hook: Awaited<ReturnType<typeof startHookServer>>;
let server: TestServer;
beforeAll(async () => {
  hook = await startHookServer();
  const asked = `url: "${hook.url}", secret: "${secret}"`;
  server = await startServer({
    db: await testDatabase({ onQuery: ({ name }) => statements.push(name) }),
    resources: `
  - { slug: mapped, uri: "${mapped}", ${mapping}, ${rest} }
  - { slug: opaque, uri: "${opaque}", token_format: opaque, ${mapping}, ${rest} }
  - { slug: hooked, uri: "${hooked}", claims: { email: user.email }, claims_hook: { ${asked} }, ${rest} }
  - { slug: optional, uri: "${optional}", token_format: opaque, claims: { email: user.email }, claims_hook: { ${asked}, on_failure: skip }, ${rest} }`,
  });
  await server.app.scheduler.stop(); // its statements would be counted too
  await server.app.rooms.clients.create(
    { client_id: 'GATE', client_secret: webSecret, grant_types: [grantTypes.tokenExchange] },
    'cli',
    { actor: { kind: 'cli' }, meta: { at: server.now() } },
  );
});
beforeEach(async () => {
  hook.reset();
  server.advance(10); // a hook that rested is asked again
  await setGroups([]);
});
afterAll(async () => {
  await server.close();
  await hook.close();
});

const flowTo = (resource: string) => good({ resource, scope: 'use offline_access' });
const issuedFor = (resource: string) => tokens(server, flowTo(resource));

function setGroups(groups: string[]) {
  return server.db.kysely.updateTable('users').set({ groups }).execute();
}

async function introspect(token: string): Promise<Record<string, unknown>> {
  const answer = await server.post('/oauth/introspect', { token }, basic('RS1', webSecret));
  return JSON.parse(await answer.text());
}

async function claimsIn(response: Response): Promise<Record<string, unknown>> {
  const { access_token: token }: Tokens = JSON.parse(await response.text());
  return decodeJwt(token);
}

const forAlice = {
  email: alice.email,
  admin: false,
  app: 'Public client',
  'https://a.test/kind': 'preregistered',
  plan: 'pro',
};

describe('configured claims', () => {
  test('are in a JWT beside the standard ones, and in its introspection', async () => {
    const { access_token: token } = await issuedFor(mapped);
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ ...forAlice, aud: mapped, client_id: 'PUB', scope: 'use' });
    expect(claims).not.toHaveProperty('groups');
    expect(await introspect(token)).toMatchObject({ ...forAlice, active: true, sub: claims.sub });
    const known = [...Object.keys(standardClaims), ...Object.keys(forAlice)];
    expect(known).toEqual(expect.arrayContaining(Object.keys(claims)));
  });

  test('are in the introspection of an opaque token', async () => {
    const { access_token: token } = await issuedFor(opaque);
    expect(await introspect(token)).toMatchObject({ ...forAlice, active: true, aud: opaque });
  });

  test('are in no token of another resource', async () => {
    const { access_token: token } = await tokens(server);
    for (const name of Object.keys(forAlice)) expect(decodeJwt(token)).not.toHaveProperty([name]);
  });

  test('are determined anew at each refresh', async () => {
    const { refresh_token: first } = await issuedFor(mapped);
    await setGroups(['admins', 'staff']);
    const claims = await claimsIn(await refresh(server, first));
    expect(claims).toMatchObject({ admin: true, groups: ['admins', 'staff'] });
    expect(typeof claims.auth_time).toBe('number');
  });

  test('cost no round trip of their own', async () => {
    const flow = flowTo(mapped);
    const value = await code(server, flow);
    server.advance(2);
    statements.length = 0;
    const { refresh_token: token } = JSON.parse(await (await redeem(server, flow, value)).text());
    expect(tokenStatements()).toEqual(['authserver_read_source', 'authserver_commit_exchange']);
    server.advance(2);
    statements.length = 0;
    expect((await refresh(server, token)).status).toBe(200);
    expect(tokenStatements()).toEqual(['authserver_read_source', 'authserver_commit_exchange']);
  });

  test('tell a machine’s token of its client and of no user', async () => {
    const form = { grant_type: 'client_credentials', resource: mapped };
    const answer = await server.post('/oauth/token', form, basic('RS1', webSecret));
    const claims = await claimsIn(answer);
    expect(claims).toMatchObject({ sub: 'RS1', app: 'The first server', plan: 'pro' });
    for (const name of ['email', 'groups', 'admin']) expect(claims).not.toHaveProperty(name);
  });

  test('are determined for the target of a token exchange, beside act', async () => {
    const { access_token: subject } = await issuedFor(mapped);
    await setGroups(['admins']);
    const form = {
      grant_type: grantTypes.tokenExchange,
      subject_token: subject,
      subject_token_type: tokenTypes.accessToken,
    };
    const answer = await server.post('/oauth/token', form, basic('GATE', webSecret));
    const expected = { email: alice.email, admin: true, act: { sub: 'GATE' } };
    expect(await claimsIn(answer)).toMatchObject({ ...expected, sub: decodeJwt(subject).sub });
  });

  test('of a personal access token are those of the moment it is introspected', async () => {
    const { rooms } = server.app;
    const resource = rooms.resources.resolve(mapped);
    const person = await server.db.kysely
      .selectFrom('users')
      .select('id')
      .where('email', '=', alice.email)
      .executeTakeFirstOrThrow();
    if (!resource) throw new Error('no such resource');
    const { value } = await rooms.tokens.personal.create(
      { userId: person.id, resource, scopes: ['use'], name: 'laptop' },
      { actor: { kind: 'user', id: person.id }, meta: { at: server.now() } },
    );
    expect(await introspect(value)).toMatchObject({ active: true, admin: false, plan: 'pro' });
    await setGroups(['admins']);
    const later = await introspect(value);
    expect(later).toMatchObject({ active: true, admin: true, email: alice.email });
    expect(later).not.toHaveProperty('app');
  });

  test('that do not fit into a token refuse it; the code can be used once there is room', async () => {
    await setGroups(Array.from({ length: 200 }, (_, index) => `a-group-with-a-name-${index}`));
    const flow = flowTo(mapped);
    const value = await code(server, flow);
    const answer = await redeem(server, flow, value);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({
      error: 'server_error',
      error_description: expect.stringContaining('larger than 2048 bytes'),
    });
    await setGroups(['staff']);
    expect(await claimsIn(await redeem(server, flow, value))).toMatchObject({ groups: ['staff'] });
  });
});

describe('a claims hook', () => {
  test('is asked by a signed POST, and its claims are in the token and its introspection', async () => {
    await setGroups(['staff']);
    hook.answers((response) =>
      answerJson(response, { claims: { plan: 'gold', email: 'hidden', seats: { used: 3 } } }),
    );
    const { access_token: token } = await issuedFor(hooked);
    const expected = { plan: 'gold', email: 'hidden', seats: { used: 3 } };
    expect(decodeJwt(token)).toMatchObject(expected);
    expect(await introspect(token)).toMatchObject({ ...expected, active: true });

    const [request] = hook.requests;
    expect(hook.requests).toHaveLength(1);
    expect(request).toMatchObject({ method: 'POST', url: '/claims?of=rs1' });
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      version: 1,
      event: 'access_token.claims',
      request_id: expect.stringMatching(/^[0-9A-Z]{10}$/),
      resource: hooked,
      grant_type: 'authorization_code',
      scope: 'use',
      client: { client_id: 'PUB', name: 'Public client', kind: 'preregistered' },
      user: { id: decodeJwt(token).sub, email: alice.email, name: null, groups: ['staff'] },
      workspace_id: null,
      claims: { email: alice.email },
    });
  });

  test('gets a signature that Standard Webhooks verifies', async () => {
    await issuedFor(hooked);
    const [request] = hook.requests;
    if (!request) throw new Error('the hook was not asked');
    const { headers, body } = request;
    const id = headers['webhook-id'];
    const timestamp = headers['webhook-timestamp'];
    expect(Math.abs(Number(timestamp) - server.now().getTime() / 1000)).toBeLessThan(60);
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signed = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signed}`);
    expect(headers).not.toHaveProperty('authorization');
  });

  test('hears of a machine without a user', async () => {
    const form = { grant_type: 'client_credentials', resource: hooked };
    const answer = await server.post('/oauth/token', form, basic('RS1', webSecret));
    expect(answer.status).toBe(200);
    const asked = JSON.parse(hook.requests[0]?.body ?? '');
    expect(asked).toMatchObject({ user: null, grant_type: 'client_credentials', claims: {} });
  });

  test('that fails denies the token and MUST NOT use up the code', async () => {
    hook.answers((response) => answerJson(response, {}, 500));
    const flow = flowTo(hooked);
    const value = await code(server, flow);
    const answer = await redeem(server, flow, value);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({
      error: 'temporarily_unavailable',
      error_description: expect.stringContaining('was not used up'),
    });
    hook.answers((response) => answerJson(response, { claims: { plan: 'gold' } }));
    expect(await claimsIn(await redeem(server, flow, value))).toMatchObject({ plan: 'gold' });
  });

  test('that fails denies a refresh and MUST NOT use up the refresh token', async () => {
    const { refresh_token: token } = await issuedFor(hooked);
    hook.answers((response) => answerJson(response, { claims: { sub: 'root' } }));
    expect((await refresh(server, token)).status).toBe(503);
    server.advance(120); // beyond the overlap: had it been used up, this would be a replay
    hook.answers((response) => answerJson(response, { claims: { plan: 'gold' } }));
    expect(await claimsIn(await refresh(server, token))).toMatchObject({ plan: 'gold' });
  });

  test('MUST NOT set a standard claim', async () => {
    const flow = flowTo(hooked);
    const value = await code(server, flow);
    for (const name of ['sub', 'scope', 'aud', 'client_id', 'cnf', 'act', 'workspace_id']) {
      hook.answers((response) => answerJson(response, { claims: { [name]: 'x' } }));
      expect((await redeem(server, flow, value)).status).toBe(503);
    }
  });

  test('that may be skipped leaves the mapped claims, in the log and the metrics', async () => {
    hook.answers((response) => response.destroy());
    const { access_token: token } = await issuedFor(optional);
    const answer = await introspect(token);
    expect(answer).toMatchObject({ active: true, email: alice.email });
    expect(server.logged()).toContain('"resource":"optional","reason":"unreachable"');
    const { body } = await server.app.rooms.metrics.expose();
    expect(body).toMatch(/authserver_claims_hook_calls_total\{outcome="unreachable"\} [1-9]/);
  });

  test('leaves neither its secret nor its answers in the log', async () => {
    hook.answers((response) => answerJson(response, { claims: { note: 'whispered', sub: 'x' } }));
    await issuedFor(optional);
    hook.answers((response) => answerJson(response, { claims: { note: 'whispered' } }));
    await issuedFor(hooked);
    expect(server.logged()).not.toContain('whispered');
    expect(server.logged()).not.toContain(secret);
  });

  test('is asked for its own resource only', async () => {
    await tokens(server, good({ resource: rs1 }));
    expect(hook.requests).toEqual([]);
  });
});
