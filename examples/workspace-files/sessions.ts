import { randomUUID } from 'node:crypto';
import {
  isInitializeRequest,
  isJSONRPCRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { AuthInfo } from '../../src/resource-server/index.ts';

/** Whose a session is: the same person in the same workspace, by whatever credential. */
export type Owner = { workspaceId: string; sub: string };

export type SessionLimits = {
  /** How long a session without request or open stream lasts, milliseconds. */
  idle: number;
  /** Sessions of one owner; the one unused for the longest time gives way. */
  perOwner: number;
  /** Sessions altogether. */
  total: number;
};

export const defaultSessionLimits: SessionLimits = {
  idle: 30 * 60 * 1000,
  perOwner: 32,
  total: 2000,
};

type Session = {
  owner: Owner;
  server: McpServer;
  transport: WebStandardStreamableHTTPServerTransport;
  usedAt: number;
  /** Requests and streams that are not finished. */
  open: number;
  /** Ids of JSON-RPC requests that are not answered yet. */
  pending: Set<unknown>;
};

type Deps = {
  limits: SessionLimits;
  now: () => Date;
  build: (owner: Owner) => McpServer;
  onError?: (error: unknown) => void;
};

type Incoming = { request: Request; owner: Owner; auth: AuthInfo; body: unknown };

/** The sessions of Streamable HTTP, kept in this process. A client whose session is gone gets 404 and starts anew. */
export function createSessions({ limits, now, build, onError }: Deps) {
  const sessions = new Map<string, Session>();

  async function end(id: string): Promise<void> {
    const session = sessions.get(id);
    sessions.delete(id);
    await session?.server.close().catch(onError);
  }

  async function sweep(): Promise<void> {
    const latest = now().getTime() - limits.idle;
    const idle = [...sessions].filter(([, { open, usedAt }]) => open === 0 && usedAt <= latest);
    for (const [id] of idle) await end(id);
  }

  /** When all sessions are taken, the person who has the most gives one: nobody can keep everybody else out. */
  async function makeRoom(owner: Owner): Promise<void> {
    const own = [...sessions].filter(([, session]) => isOf(session, owner));
    if (own.length >= limits.perOwner) await end(longestUnused(own));
    if (sessions.size >= limits.total) await sweep();
    if (sessions.size < limits.total) return;
    const [most = []] = [
      ...Map.groupBy(sessions, ([, session]) => session.owner.sub).values(),
    ].sort((a, b) => b.length - a.length);
    await end(longestUnused(most));
  }

  async function start(incoming: Incoming): Promise<Response> {
    const { owner } = incoming;
    await makeRoom(owner);
    const server = build(owner);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        const session = {
          owner,
          server,
          transport,
          usedAt: now().getTime(),
          open: 0,
          pending: new Set<unknown>(),
        };
        sessions.set(id, session);
        watch(session, incoming.request);
      },
      onsessionclosed: (id) => {
        sessions.delete(id);
      },
    });
    await server.connect(transport);
    const response = await pass(transport, incoming);
    if (transport.sessionId === undefined) await server.close();
    return response;
  }

  /** A session counts as used while a request or stream of it is open. */
  function watch(session: Session, { signal }: Request): void {
    session.open += 1;
    const finished = () => {
      session.open -= 1;
      session.usedAt = now().getTime();
    };
    if (signal.aborted) finished();
    else signal.addEventListener('abort', finished, { once: true });
  }

  async function go(session: Session, incoming: Incoming): Promise<Response> {
    const ids = requestIds(incoming.body);
    // The transport would answer only one of two requests with the same id.
    if (ids.some((id) => session.pending.has(id)) || new Set(ids).size < ids.length) {
      return refusal(400, -32600, 'Invalid request: another request has this id');
    }
    for (const id of ids) session.pending.add(id);
    incoming.request.signal.addEventListener(
      'abort',
      () => {
        for (const id of ids) session.pending.delete(id);
      },
      { once: true },
    );
    watch(session, incoming.request);
    if (incoming.request.method === 'GET') endWithToken(session, incoming);
    return pass(session.transport, incoming);
  }

  /** A stream lasts no longer than the token that opened it; the client opens another one. */
  function endWithToken({ transport }: Session, { request, auth }: Incoming): void {
    const left = Math.max(auth.expiresAt * 1000 - now().getTime(), 0);
    const timer = setTimeout(() => transport.closeStandaloneSSEStream(), Math.min(left, maxTimer));
    timer.unref();
    request.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  return {
    /** Answers a request; starts a session for `initialize`, ends it for DELETE. */
    async handle(incoming: Incoming): Promise<Response> {
      if (Array.isArray(incoming.body) && incoming.body.length === 0) {
        return refusal(400, -32600, 'Invalid request: the batch is empty');
      }
      const id = incoming.request.headers.get('mcp-session-id');
      if (id === null) {
        const starts = incoming.request.method === 'POST' && isInitializeRequest(incoming.body);
        if (starts) return start(incoming);
        return refusal(400, -32000, 'Send initialize first, then its Mcp-Session-Id every time');
      }
      const session = sessions.get(id);
      // Somebody else's session looks like none.
      if (!session || !isOf(session, incoming.owner)) {
        return refusal(404, -32001, 'There is no such session; send initialize again');
      }
      return go(session, incoming);
    },
    /** Ends the sessions that have been idle for too long. */
    sweep,
    count: () => sessions.size,
    async close(): Promise<void> {
      for (const id of [...sessions.keys()]) await end(id);
    },
  };
}

/** Ids of the requests in a body; notifications and answers have none of their own. */
function requestIds(body: unknown): unknown[] {
  const messages: unknown[] = Array.isArray(body) ? body : [body];
  return messages.filter(isJSONRPCRequest).map(({ id }) => id);
}

/** The id of the one that nobody has used for the longest time; `''` of none. */
function longestUnused(some: readonly (readonly [string, Session])[]): string {
  const [oldest] = some.toSorted(([, a], [, b]) => a.usedAt - b.usedAt);
  return oldest?.[0] ?? '';
}

const maxTimer = 2 ** 31 - 1;

const isOf = ({ owner }: Session, { workspaceId, sub }: Owner) =>
  owner.workspaceId === workspaceId && owner.sub === sub;

const pass = (
  transport: WebStandardStreamableHTTPServerTransport,
  { request, auth, body }: Incoming,
) => transport.handleRequest(request, { authInfo: auth, parsedBody: body });

/** A JSON-RPC error as an HTTP answer. */
export function refusal(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ jsonrpc: '2.0', id: null, error: { code, message } }, { status, headers });
}
