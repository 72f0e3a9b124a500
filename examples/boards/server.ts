import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpHandler } from '@modelcontextprotocol/server';
import {
  type AuthInfo,
  type ProtectMcpOptions,
  protectMcp,
} from '../../src/resource-server/index.ts';
import { contentOf, openWorkspace, sharedWorkspace } from './content.ts';
import { type BoardsDatabase, openBoardsDatabase } from './database.ts';
import { sendWebResponse, webRequest } from './node-bridge.ts';
import { boardsMcpServer, type Caller, toolScopes } from './tools.ts';

export type BoardsOptions = {
  /** The authorization server's issuer. */
  issuer: string;
  /** This server's URL as clients type it. */
  resource: string;
  /** `postgres://…`, a directory, or `memory`, which is the default. */
  database?: string;
  /** Whether a new workspace begins with something to look at. Default: true. */
  samples?: boolean;
} & Pick<ProtectMcpOptions, 'introspection' | 'initialScopes' | 'dpop' | 'fetch' | 'onError'>;

export type BoardsServer = {
  /** @returns the port it listens on; port 0 takes a free one. */
  listen(port: number, host?: string): Promise<number>;
  close(): Promise<void>;
};

type Call = IncomingMessage & { auth?: AuthInfo; body?: unknown };

/**
 * A protected MCP server: stateless Streamable HTTP, POST only, speaking protocol versions 2024-11-05 to 2026-07-28.
 * The first token asks for boards only; `search_docs` then needs a step-up to `access_docs`. With `introspection` it
 * takes opaque and personal access tokens, without it JWTs only.
 */
export function createBoardsServer(options: BoardsOptions): BoardsServer {
  const { database = 'memory', samples = true, onError = () => {}, ...protection } = options;
  const auth = protectMcp({
    scopes: ['access_boards', 'access_docs'],
    initialScopes: ['access_boards'],
    toolScopes,
    resourceName: 'Boards',
    onError,
    ...protection,
  });
  const protect = auth.node();
  const endpoint = new URL(options.resource).pathname;
  let opened: BoardsDatabase | undefined;

  const mcp = createMcpHandler(
    async ({ authInfo }) => {
      const caller = callerOf(authInfo);
      if (!opened) throw new Error('Nobody has called listen');
      const workspaceId = caller.workspace.id ?? sharedWorkspace;
      await openWorkspace(opened, workspaceId, samples);
      return boardsMcpServer(contentOf(opened, workspaceId), caller, onError);
    },
    { onerror: onError },
  );

  async function handle(req: Call, res: ServerResponse) {
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

  async function serve(req: Call, res: ServerResponse) {
    const request = webRequest(req, res, options.resource);
    const response = await mcp.fetch(request, { authInfo: req.auth, parsedBody: req.body });
    await sendWebResponse(response, res);
  }

  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      onError(error);
      res.destroy();
    });
  });

  return {
    async listen(port, host = '127.0.0.1') {
      opened = await openBoardsDatabase(database, onError);
      return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => resolve(portOf(server.address())));
      });
    },
    async close() {
      await mcp.close();
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      });
      await opened?.close();
    },
  };
}

/** The `workspace_id` of a token decides what it sees; `workspace_name` is a claim that the resource is set up to carry. */
function callerOf(authInfo: Pick<AuthInfo, 'clientId' | 'scopes'> | undefined): Caller {
  const { clientId, scopes, extra } = { clientId: '', scopes: [], extra: {}, ...authInfo };
  const { sub, username, workspace_id, workspace_name }: Record<string, unknown> = extra;
  const id = asText(workspace_id);
  // Nobody's client asked for a personal access token; the kit then names its owner.
  const isClient = clientId !== '' && clientId !== sub;
  const unnamed = id === undefined ? 'Harbour Studio' : 'Workspace';
  return {
    user: asText(username) ?? asText(sub),
    ...(isClient && { clientId }),
    scopes,
    workspace: { id, name: asText(workspace_name) ?? unnamed },
  };
}

const asText = (value: unknown) => (typeof value === 'string' ? value : undefined);

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
