import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createBoardsServer } from '../../examples/boards/server.ts';
import { startServer, type TestServer } from '../provider/server.testing.ts';
import type { Diagnosis, Finding } from './index.ts';

const scopes = ['access_boards', 'access_docs'];
let server: TestServer;
let boards: { url: string; close: () => Promise<void> };
const closing: (() => Promise<unknown>)[] = [];

/** A port that is free now: the URL of the resource has to be known before its server runs. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const port = portOf(probe.address());
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address !== 'object' || !address) throw new Error('no address');
  return address.port;
}

beforeAll(async () => {
  const port = await freePort();
  const url = `http://localhost:${port}/mcp`;
  server = await startServer({
    resources: `
  - { slug: boards, uri: "${url}", display_name: Boards, scopes: [{ name: access_boards }, { name: access_docs }] }`,
    extra: `oauth: { default_resource: "${url}" }`,
  });
  const running = createBoardsServer({ issuer: server.url, resource: url });
  await running.listen(port, 'localhost');
  boards = { url, close: () => running.close() };
});
afterAll(async () => {
  await boards.close();
  await server.close();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const examine = (url?: string): Promise<Diagnosis> => server.app.rooms.doctor.examine(url);

function found({ findings }: Diagnosis, id: string): Finding {
  const finding = findings.find((one) => one.id === id);
  if (!finding) throw new Error(`no finding ${id}`);
  return finding;
}

const wrong = ({ findings }: Diagnosis) =>
  findings
    .filter(({ state }) => state !== 'PASS')
    .map(({ id, state, sentence }) => [id, state, sentence]);

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

interface Broken {
  prm?: (url: string) => Record<string, unknown> | undefined;
  challenge?: (url: string) => string | undefined;
  call?: (req: IncomingMessage) => Answer | undefined;
  cors?: boolean;
}

/** An MCP server that is right but for what is given. */
async function mcpServer({ prm, challenge, call, cors = true }: Broken): Promise<string> {
  const port = await freePort();
  const url = `http://localhost:${port}/mcp`;
  const metadata = `http://localhost:${port}/.well-known/oauth-protected-resource/mcp`;
  const open = {
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'authorization, content-type, mcp-protocol-version',
    'access-control-expose-headers': 'WWW-Authenticate',
  };
  const good = { resource: url, authorization_servers: [server.url], scopes_supported: scopes };
  const respond = (req: IncomingMessage): Answer => {
    if (req.method === 'OPTIONS') return { status: 204 };
    if (req.url?.startsWith('/.well-known/oauth-protected-resource')) {
      const body = prm ? prm(url) : good;
      return body ? { status: 200, body } : { status: 404 };
    }
    if (req.url !== '/mcp') return { status: 404 };
    const other = call?.(req);
    if (other) return other;
    const header = challenge
      ? challenge(url)
      : `Bearer resource_metadata="${metadata}", scope="access_boards"`;
    return { status: 401, headers: header === undefined ? {} : { 'www-authenticate': header } };
  };
  const listener = createServer((req: IncomingMessage, res: ServerResponse) => {
    const { status, headers, body } = respond(req);
    const all = { ...(cors ? open : {}), ...headers, 'content-type': 'application/json' };
    res.writeHead(status, all).end(body === undefined ? '' : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => listener.listen(port, 'localhost', resolve));
  closing.push(() => new Promise((resolve) => listener.close(resolve)));
  return url;
}

test('our own example, protected by the kit, passes every check', async () => {
  const diagnosis = await examine(boards.url);
  expect(wrong(diagnosis)).toEqual([]);
  expect(diagnosis.verdict).toBe('PASS');
  for (const { state, fix } of diagnosis.findings) expect(fix === null).toBe(state === 'PASS');
});

test('an examination leaves nothing behind', async () => {
  const count = async () => {
    const { kysely } = server.db;
    await server.app.rooms.flows.flush();
    return Promise.all([
      kysely.selectFrom('clients').select('client_id').execute(),
      kysely.selectFrom('artifacts').select('id').execute(),
      kysely.selectFrom('flows').select('id').execute(),
    ]);
  };
  const before = await count();
  await examine(boards.url);
  expect(await count()).toEqual(before);
});

test('without a URL this server and every registered resource are examined', async () => {
  const diagnosis = await examine();
  expect(diagnosis.url).toBeNull();
  expect(found(diagnosis, 'issuer_echo').state).toBe('PASS');
  expect(found(diagnosis, 'resource_boards').state).toBe('PASS');
  expect(found(diagnosis, 'resource_rs1')).toMatchObject({ state: 'FAIL', group: 'resources' });
});

describe('a broken MCP server', () => {
  const bearer = 'Bearer scope="access_boards"';
  test.each<[string, Broken, string, string]>([
    ['without a token check', { call: () => ({ status: 200, body: {} }) }, 'mcp_refuses', 'FAIL'],
    ['at another path', { call: () => ({ status: 404 }) }, 'mcp_refuses', 'FAIL'],
    ['that redirects', { call: () => ({ status: 307 }) }, 'mcp_refuses', 'FAIL'],
    ['that fails', { call: () => ({ status: 500 }) }, 'mcp_refuses', 'FAIL'],
    ['without a challenge', { challenge: () => undefined }, 'challenge_scheme', 'FAIL'],
    ['with a Basic challenge', { challenge: () => 'Basic realm="x"' }, 'challenge_scheme', 'FAIL'],
    ['without resource_metadata', { challenge: () => bearer }, 'challenge_metadata', 'WARN'],
    [
      'whose resource_metadata is not there',
      { challenge: (url) => `Bearer resource_metadata="${url}/nowhere"` },
      'challenge_metadata',
      'FAIL',
    ],
    [
      'without scope in its challenge',
      { challenge: (url) => `Bearer resource_metadata="${url}"` },
      'challenge_scope',
      'WARN',
    ],
    [
      'that answers GET with a page',
      { call: ({ method }) => (method === 'GET' ? { status: 200 } : undefined) },
      'mcp_get',
      'FAIL',
    ],
    [
      'that looks at the request first',
      { call: ({ headers }) => (headers.accept?.includes('event') ? undefined : { status: 406 }) },
      'mcp_refuses_first',
      'WARN',
    ],
    ['without CORS', { cors: false }, 'mcp_cors', 'WARN'],
    ['whose metadata has no CORS', { cors: false }, 'prm_cors', 'WARN'],
    ['without metadata', { prm: () => undefined }, 'prm_inserted', 'FAIL'],
    [
      'that names another resource',
      { prm: () => ({ resource: 'https://other.test/mcp', authorization_servers: [server.url] }) },
      'prm_resource',
      'FAIL',
    ],
    [
      'that names itself in another spelling',
      { prm: (url) => ({ resource: `${url}/`, authorization_servers: [server.url] }) },
      'prm_resource',
      'WARN',
    ],
    [
      'that names another issuer',
      { prm: (url) => ({ resource: url, authorization_servers: ['https://other.test'] }) },
      'prm_issuer',
      'FAIL',
    ],
    [
      'that names the issuer with a slash',
      { prm: (url) => ({ resource: url, authorization_servers: [`${server.url}/`] }) },
      'prm_issuer',
      'FAIL',
    ],
    ['that is not registered', {}, 'resource_registered', 'FAIL'],
    ['that is not registered, for Claude Code', {}, 'client_claude_code', 'FAIL'],
  ])('%s fails its check with a fix', async (_what, broken, id, state) => {
    const finding = found(await examine(await mcpServer(broken)), id);
    expect(finding).toMatchObject({ state });
    expect(finding.fix).toBeTruthy();
  });

  test('whose scopes are not known fails', async () => {
    const prm = () => ({
      resource: boards.url,
      authorization_servers: [server.url],
      scopes_supported: ['nobody:knows'],
    });
    const diagnosis = await examine(await mcpServer({ prm }));
    expect(found(diagnosis, 'prm_scopes')).toMatchObject({ state: 'FAIL' });
    expect(found(diagnosis, 'client_gemini_cli').sentence).toContain('invalid_scope');
  });

  test('that does not run fails, and the rest cannot be told', async () => {
    const diagnosis = await examine(`http://localhost:${await freePort()}/mcp`);
    expect(found(diagnosis, 'mcp_refuses')).toMatchObject({ state: 'FAIL' });
    expect(found(diagnosis, 'challenge_scheme').state).toBe('SKIP');
  });
});

test.each(['ftp://mcp.test/', 'mcp.test', 'https://user:pass@mcp.test/', 'https://mcp.test/#x'])(
  'the doctor MUST NOT ask %s',
  async (url) => {
    await expect(examine(url)).rejects.toMatchObject({ error: 'invalid_request' });
  },
);
