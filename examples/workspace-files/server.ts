import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AuthInfo } from '../../src/resource-server/index.ts';
import { checkHeaders } from './headers.ts';
import { isWorkspaceId } from './home.ts';
import { sendWebResponse, webRequest } from './node-bridge.ts';
import { createParts, type WorkspaceFilesOptions } from './parts.ts';
import { uploadRequests } from './upload-requests.ts';

export type { WorkspaceFilesOptions } from './parts.ts';

export type WorkspaceFilesServer = {
  /** @returns the port it listens on; port 0 takes a free one. */
  listen(port: number, host?: string): Promise<number>;
  /** Lets go of what has expired; it does so by itself every minute. */
  sweep(): Promise<void>;
  close(): Promise<void>;
};

type Req = IncomingMessage & { auth?: AuthInfo; body?: unknown };

/** Milliseconds between two looks for what has expired. */
const sweepEvery = 60_000;

/**
 * A protected MCP server with sessions: the files of the workspace that the caller's token is for. Streamable HTTP with
 * POST, GET and DELETE, protocol versions 2024-11-05 to 2025-06-18.
 */
export function createWorkspaceFilesServer(options: WorkspaceFilesOptions): WorkspaceFilesServer {
  const { auth, sessions, uploads, limits, sweep } = createParts(options);
  const endpoint = new URL(options.resource).pathname;
  const protect = auth.node();
  const receive = uploadRequests(uploads, limits, `${endpoint}/uploads/`);

  async function handle(req: Req, res: ServerResponse): Promise<void> {
    const path = (req.url ?? '/').split('?', 1)[0] ?? '/';
    if (path === '/health') return sendOpen(Response.json({ status: 'ok' }), res);
    if (await receive(req, res)) return;
    if (path !== endpoint && !path.startsWith('/.well-known/')) {
      const error = `Not found: the MCP endpoint is ${options.resource}`;
      return sendOpen(Response.json({ error }, { status: 404 }), res);
    }
    const wrong = path === endpoint ? checkHeaders(req) : undefined;
    if (wrong) return sendOpen(wrong, res);
    await protect(req, res, () => serve(req, res));
  }

  async function serve(req: Req, res: ServerResponse): Promise<void> {
    const { auth, body } = req;
    const { workspace_id: workspaceId, sub } = auth?.extra ?? {};
    if (!auth || !isWorkspaceId(workspaceId) || typeof sub !== 'string') {
      return sendWebResponse(noWorkspace(), res);
    }
    const request = webRequest(req, res, options.resource);
    const owner = { workspaceId, sub };
    await sendWebResponse(await sessions.handle({ request, owner, auth, body }), res);
  }

  const report = (error: unknown) => options.onError?.(error);
  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      report(error);
      if (res.headersSent) return res.destroy();
      res.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"server_error"}');
    });
  });
  const sweeping = setInterval(() => sweep().catch(report), sweepEvery);
  sweeping.unref();

  return {
    sweep,
    async listen(port, host = '127.0.0.1') {
      await sweep();
      return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => resolve(portOf(server.address())));
      });
    },
    async close() {
      clearInterval(sweeping);
      await sessions.close();
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      });
    },
  };
}

const portOf = (address: AddressInfo | string | null) =>
  typeof address === 'object' && address !== null ? address.port : 0;

/** Answers that are given before the kit has set its headers may be read by pages of any origin too. */
async function sendOpen(response: Response, res: ServerResponse): Promise<void> {
  res.setHeader('access-control-allow-origin', '*');
  await sendWebResponse(response, res);
}

const noWorkspace = () =>
  Response.json(
    {
      error: 'access_denied',
      error_description: 'This token is for no workspace; sign in again and choose one',
    },
    { status: 403 },
  );
