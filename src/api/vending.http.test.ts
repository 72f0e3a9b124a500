import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantTypes, tokenTypes } from '../oauth/index.ts';
import { basic } from '../provider/answers.testing.ts';
import { createProver } from '../provider/dpop.testing.ts';
import { press, signedIn } from '../provider/people.testing.ts';
import { alice, bob, rs1, type TestServer, webSecret } from '../provider/server.testing.ts';
import { machineToken, tokenOf } from '../provider/token-exchange.testing.ts';
import { memberOf, startWorkspaces, userId } from '../provider/workspaces.testing.ts';
import { allowElsewhere, type Elsewhere, startElsewhere } from './connect.testing.ts';
import { type ApiClient, apiClient, managed, registered } from './mcp-servers.testing.ts';

let server: TestServer;
let elsewhere: Elsewhere;
let asAlice: ApiClient;
let made: Awaited<ReturnType<typeof registered>>;
let ofAlice: string;

beforeAll(async () => {
  elsewhere = await startElsewhere();
  server = await startWorkspaces();
  await memberOf(server, alice, { acme: 'admin', beta: 'admin' });
  await memberOf(server, bob, { acme: 'member' });
  asAlice = await apiClient(server, alice);
  made = await registered(server, asAlice, { url: elsewhere.mcp.url, authType: 'oauth' });
  await asAlice('POST', await managed(server, 'acme', `/${made.id}/enable`));
  await server.app.rooms.upstream.servers.setGatewayClients(made.id, ['TOOL'], {
    actor: { kind: 'cli' },
    meta: { at: server.now() },
  });
  await connect();
  ofAlice = (await tokenOf(server, 'TOOL', { resource: rs1 })).access_token;
});
afterAll(async () => {
  await server.close();
  await elsewhere.close();
});

async function connect(): Promise<void> {
  const { body } = await asAlice('GET', await managed(server, 'acme', `/${made.id}/tools`));
  const browser = await signedIn(server);
  const page = await browser.open(String(body.authorizeUrl));
  const left = await press(browser, page, [['decision', 'connect']]);
  await browser.open(await allowElsewhere(elsewhere, left.url));
}

async function exchange(
  form: Record<string, string>,
  { subject = ofAlice, by = 'TOOL', headers = {} } = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await server.post(
    '/oauth/token',
    {
      grant_type: grantTypes.tokenExchange,
      subject_token: subject,
      subject_token_type: tokenTypes.accessToken,
      ...form,
    },
    { ...basic(by, webSecret), ...headers },
  );
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

const list = (token: unknown) =>
  fetch(elsewhere.mcp.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'gateway', version: '1' },
      },
    }),
  });

