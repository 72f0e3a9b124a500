import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { protectMcp } from '../src/resource-server/index.ts';
import { signIn } from './support/browser.ts';
import { databaseAsText, expireConnection } from './support/database-text.ts';
import { type Elsewhere, startElsewhere } from './support/elsewhere.ts';
import { connectV2 } from './support/header-clients.ts';
import {
  type Answered,
  allow,
  authorize,
  browserOf,
  connect,
  connectLink,
  leave,
  type Member,
  managed,
  type Registered,
  register,
  seeHeading,
  signInMember,
  vend,
} from './support/member.ts';
import { quietPort } from './support/quiet-port.ts';
import { holdBack, type Meddling, rewrite, secretsOf } from './support/tap.ts';
import { type Everything, startEverything, startHanging } from './support/third-party.ts';
import { openUpstreamStage, type UpstreamStage } from './support/upstream-stage.ts';

/** What must be nowhere in the clear; what passes the wire comes on top. */
const secrets = new Set<string>();
const key = 'the-key-of-the-whole-workspace-0123456789';

let stage: UpstreamStage;
/** Takes client metadata documents; also protects the third-party server. */
let boards: Elsewhere;
/** Takes no documents: clients register there. */
let files: Elsewhere;
let everything: Everything;
let hanging: Awaited<ReturnType<typeof startHanging>>;
/** The third-party server behind the kit, and where a key opens it. */
let protectedUrl: string;
let keyUrl: string;
let ada: Member;
let eve: Member;
/** Ada's browser. */
let page: Page;

beforeAll(async () => {
  stage = await openUpstreamStage();
  const port = await quietPort();
  protectedUrl = `http://localhost:${port}/mcp`;
  const scopes = ['everything:use'];
  const resource = { slug: 'everything', uri: protectedUrl, scopes: [{ name: 'everything:use' }] };
  [everything, boards, files] = await Promise.all([
    startEverything(),
    startElsewhere('boards', stage, { resources: [resource] }),
    startElsewhere('workspace-files', stage, { cimd: { enabled: false } }),
  ]);
  const kit = protectMcp({ issuer: boards.issuer, resource: protectedUrl, scopes });
  await everything.behind(kit.node(), port);
  keyUrl = await everything.behind((req, res, next) =>
    req.headers.authorization === `Bearer ${key}` ? next() : res.writeHead(401).end(),
  );
  ada = await signInMember(stage, stage.ada, stage.workspaces.harbour);
  eve = await signInMember(stage, stage.eve, stage.workspaces.orchard);
  page = await browserOf(stage);
  hanging = await startHanging();
});
afterEach(() => {
  for (const { tap } of [boards, files]) tap.meddle = undefined;
});
afterAll(async () => {
  await hanging?.close();
  await everything?.close();
  await Promise.all([boards?.close(), files?.close()]);
  await stage?.close();
});

const at = ({ id }: Registered, rest = '') => managed(ada, `/${id}${rest}`);
const namesOf = (list: unknown) => (Array.isArray(list) ? list.map(({ name }) => name) : []);

/** Registers a server that Ada connects to in her browser. */
async function connected(name: string, { mcpUrl: url, ada: there }: Elsewhere) {
  const server = await register(ada, { name, url, authType: 'oauth' });
  await ada.api('POST', at(server, '/enable'));
  await connect(page, { link: await connectLink(ada, server), here: ada, there });
  await letVend(server);
  return server;
}

const letVend = ({ publicId }: Registered) =>
  stage.admin('PATCH', `/mcp-servers/${publicId}`, { gateway_clients: [stage.gateway.id] });

/** The token that the gateway gets for Ada. */
async function vended({ publicId }: Registered, replica: 0 | 1 = 0): Promise<string> {
  const { status, body } = await vend(stage, ada, publicId, replica);
  expect({ status, body }).toMatchObject({ status: 200 });
  return String(body.access_token);
}

