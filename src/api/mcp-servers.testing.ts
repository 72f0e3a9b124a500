import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { expect } from 'vitest';
import { z } from 'zod';
import type { alice, TestServer } from '../provider/server.testing.ts';
import { workspaceId } from '../provider/workspaces.testing.ts';
import { apiTokens, call } from './api.testing.ts';

/** Another MCP server, for real, on this computer. */
export interface OtherServer {
  /** Its endpoint. */
  url: string;
  origin: string;
  /** Requests that came, as they came. */
  requests: { method: string; path: string; headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

type Handle = (req: IncomingMessage, res: ServerResponse) => void | Promise<void>;

/** A server that answers what it likes. */
export async function otherServer(handle: Handle): Promise<OtherServer> {
  const requests: OtherServer['requests'] = [];
  const sockets = new Set<Socket>();
  const server = createServer((req, res) => {
    requests.push({ method: req.method ?? '', path: req.url ?? '', headers: req.headers });
    void Promise.resolve(handle(req, res)).catch(() => res.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const origin = `http://127.0.0.1:${address.port}`;
  return {
    ...{ url: `${origin}/mcp`, origin, requests },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * An MCP server of the official SDK, with one tool, prompt and resource.
 *
 * @param options `accepts`: whether a request may pass, otherwise 401; `rest`: what is not `/mcp`
 */
export function exampleMcp({
  accepts = () => true,
  rest = (_req, res) => void res.writeHead(404).end(),
}: {
  accepts?: (req: IncomingMessage) => boolean;
  rest?: Handle;
} = {}): Handle {
  const mcp = createMcpHandler(() => {
    const server = new McpServer({ name: 'example', version: '1.0.0' });
    const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
    const inputSchema = z.object({ text: z.string() });
    server.registerTool('echo', { description: 'Says it again', inputSchema }, async (input) =>
      text(input.text),
    );
    server.registerPrompt('greet', { description: 'Greets' }, async () => ({
      messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'Hello' } }],
    }));
    server.registerResource('notes', 'note://one', { description: 'A note' }, async () => ({
      contents: [{ uri: 'note://one', text: 'Note' }],
    }));
    return server;
  });
  return async (req, res) => {
    if (req.url !== '/mcp') return rest(req, res);
    if (!accepts(req)) return void res.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(Buffer.from(chunk));
    const headers = Object.entries(req.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]);
    const method = req.method ?? 'GET';
    const hasBody = method === 'POST';
    const request = new Request(`http://${req.headers.host}/mcp`, {
      ...{ method, headers },
      ...(hasBody && { body: Buffer.concat(chunks) }),
    });
    const answer = await mcp.fetch(request);
    res.writeHead(answer.status, Object.fromEntries(answer.headers));
    for await (const chunk of answer.body ?? []) res.write(chunk);
    res.end();
  };
}

/** Calls the API for somebody, and reads JSON. */
export type ApiClient = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>;

export async function apiClient(
  server: TestServer,
  person: typeof alice,
  scope = 'apps:read apps:write apps:admin',
): Promise<ApiClient> {
  const { access_token: token } = await apiTokens(server, scope, { person });
  return async (method, path, body) => {
    const response = await call(server, path, {
      ...{ method, token, redirect: 'manual' },
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
    const text = await response.text();
    const isJson = /^application\/json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      body: isJson ? JSON.parse(text) : {},
      headers: response.headers,
    };
  };
}

/** A path of the management API in a workspace. */
export async function managed(server: TestServer, slug: string, rest = ''): Promise<string> {
  return `/api/v2/w/${await workspaceId(server, slug)}/mcp-servers${rest}`;
}

/** Registers a server. @returns it as the management API shows it */
export async function registered(
  server: TestServer,
  api: ApiClient,
  { slug = 'acme', ...input }: { slug?: string; [field: string]: unknown },
): Promise<Record<string, unknown> & { id: number; uuid: string; publicId: string }> {
  const workspace = await workspaceId(server, slug);
  const made = await api('POST', '/api/mcp-servers', {
    ...{ workspaceId: workspace, name: 'Example', ...input },
  });
  expect(made).toMatchObject({ status: 201 });
  const list = await api('GET', await managed(server, slug));
  const all: unknown = list.body;
  const rows = z
    .array(z.looseObject({ id: z.int(), uuid: z.string(), createdAt: z.string() }))
    .parse(all);
  const row = rows.at(-1);
  if (!row) throw new Error('it is not listed');
  return { ...row, publicId: String(made.body.id) };
}