const refusal = (error: string) => ({ body: { error, trace_id: expect.any(String) } });
const nothing = (body: Record<string, unknown>) =>
  expect(JSON.stringify(body)).not.toMatch(/access_token":|issued_token_type/);

describe('token exchange for a connected MCP server (RFC 8693)', () => {
  it.each([
    ['audience, by its id', () => ({ audience: made.publicId })],
    ['audience, by its uuid', () => ({ audience: made.uuid })],
    ['resource, by its URL', () => ({ resource: elsewhere.mcp.url })],
    [
      'audience, with a scope that was connected',
      () => ({ audience: made.publicId, scope: 'tools:use' }),
    ],
  ])('MUST hand its gateway client a token that works there, named by %s', async (_how, target) => {
    const { status, body } = await exchange(target());
    expect({ status, body }).toMatchObject({ status: 200 });
    expect(body).toEqual({
      access_token: expect.any(String),
      issued_token_type: tokenTypes.accessToken,
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: expect.stringContaining('tools:use'),
    });
    expect(body.expires_in).toBeGreaterThan(30);
    expect((await list(body.access_token)).status).toBe(200);
  });

  it('MUST be on record, without the token', async () => {
    const { body } = await exchange({ audience: made.publicId });
    const rows = await server.db.kysely
      .selectFrom('audit_events')
      .selectAll()
      .where('type', '=', 'upstream_token_vended')
      .execute();
    expect(rows.at(-1)).toMatchObject({
      client_id: 'TOOL',
      user_id: await userId(server, alice),
      detail: { server_id: made.publicId, issuer: elsewhere.issuer.url },
    });
    expect(JSON.stringify(rows) + server.logged()).not.toContain(String(body.access_token));
  });

  it('MUST refresh first when the token is about to end', async () => {
    const before = await exchange({ audience: made.publicId });
    elsewhere.issuer.advance(290);
    server.advance(290);
    ofAlice = (await tokenOf(server, 'TOOL', { resource: rs1 })).access_token;
    const after = await exchange({ audience: made.publicId });
    expect(after.status).toBe(200);
    expect(after.body.access_token).not.toBe(before.body.access_token);
  });

  it('MUST say where the person connects who has not (TX07)', async () => {
    await server.db.kysely.deleteFrom('upstream_connections').execute();
    const { status, body } = await exchange({ audience: made.publicId });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: 'consent_required',
      authorization_url: expect.stringMatching(`${server.url}/connect/`),
    });
    nothing(body);
    await connect();
  });

  it.each<[string, () => Promise<Awaited<ReturnType<typeof exchange>>>, string]>([
    [
      'a client that is no gateway of it',
      async () => {
        await server.app.rooms.upstream.servers.setGatewayClients(made.id, [], by());
        const answer = await exchange({ audience: made.publicId });
        await server.app.rooms.upstream.servers.setGatewayClients(made.id, ['TOOL'], by());
        return answer;
      },
      'invalid_target',
    ],
    [
      'a wider scope',
      () => exchange({ audience: made.publicId, scope: 'tools:use tools:admin' }),
      'invalid_scope',
    ],
    [
      'an id that was made up',
      () => exchange({ audience: `mcp_${'0'.repeat(30)}` }),
      'invalid_target',
    ],
    [
      'a server together with one of our resources',
      () => exchange({ audience: made.publicId, resource: rs1 }),
      'invalid_target',
    ],
    [
      'a machine',
      async () => {
        const subject = (await machineToken(server, 'RS1', { resource: rs1 })).access_token;
        return exchange({ audience: made.publicId }, { subject });
      },
      'invalid_request',
    ],
    [
      'a token that was issued to somebody else',
      async () => {
        const subject = (await tokenOf(server, 'WEB')).access_token;
        return exchange({ audience: made.publicId }, { subject });
      },
      'invalid_request',
    ],
    [
      'a member who has left',
      async () => {
        await memberOf(server, alice, { beta: 'admin' });
        const answer = await exchange({ audience: made.publicId });
        await memberOf(server, alice, { acme: 'admin', beta: 'admin' });
        await connect();
        return answer;
      },
      'invalid_target',
    ],
  ])('%s MUST get no token', async (_who, ask, error) => {
    const { body } = await ask();
    expect({ body }).toMatchObject(refusal(error));
    nothing(body);
  });

  it('a subject that is bound to a key MUST be exchanged with a proof of it (TX03)', async () => {
    const prover = await createProver();
    const htu = `${server.url}/oauth/token`;
    const iat = () => Math.floor(server.now().getTime() / 1000);
    const proof = () => prover.proof(htu, { claims: { iat: iat() } });
    const bound = await tokenOf(server, 'TOOL', { resource: rs1 }, { DPoP: await proof() });
    const subject = bound.access_token;
    const without = await exchange({ audience: made.publicId }, { subject });
    expect(without.status).toBeGreaterThanOrEqual(400);
    nothing(without.body);
    const used = await proof();
    const withIt = await exchange(
      { audience: made.publicId },
      { subject, headers: { DPoP: used } },
    );
    expect(withIt).toMatchObject({ status: 200 });
    const again = await exchange({ audience: made.publicId }, { subject, headers: { DPoP: used } });
    expect(again).toMatchObject(refusal('invalid_dpop_proof'));
    nothing(again.body);
  });
});

const by = () => ({ actor: { kind: 'cli' } as const, meta: { at: server.now() } });