describe('a member connects another MCP server in a browser', () => {
  test('as a client with a metadata document, uses it through a gateway, and disconnects', async () => {
    const server = await register(ada, { name: 'Boards', url: boards.mcpUrl });
    expect(await ada.api('POST', at(server, '/enable'))).toMatchObject({
      status: 200,
      body: { state: 'AUTHORIZE', authType: 'oauth', connectorStatus: 'disconnected' },
    });
    const refused = await ada.api('GET', at(server, '/tools'));
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'authentication_required', authType: 'oauth' },
    });

    const link = String(refused.body.authorizeUrl);
    await connect(page, { link, here: ada, there: boards.ada });

    const authorized = boards.tap.passed.find(({ path }) => path.startsWith('/oauth/authorize'));
    const sent = new URL(authorized?.path ?? '', boards.issuer).searchParams;
    expect(sent.get('client_id')).toBe(`${stage.issuer}/connect/clients/${server.uuid}`);
    expect(sent.get('resource')).toBe(boards.mcpUrl);
    expect(sent.get('code_challenge_method')).toBe('S256');
    expect(await ada.api('GET', at(server))).toMatchObject({
      body: { state: 'READY', enabled: true, connectorStatus: 'connected' },
    });
    const tried = await ada.api('POST', at(server, '/test'));
    expect(tried.body).toEqual({ success: true, latencyMs: expect.any(Number) });
    const { body } = await ada.api('GET', at(server, '/tools'));
    expect(namesOf(body.tools)).toEqual(expect.arrayContaining(['list_boards', 'search']));

    await letVend(server);
    const token = await vended(server);
    const client = await connectV2(boards.mcpUrl, `Bearer ${token}`);
    expect(JSON.parse(await client.callTool('list_boards'))).toHaveLength(2);
    await client.close();

    await page.goto(`${stage.issuer}/connect/servers/${server.uuid}`);
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByRole('button', { name: 'Continue' }).waitFor();
    expect((await ada.api('GET', at(server))).body.connectorStatus).toBe('disconnected');
    expect(await vend(stage, ada, server.publicId)).toMatchObject({
      status: 400,
      body: {
        error: 'consent_required',
        authorization_url: expect.stringContaining(`${stage.issuer}/connect/`),
      },
    });
  });

  test('as a client that registers itself where no documents are taken', async () => {
    const server = await connected('Files', files);
    expect(files.tap.passed.filter(({ path }) => path.startsWith('/oauth/register'))).toHaveLength(
      1,
    );
    const { body } = await ada.api('GET', at(server, '/tools'));
    expect(namesOf(body.tools)).toHaveLength(19);
    const client = await connectV2(files.mcpUrl, `Bearer ${await vended(server)}`);
    expect(await client.callTool('list_files')).toEqual(expect.any(String));
    await client.close();
  });

  test('as a client that somebody registered by hand, at a server of somebody else', async () => {
    const server = await register(ada, {
      name: 'Everything',
      url: protectedUrl,
      authType: 'oauth',
    });
    const made = await boards.admin('POST', '/clients', {
      redirect_uris: [`${stage.issuer}/connect/callback/${server.uuid}`],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
    });
    secrets.add(String(made.client_secret));
    const given = { oauthClientId: made.client_id, oauthClientSecret: made.client_secret };
    await ada.api('PATCH', `/api/mcp-servers/${server.publicId}`, given);
    await ada.api('POST', at(server, '/enable'));
    await connect(page, { link: await connectLink(ada, server), here: ada, there: boards.ada });

    const asked = boards.tap.passed.filter(({ path }) => path.startsWith('/oauth/authorize?'));
    expect(asked.at(-1)?.path).toContain(`client_id=${made.client_id}&`);
    const { tools } = (await ada.api('GET', at(server, '/tools'))).body;
    const { prompts } = (await ada.api('GET', at(server, '/prompts'))).body;
    const { resources } = (await ada.api('GET', at(server, '/resources'))).body;
    expect(namesOf(tools)).toEqual(expect.arrayContaining(['echo', 'get-sum']));
    expect(namesOf(prompts).length).toBeGreaterThan(0);
    expect(namesOf(resources).length).toBeGreaterThan(0);
    await letVend(server);
    const client = await connectV2(protectedUrl, `Bearer ${await vended(server)}`);
    expect(await client.callTool('echo', { message: 'over there' })).toContain('over there');
    await client.close();
    expect(await ada.api('GET', at(server, '/members'))).toMatchObject({
      body: [{ email: ada.email }],
    });
  });
});

