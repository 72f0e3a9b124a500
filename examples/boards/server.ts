import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpHandler } from '@modelcontextprotocol/server';
import {
  type AuthInfo,
  type ProtectMcpOptions,
  protectMcp,
} from '../../src/resource-server/index.ts';
import { sampleWorkspace } from './data.ts';
import { sendWebResponse, webRequest } from './node-bridge.ts';
import { boardsMcpServer, toolScopes } from './tools.ts';

export type BoardsOptions = {
  /** The authorization server's issuer. */
  issuer: string;
  /** This server's URL as clients type it. */
  resource: string;
} & Pick<ProtectMcpOptions, 'dpop' | 'fetch' | 'onError'>;

export type BoardsServer = {
  /** @returns the port it listens on; port 0 takes a free one. */
  listen(port: number, host?: string): Promise<number>;
  close(): Promise<void>;
};

/**
 * A protected MCP server: stateless Streamable HTTP, POST only, speaking protocol versions 2024-11-05 to 2026-07-28.
 * The first token asks for boards only; `search_docs` then needs a step-up to `access_docs`.
 */
export function createBoardsServer(options: BoardsOptions): BoardsServer {
  const auth = protectMcp({
    scopes: ['access_boards', 'access_docs'],
    initialScopes: ['access_boards'],
    toolScopes,
    resourceName: 'Boards',
    ...options,
  });
  const workspace = sampleWorkspace();
  const mcp = createMcpHandler(() => boardsMcpServer(workspace), { onerror: options.onError });
  const protect = auth.node();
  const endpoint = new URL(options.resource).pathname;

  async function handle(
    req: IncomingMessage & { auth?: AuthInfo; body?: unknown },
    res: ServerResponse,
  ) {
    const path = (req.url ?? '/').split('?', 1)[0] ?? '/';
    if (path === '/health') return sendJson(res, 200, { status: 'ok' });
    if (path === endpoint && (req.method === 'GET' || req.method === 'DELETE')) {
      return methodNotAllowed(res);
    }
    if (path !== endpoint && !path.startsWith('/.well-known/')) {
      return sendJson(res, 404, { error: 'not_found' });
    }
    await protect(req, res, () => serve(req, res));
  }

  async function serve(
    req: IncomingMessage & { auth?: AuthInfo; body?: unknown },
    res: ServerResponse,
  ) {
    const request = webRequest(req, res, options.resource);
    const response = await mcp.fetch(request, { authInfo: req.auth, parsedBody: req.body });
    await sendWebResponse(response, res);
  }

  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      options.onError?.(error);
      res.destroy();
    });
  });

  return {
    listen: (port, host = '127.0.0.1') =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => resolve(portOf(server.address())));
      }),
    async close() {
      await mcp.close();
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      });
    },
  };
}

const portOf = (address: AddressInfo | string | null) =>
  typeof address === 'object' && address !== null ? address.port : 0;

/** There is no session to resume and no stream to open, whoever asks. */
function methodNotAllowed(res: ServerResponse): void {
  res.setHeader('allow', 'POST, OPTIONS');
  const error = { code: -32000, message: 'Method not allowed: this server is stateless, use POST' };
  sendJson(res, 405, { jsonrpc: '2.0', id: null, error });
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, {
    'content-type': 'application/json',
    'access-control-allow-origin': '*',
  });
  res.end(JSON.stringify(body));
}
