import { createServer } from 'node:net';
import {
  Client,
  DpopSession,
  InsufficientScopeError,
  StreamableHTTPClientTransport,
  withDpop,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Content } from '../../examples/boards/content.ts';
import { type BoardsServer, createBoardsServer } from '../../examples/boards/server.ts';
import { boardsMcpServer } from '../../examples/boards/tools.ts';
import { startTestIssuer, type TestIssuer } from './issuer.testing.ts';

let issuer: TestIssuer;
let boards: BoardsServer;
let resource: string;

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

beforeAll(async () => {
  issuer = await startTestIssuer();
  const port = await freePort();
  resource = `http://localhost:${port}/mcp`;
  boards = createBoardsServer({ issuer: issuer.issuer, resource });
  await boards.listen(port);
});
afterAll(async () => {
  await boards.close();
  await issuer.close();
});

const mint = (scope: string, claims = {}) => issuer.mint(resource, { scope, ...claims });

const clientInfo = { name: 'test', version: '1' };

async function connect(scope: string, mode: 'auto' | 'legacy' = 'auto') {
  const token = await mint(scope);
  const client = new Client(clientInfo, { versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL(resource), {
    authProvider: { token: async () => token },
  });
  await client.connect(transport);
  return client;
}

const text = (result: object) => {
  const content = 'content' in result ? result.content : undefined;
  const [first] = Array.isArray(content) ? content : [];
  return JSON.parse(String(first?.text));
};

const tools = [
  'get_workspace_info',
  'list_boards',
  'list_rows',
  'list_tables',
  'search',
  'search_docs',
];

describe('boards with the MCP SDK 2.x client', () => {
  it.each([
    ['auto', '2026-07-28'],
    ['legacy', '2025-11-25'],
  ] as const)('speaks %s: protocol version %s', async (mode, version) => {
    const client = await connect('access_boards', mode);
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    const listed = await client.listTools();
    expect(listed.tools.map(({ name }) => name).sort()).toEqual(tools);
    await client.close();
  });

  it('walks from boards to tables to rows, and searches', async () => {
    const client = await connect('access_boards access_docs');
    const call = async (name: string, args: Record<string, unknown> = {}) =>
      text(await client.callTool({ name, arguments: args }));
    const [board] = await call('list_boards');
    const [table] = await call('list_tables', { board_id: board.id });
    const rows = await call('list_rows', { table_id: table.id, limit: 2 });
    expect(rows).toHaveLength(2);
    expect(await call('search', { query: 'quayside' })).toMatchObject([{ id: 'row_a2' }]);
    expect(await call('search_docs', { query: 'launch' })).toMatchObject([{ id: 'doc_handbook' }]);
    await client.close();
  });

  it('tells with any valid token whose it is', async () => {
    const client = await connect('');
    const info = text(await client.callTool({ name: 'get_workspace_info' }));
    expect(info).toMatchObject({ token: { user: 'usr_1', client_id: 'client' } });
    await client.close();
  });

  it('names an unknown board in a tool error', async () => {
    const client = await connect('access_boards');
    const result = await client.callTool({ name: 'list_tables', arguments: { board_id: 'no' } });
    expect(result.isError).toBe(true);
    await client.close();
  });

  it('makes the client step up for a tool whose scope is missing', async () => {
    const client = await connect('access_boards');
    const call = client.callTool({ name: 'search_docs', arguments: { query: 'launch' } });
    const error = await call.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InsufficientScopeError);
    expect(error).toMatchObject({ requiredScope: 'access_docs' });
    await client.close();
  });

  it('accepts a DPoP-bound token with the proofs of the SDK', async () => {
    const session = await DpopSession.create();
    const token = await mint('access_boards', { cnf: { jkt: session.thumbprint } });
    const client = new Client(clientInfo, { versionNegotiation: { mode: 'auto' } });
    const transport = new StreamableHTTPClientTransport(new URL(resource), {
      authProvider: { token: async () => token },
      fetch: withDpop(session, async () => token)(fetch),
    });
    await client.connect(transport);
    expect(text(await client.callTool({ name: 'list_boards' }))).toHaveLength(2);
    await client.close();
  });
});

describe('boards with the MCP SDK 1.x client', () => {
  it('connects, lists and calls', async () => {
    const authorization = `Bearer ${await mint('access_boards')}`;
    const client = new ClientV1(clientInfo);
    await client.connect(
      new TransportV1(new URL(resource), { requestInit: { headers: { authorization } } }),
    );
    expect((await client.listTools()).tools).toHaveLength(6);
    expect(text(await client.callTool({ name: 'list_boards', arguments: {} }))).toHaveLength(2);
    await expect(
      client.callTool({ name: 'search_docs', arguments: { query: 'x' } }),
    ).rejects.toThrow('insufficient_scope');
    await client.close();
  });
});

describe('boards over plain HTTP', () => {
  const post = async (body: string, headers: Record<string, string> = {}) =>
    fetch(resource, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${await mint('access_boards')}`,
        ...headers,
      },
      body,
    });

  it.each(['GET', 'DELETE'])('answers %s with 405 before any 401', async (method) => {
    const response = await fetch(resource, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
  });

  it('answers POST without token 401, asking for the boards scope first', async () => {
    const response = await fetch(resource, { method: 'POST', body: '{}' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('scope="access_boards"');
  });

  it('answers /health without token', async () => {
    const response = await fetch(new URL('/health', resource));
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('answers other paths 404', async () => {
    expect((await fetch(new URL('/', resource))).status).toBe(404);
    expect((await fetch(`${resource}/`, { method: 'POST', body: '{}' })).status).toBe(404);
  });

  it('serves its metadata', async () => {
    const url = new URL('/.well-known/oauth-protected-resource/mcp', resource);
    expect(await (await fetch(url)).json()).toMatchObject({ resource, resource_name: 'Boards' });
  });

  it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    'shakes hands in %s',
    async (protocolVersion) => {
      const params = { protocolVersion, capabilities: {}, clientInfo };
      const response = await post(
        JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
      );
      expect(await response.text()).toContain(`"protocolVersion":"${protocolVersion}"`);
    },
  );

  it.each(['', '{', '[]', '1', '{"jsonrpc":"2.0"}'])(
    'answers the bad body %j with a 4xx JSON-RPC error',
    async (body) => {
      const response = await post(body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: {} });
    },
  );
});

it('tells the operator and not the agent what the database says', async () => {
  const failure = new Error('connect ECONNREFUSED 10.1.2.3:5432');
  const fail = () => Promise.reject(failure);
  const content: Content = {
    ...{ boards: fail, tables: fail, rows: fail },
    ...{ searchRows: fail, searchDocs: fail, counts: fail },
  };
  const errors: unknown[] = [];
  const caller = { scopes: [], workspace: { name: 'Workspace' } };
  const mcp = createMcpHandler(() =>
    boardsMcpServer(content, caller, (error) => errors.push(error)),
  );
  const parameters = { board_id: 'b', table_id: 't', query: 'q' };
  for (const name of tools) {
    const params = { name, arguments: parameters };
    const response = await mcp.fetch(
      new Request(resource, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      }),
    );
    const answered = await response.text();
    expect(answered).toContain('"isError":true');
    expect(answered).not.toContain('10.1.2.3');
  }
  expect(errors).toEqual(tools.map(() => failure));
});