describe('a member uses another MCP server', () => {
  test('with the key of the workspace', async () => {
    const server = await register(ada, {
      ...{ name: 'Key', url: keyUrl, authType: 'api_key', apiKey: `not-${key}` },
    });
    const wrong = await ada.api('POST', at(server, '/test'));
    expect(wrong.body).toMatchObject({ success: false, error: expect.any(String) });
    await ada.api('PATCH', `/api/mcp-servers/${server.publicId}`, { apiKey: key });
    expect((await ada.api('POST', at(server, '/test'))).body).toMatchObject({ success: true });
    const { body } = await ada.api('GET', at(server));
    expect(body).toMatchObject({ state: 'READY', enabled: true, connectorStatus: 'connected' });
    expect(namesOf((await ada.api('GET', at(server, '/tools'))).body.tools)).toContain('echo');
    secrets.add(key);
  });

  test('that asks for nothing', async () => {
    const server = await register(ada, { name: 'Open', url: everything.url });
    expect((await ada.api('POST', at(server, '/enable'))).body).toMatchObject({
      ...{ authType: 'none', state: 'READY', enabled: true, connectorStatus: null },
    });
    expect(namesOf((await ada.api('GET', at(server, '/tools'))).body.tools)).toContain('echo');
  });

  test('after saying so, where nothing is sent for it', async () => {
    const { url } = everything;
    const server = await register(ada, { name: 'Direct', url, authType: 'direct_auth' });
    expect(await ada.api('POST', at(server, '/enable'))).toMatchObject({
      status: 403,
      body: {
        ...{ code: 'authentication_required', authType: 'direct_auth', appUuid: server.uuid },
      },
    });
    await ada.api('POST', at(server, '/credentials'));
    expect((await ada.api('POST', at(server, '/enable'))).status).toBe(200);
    expect(namesOf((await ada.api('GET', at(server, '/tools'))).body.tools)).toContain('echo');
  });
});

test('two replicas that need an ended token twenty times at once refresh it once, under strict rotation', async () => {
  const server = await connected('Boards, raced', boards);
  let last = await vended(server);
  for (let round = 1; round <= 3; round += 1) {
    await expireConnection(stage.dsn, server.id);
    const before = await refreshes();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, turn) => vended(server, turn % 2 === 0 ? 0 : 1)),
    );
    expect(new Set(all).size).toBe(1);
    expect((await refreshes()) - before).toBe(1);
    expect(all[0]).not.toBe(last);
    last = all[0] ?? '';
  }
  const client = await connectV2(boards.mcpUrl, `Bearer ${last}`);
  expect(await client.listTools()).toContain('list_boards');
  await client.close();
  expect((await ada.api('GET', at(server))).body.connectorStatus).toBe('connected');
});

/** Refreshes that the other authorization server has on record. */
async function refreshes(): Promise<number> {
  const { items } = await boards.admin('GET', '/audit?type=token_refreshed&limit=200');
  return Array.isArray(items) ? items.length : Number.NaN;
}

