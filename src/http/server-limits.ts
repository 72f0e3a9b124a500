import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { newTraceId } from './request-context.ts';

/** From `config.server`, all in seconds. */
export type ServerLimits = { readTimeout: number; writeTimeout: number; idleTimeout: number };

const maxHeaderSize = 32 * 1024;
const headersTimeout = 10_000;

/**
 * A server that slow, endless or oversized requests cannot tie up (RFC 9110 leaves limits to us):
 * 10 s for the headers, `readTimeout` for the whole request, `writeTimeout` without any byte moving,
 * `idleTimeout` between requests, 32 KiB of request line and headers. What cannot be parsed, or can be
 * read in two ways, is answered with 400 and a trace id, and the connection is closed.
 */
export function createLimitedServer(
  handler: RequestListener,
  { limits, log }: { limits: ServerLimits; log: Logger },
): Server {
  const server = createServer(
    {
      maxHeaderSize,
      headersTimeout: Math.min(headersTimeout, limits.readTimeout * 1000),
      requestTimeout: limits.readTimeout * 1000,
      keepAliveTimeout: limits.idleTimeout * 1000,
      connectionsCheckingInterval: 1000,
      insecureHTTPParser: false,
    },
    (req, res) => {
      const doubt = ambiguity(req);
      if (doubt === undefined) handler(req, res);
      else refuse(req, res, { reason: doubt, log });
    },
  );
  server.setTimeout(limits.writeTimeout * 1000);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    answerUnreadable(error, socket, log);
  });
  return server;
}

/** What RFC 9112 tells a server to refuse and Node's parser lets pass. */
function ambiguity(req: IncomingMessage): string | undefined {
  const { headers, headersDistinct, httpVersionMajor, httpVersionMinor, url = '' } = req;
  if (httpVersionMajor < 1) return 'HTTP/1.1 is spoken here.';
  if ((headersDistinct.host?.length ?? 0) > 1) return 'The request has more than one Host.'; // §3.2
  if (httpVersionMinor === 0 && headers['transfer-encoding'] !== undefined)
    return 'HTTP/1.0 knows no Transfer-Encoding.'; // §6.1
  const isPath = url.startsWith('/') || url === '*';
  // §3.2.2: the absolute form names the same authority as Host
  if (!isPath && URL.parse(url)?.host !== headers.host?.toLowerCase())
    return 'The request target is another server.';
  return undefined;
}

function refuse(
  { socket }: IncomingMessage,
  res: ServerResponse,
  { reason, log }: { reason: string; log: Logger },
): void {
  const traceId = newTraceId();
  log.info({ trace_id: traceId, reason, ip: socket.remoteAddress }, 'unreadable request');
  res.writeHead(400, { ...unreadableHeaders, Connection: 'close' });
  res.end(unreadableBody(traceId, reason));
}

const unreadableHeaders = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

function unreadableBody(traceId: string, description: string): string {
  return JSON.stringify({
    error: 'invalid_request',
    error_description: description,
    trace_id: traceId,
  });
}

function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket, log: Logger): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const traceId = newTraceId();
  const description = reasons.get(error.code ?? '') ?? 'The request is not valid HTTP.';
  log.info(
    { trace_id: traceId, reason: error.code, ip: socket.remoteAddress },
    'unreadable request',
  );
  const body = unreadableBody(traceId, description);
  const timeout = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  socket.end(
    [
      `HTTP/1.1 ${timeout ? '408 Request Timeout' : '400 Bad Request'}`,
      ...Object.entries(unreadableHeaders).map(([name, value]) => `${name}: ${value}`),
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  // A client still sending would get a reset before it reads the answer: swallow for a moment.
  socket.resume();
  setTimeout(() => socket.destroy(), 1000).unref();
}

const reasons = new Map([
  ['HPE_HEADER_OVERFLOW', `The request line and headers are longer than ${maxHeaderSize} bytes.`],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'The request took too long to arrive.'],
]);