describe('an authorization server that is no good', () => {
  test.each<[string, Meddling, RegExp]>([
    [
      'sends browsers to a script',
      rewrite({ authorization_endpoint: 'javascript:alert(1)' }),
      /^authorization_endpoint is not an https URL/,
    ],
    [
      'takes codes without TLS',
      rewrite({ token_endpoint: 'http://10.0.0.1/token' }),
      /^token_endpoint is not an https URL/,
    ],
    [
      'is another issuer',
      rewrite({ issuer: 'https://evil.example.com' }),
      /^issuer of the metadata is not/,
    ],
    [
      'answers 32 MiB',
      (answer) => ({ ...answer, body: Buffer.alloc(2 ** 25, ' ') }),
      /has no metadata that can be read/,
    ],
    ['breaks off', 'drop', /has no metadata that can be read/],
  ])('is refused by name when it %s', async (_what, meddling, sentence) => {
    boards.tap.meddle = (path) => (path.startsWith('/.well-known/') ? meddling : undefined);
    const url = boards.mcpUrl;
    const found = await ada.api('POST', managed(ada, '/oauth-discovery'), { url });
    expect([400, 502]).toContain(found.status);
    expect(found.body.error_description).toMatch(sentence);
    const server = await register(ada, { name: `It ${_what}`, url, authType: 'oauth' });
    const enabled = await ada.api('POST', at(server, '/enable'));
    expect(enabled).toMatchObject({ status: found.status, body: { error: found.body.error } });
    expect((await ada.api('GET', at(server))).body.state).toBe('REGISTER');
  });

  test.each<[string, string, Record<string, unknown>]>([
    ['ended before it began', '/oauth/token', { expires_in: -1 }],
    ['breaks out of a header', '/oauth/token', { access_token: 'a\r\nX-Evil: 1' }],
    ['is for another kind of use', '/oauth/token', { token_type: 'mac' }],
  ])('connects nobody with a token that %s', async (what, at_, lie) => {
    const server = await register(ada, {
      name: `It ${what}`,
      url: boards.mcpUrl,
      authType: 'oauth',
    });
    await ada.api('POST', at(server, '/enable'));
    boards.tap.meddle = (path) => (path === at_ ? rewrite(lie) : undefined);
    await leave(page, await connectLink(ada, server), ada);
    await allow(page, boards.ada);
    await seeHeading(page, 'The server is not connected');
    expect((await ada.api('GET', at(server))).body.connectorStatus).toBe('disconnected');
  });

  test('connects nobody when it answers for another issuer (RFC 9207)', async () => {
    const server = await register(ada, { name: 'Mixed up', url: boards.mcpUrl, authType: 'oauth' });
    await ada.api('POST', at(server, '/enable'));
    const held = holdBack(boards.tap);
    await leave(page, await connectLink(ada, server), ada);
    await allow(page, boards.ada);
    await seeHeading(page, 'Not connected');
    boards.tap.meddle = undefined;
    const back = new URL(held());
    back.searchParams.set('iss', files.issuer);
    await page.goto(back.href);
    await seeHeading(page, 'The server is not connected');
    expect((await ada.api('GET', at(server))).body.connectorStatus).toBe('disconnected');
  });

  test('costs nobody here time, and nobody their connection, while it is down or hangs', async () => {
    const server = await connected('Boards, down', boards);
    const dead = await register(ada, { name: 'Hanging', url: hanging.url });
    await ada.api('POST', at(dead, '/enable'));
    const quiet = await timesToSignIn();
    const unavailable = {
      body: { error: 'temporarily_unavailable', error_description: expect.stringMatching(/\.$/) },
    };

    await expireConnection(stage.dsn, server.id);
    boards.tap.meddle = () => 'drop';
    expect(await vend(stage, ada, server.publicId)).toMatchObject({ status: 503, ...unavailable });
    expect(await ada.api('GET', at(server, '/tools'))).toMatchObject({
      status: 503,
      ...unavailable,
    });

    boards.tap.meddle = () => 'hang';
    const waiting = [
      vend(stage, ada, server.publicId),
      ada.api('POST', managed(ada, '/oauth-discovery'), { url: boards.mcpUrl }),
      ...Array.from({ length: 12 }, () => ada.api('GET', at(dead, '/tools'))),
    ];
    const meanwhile = await timesToSignIn();
    for (const answer of await Promise.all(waiting)) {
      expect([502, 503]).toContain(answer.status);
      expect(answer).toMatchObject(unavailable);
    }
    expect(median(meanwhile)).toBeLessThan(5 * median(quiet));

    boards.tap.meddle = undefined;
    expect((await ada.api('GET', at(server))).body.connectorStatus).toBe('connected');
    await vended(server);
  });
});

/** Milliseconds of five whole authorizations at the server under test, password and all. */
async function timesToSignIn(): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const started = performance.now();
    await authorize(stage, ada, { resource: `${stage.issuer}/api`, scope: 'apps:read' });
    times.push(performance.now() - started);
  }
  return times;
}

const median = (times: readonly number[]) =>
  times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN;

describe('two workspaces of two people', () => {
  test('have no way across by ids that are guessed, or tokens that are swapped', async () => {
    const theirs = await connected('Of Ada', boards);
    const before = (await ada.api('GET', at(theirs))).body;
    const own = await register(eve, { name: 'Of Eve', url: everything.url });
    const calls = [
      ...['', '/tools', '/prompts', '/resources', '/members', '/oauth/authorize'].map(
        (rest) => ['GET', rest] as const,
      ),
      ...['/enable', '/disable?clear_registration=true', '/test', '/credentials'].map(
        (rest) => ['POST', rest] as const,
      ),
      ['DELETE', ''] as const,
    ];
    const guesses = [theirs.id, theirs.uuid, theirs.publicId];
    const missing = async (workspace: string) => eve.api('GET', managed({ workspace }, '/999999'));
    const unknown = await missing(eve.workspace);
    const made = await missing(randomUUID());
    for (const { workspace } of [ada, eve]) {
      for (const guess of guesses) {
        for (const [method, rest] of calls) {
          const path = managed({ workspace }, `/${guess}${rest}`);
          const known = workspace === eve.workspace ? unknown : made;
          await refusedLike(guess === theirs.id ? known : undefined, eve.api(method, path));
        }
      }
    }
    for (let id = own.id - 1; id > 0; id -= 1) {
      await refusedLike(unknown, eve.api('GET', managed(eve, `/${id}`)));
    }
    for (const guess of guesses) {
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const body = method === 'PATCH' ? { name: 'Mine' } : undefined;
        await refusedLike(undefined, eve.api(method, `/api/mcp-servers/${guess}`, body));
      }
    }
    const inTheirs = { workspaceId: ada.workspace, name: 'Planted', url: everything.url };
    await refusedLike(undefined, eve.api('POST', '/api/mcp-servers', inTheirs));
    await refusedLike(undefined, eve.api('GET', `/api/mcp-servers?workspaceId=${ada.workspace}`));
    await refusedLike(undefined, eve.api('GET', managed(ada)));
    expect((await eve.api('GET', '/api/mcp-servers')).body.items).toHaveLength(1);

    const upstream = await vended(theirs);
    for (const url of [files.mcpUrl, protectedUrl]) expect(await knock(url, upstream)).toBe(401);
    for (const url of [boards.mcpUrl, files.mcpUrl, protectedUrl]) {
      expect(await knock(url, ada.token)).toBe(401);
    }
    const workspaces = { headers: { authorization: `Bearer ${upstream}` } };
    expect((await fetch(`${stage.replicas[0]}/api/workspaces`, workspaces)).status).toBe(401);
    const invented = await vend(stage, eve, `mcp_${'0'.repeat(30)}`);
    expect(invented).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    for (const name of [theirs.publicId, theirs.uuid]) {
      await refusedLike(invented, vend(stage, eve, name));
    }
    expect((await ada.api('GET', at(theirs))).body).toEqual(before);
  });

  test('have no way across by links and ways back that are forwarded', async () => {
    const other = await browserOf(stage);
    const server = await register(ada, { name: 'Link', url: boards.mcpUrl, authType: 'oauth' });
    await ada.api('POST', at(server, '/enable'));
    const link = await connectLink(ada, server);
    await other.goto(link);
    await signIn(other, eve.email, eve.password);
    await seeHeading(other, 'This link does not work');
    await other.goto(`${stage.issuer}/connect/servers/${server.uuid}`);
    expect(await other.locator('body').textContent()).not.toContain(boards.mcpUrl);

    // Ada's answer, in Eve's browser.
    const held = holdBack(boards.tap);
    await leave(page, link, ada);
    await allow(page, boards.ada);
    await seeHeading(page, 'Not connected');
    await other.goto(held());
    await seeHeading(other, 'The server is not connected');
    await page.goto(held());
    await seeHeading(page, 'The server is not connected');

    // Eve's answer, in Ada's browser.
    const url = boards.mcpUrl;
    const own = await register(eve, { name: 'Bait', url, authType: 'oauth' });
    await eve.api('POST', managed(eve, `/${own.id}/enable`));
    await leave(other, await connectLink(eve, own), eve);
    await allow(other, boards.ada);
    await seeHeading(other, 'Not connected');
    await page.goto(held());
    await seeHeading(page, 'The server is not connected');
    for (const [member, { id }] of [
      [ada, server],
      [eve, own],
    ] as const) {
      const { body } = await member.api('GET', managed(member, `/${id}`));
      expect(body.connectorStatus).toBe('disconnected');
    }
  });

  test('have no way across by reconnect links, or tokens of pictures', async () => {
    const { id, secret } = stage.files;
    const ask = (workspace: string, sub: unknown) =>
      fetch(`${stage.replicas[0]}/api/workspaces/${workspace}/reconnect-links`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${btoa(`${id}:${secret}`)}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ sub }),
      });
    const { items } = await stage.admin('GET', `/users?q=${ada.email}`);
    const sub = Array.isArray(items) ? items[0].id : undefined;
    expect((await ask(eve.workspace, sub)).ok).toBe(false);
    const made = await ask(ada.workspace, sub);
    expect(made.status).toBe(201);
    const { url }: { url: string } = JSON.parse(await made.text());

    const other = await browserOf(stage);
    await other.goto(url);
    await signIn(other, eve.email, eve.password);
    await seeHeading(other, 'This link does not work');
    const own = await browserOf(stage);
    await own.goto(url);
    await signIn(own, ada.email, ada.password);
    await seeHeading(own, /^Connect to/);
    await own.locator('button[value=connect]').click();
    await seeHeading(own, 'Copy your token now');
    secrets.add(await own.locator('#token').inputValue());

    const pictures: URL[] = [];
    for (const member of [ada, eve]) {
      const gate = await everything.behind((_req, _res, next) => next());
      const server = await register(member, { name: 'Picture', url: gate });
      await member.api('POST', managed(member, `/${server.id}/test`));
      const { body } = await member.api('GET', managed(member, `/${server.id}`));
      pictures.push(new URL(String(body.iconUrl).replace(stage.issuer, stage.replicas[0])));
    }
    const [first, second] = pictures;
    expect((await fetch(first ?? '')).headers.get('content-type')).toBe('image/png');
    const swapped = new URL(first ?? '');
    swapped.search = second?.search ?? '';
    expect((await fetch(swapped)).status).toBe(404);
  });
});

/** What an MCP server says to a token. */
async function knock(url: string, token: string): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  return answer.status;
}

/** A refusal that tells nothing, or the very same as `known` tells. */
async function refusedLike(known: Answered | undefined, asked: Promise<Answered>): Promise<void> {
  const { status, body } = await asked;
  expect({ status, body }).toMatchObject({ status: known?.status ?? expect.any(Number) });
  if (known) expect({ ...body, trace_id: '' }).toEqual({ ...known.body, trace_id: '' });
  else expect([400, 404]).toContain(status);
  expect(JSON.stringify(body)).not.toMatch(/Of Ada|localhost/);
}

test('nothing that lets one in elsewhere is in the clear in the database or the log', async () => {
  for (const there of [boards, files]) {
    const server = await connected(`Searched ${there.issuer}`, there);
    await expireConnection(stage.dsn, server.id);
    await vended(server, 1);
  }
  const sent = {
    authorization: 'Basic c29tZWJvZHk6YSBwYXNzd29yZA',
    'x-extra': 'extra-secret-0123456789',
  };
  await ada.api('POST', '/api/mcp-servers', {
    ...{ workspaceId: ada.workspace, name: 'Searched', url: keyUrl },
    ...{ authType: 'api_key', apiKey: key, headers: { 'X-Extra': sent['x-extra'] } },
  });
  for (const there of [boards, files]) for (const one of secretsOf(there.tap)) secrets.add(one);
  for (const one of [key, sent['x-extra'], stage.gateway.secret, stage.files.secret])
    secrets.add(one);
  for (const { token, password } of [ada, eve]) secrets.add(token).add(password);
  expect(secrets.size).toBeGreaterThan(12);

  const kept = `${await databaseAsText(stage.dsn)}\n${stage.output()}`;
  expect(kept).toContain(`Searched ${boards.issuer}`);
  for (const one of secrets) {
    const bytes = Buffer.from(one);
    for (const form of [one, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')]) {
      expect(kept.includes(form), `${one.slice(0, 12)}… is in the clear`).toBe(false);
    }
  }
});
