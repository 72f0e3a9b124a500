import type { AuthInfo } from './auth-info.ts';
import type { BodySource } from './body.ts';
import type { Granted, Guard, Incoming } from './guard.ts';

// Results are told apart by `auth`, not by `instanceof Response`: @hono/node-server replaces that global.

/**
 * A request that was let through: who calls, the parsed JSON-RPC body, a request whose body can still be read, and headers
 * to send with the answer.
 */
export type Authorized = {
  auth: AuthInfo;
  body: unknown;
  request: Request;
  headers: Readonly<Record<string, string>>;
};

/** The parts of `node:http` that are used, so that programs without Node's types can have ours. */
type NodeRequest = {
  method?: string | undefined;
  url?: string | undefined;
  originalUrl?: string;
  headersDistinct: Record<string, string[] | undefined>;
  readableEnded: boolean;
  iterator(options: { destroyOnReturn: boolean }): AsyncIterable<Uint8Array>;
  body?: unknown;
  rawBody?: unknown;
  /** Set by us to AuthInfo; other libraries declare it for Express in their own way. */
  auth?: unknown;
};
type NodeResponse = {
  statusCode: number;
  hasHeader(name: string): boolean;
  setHeader(name: string, value: string): unknown;
  end(text: string): unknown;
};
type KoaContext = {
  req: NodeRequest;
  res: NodeResponse;
  request: object;
  state: Record<PropertyKey, unknown>;
  status: number;
  body: unknown;
  set(name: string, value: string): void;
};
type HonoContext = {
  req: { raw: Request; arrayBuffer(): Promise<ArrayBuffer> };
  res: Response;
  set(key: 'auth', value: AuthInfo): void;
};

/**
 * Web `Request` → the guard.
 * @param kept gives the body again where an earlier middleware has read it
 */
export async function handleRequest(
  guard: Guard,
  request: Request,
  kept?: () => Promise<ArrayBuffer>,
): Promise<Response | Authorized> {
  const parsed = kept && request.bodyUsed ? new Uint8Array(await kept()) : undefined;
  const granted = await guard(fromRequest(request, parsed));
  if (!('auth' in granted)) return granted;
  const { auth, headers } = granted;
  const { value: body, bytes } = granted.body;
  return { auth, body, request: bytes ? withBody(request, bytes) : request, headers };
}

/** Wraps a fetch-style handler. */
export function fetchAdapter(
  guard: Guard,
  handler: (request: Request, auth: AuthInfo) => Response | Promise<Response>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const result = await handleRequest(guard, request);
    if (!('auth' in result)) return result;
    const response = await handler(result.request, result.auth);
    return new Response(response.body, {
      status: response.status,
      statusText: response.statusText,
      headers: withHeaders(response.headers, result.headers),
    });
  };
}

/**
 * Middleware for `node:http`, connect and Express: sets `req.auth`, `req.body` and `req.rawBody`.
 * What `next` returns is awaited, so that an async handler's failure reaches the caller.
 */
export function nodeAdapter(guard: Guard, origin: string) {
  return async (
    req: NodeRequest,
    res: NodeResponse,
    next: (error?: unknown) => unknown,
  ): Promise<void> => {
    const result = await guard(fromNode(req, origin, req.body));
    if (!('auth' in result)) return sendNode(result, res);
    passOn(req, result);
    for (const [name, value] of Object.entries(result.headers)) {
      if (!res.hasHeader(name)) res.setHeader(name, value);
    }
    await next();
  };
}

/** Koa middleware: sets `ctx.state.auth` and `ctx.request.body`. */
export function koaAdapter(guard: Guard, origin: string) {
  return async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    const request: { body?: unknown } = ctx.request;
    const result = await guard(fromNode(ctx.req, origin, request.body));
    if (!('auth' in result)) {
      ctx.status = result.status;
      ctx.body = (await result.text()) || null;
      // Koa drops or sets headers with status and body, so ours come last.
      ctx.status = result.status;
      for (const [name, value] of result.headers) ctx.set(name, value);
      return;
    }
    passOn(ctx.req, result);
    ctx.state.auth = result.auth;
    request.body = result.body.value;
    for (const [name, value] of Object.entries(result.headers)) {
      if (!ctx.res.hasHeader(name)) ctx.set(name, value);
    }
    await next();
  };
}

/** Hono middleware: sets the variable `auth`. */
export function honoAdapter(guard: Guard) {
  return async (c: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    const result = await handleRequest(guard, c.req.raw, () => c.req.arrayBuffer());
    if (!('auth' in result)) return result;
    c.req.raw = result.request;
    c.set('auth', result.auth);
    await next();
    for (const [name, value] of Object.entries(result.headers)) {
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
    }
    return undefined;
  };
}

function fromRequest(request: Request, parsed: Uint8Array | undefined): Incoming {
  const { method, headers } = request;
  const encoding = headers.get('content-encoding');
  const body: BodySource = parsed
    ? { kind: 'parsed', value: parsed }
    : { kind: 'bytes', chunks: request.body ?? undefined, encoding };
  return { method, url: new URL(request.url), headers, body };
}

function withBody(request: Request, body: Uint8Array<ArrayBuffer>): Request {
  const { method, headers, signal } = request;
  return new Request(request.url, { method, headers, signal, body });
}

/** What the author's handler says of a header goes before ours. */
function withHeaders(original: Headers, ours: Granted['headers']): Headers {
  const headers = new Headers(original);
  for (const [name, value] of Object.entries(ours)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  return headers;
}

/** `Host` plays no part: the origin is the configured one, and only path and query come from the request line. */
function fromNode(req: NodeRequest, origin: string, parsed: unknown): Incoming {
  const headers = new Headers();
  // Repeated headers must be seen: node keeps only the first Authorization in `req.headers`.
  for (const [name, values] of Object.entries(req.headersDistinct)) {
    if (name.startsWith(':')) continue;
    for (const value of values ?? []) headers.append(name, value);
  }
  const method = req.method ?? 'GET';
  const target = req.originalUrl ?? req.url ?? '/';
  const url = URL.parse(target.startsWith('/') ? `${origin}${target}` : target) ?? new URL(origin);
  return { method, url, headers, body: nodeBody(req, headers, parsed) };
}

/**
 * A parsed body is believed only when the stream was read to its end: some parsers leave `{}` for what they skip, and the
 * MCP server would then read another body than the one we judged. A body that was read and put elsewhere cannot be judged.
 */
function nodeBody(req: NodeRequest, headers: Headers, parsed: unknown): BodySource {
  if (parsed !== undefined && req.readableEnded) return { kind: 'parsed', value: parsed };
  // Left alone without a body, because reading to the end emits `close`, which handlers of GET take for a client gone.
  const bodiless = !announcesBody(headers) && (req.method === 'GET' || req.method === 'HEAD');
  if (req.readableEnded && announcesBody(headers)) return { kind: 'spent' };
  return {
    kind: 'bytes',
    chunks: bodiless ? undefined : req.iterator({ destroyOnReturn: false }),
    encoding: headers.get('content-encoding'),
  };
}

/** RFC 9112 §6: any method may have a body, GET too, and parsers read it. */
const announcesBody = (headers: Headers) =>
  headers.has('transfer-encoding') || (headers.get('content-length') ?? '0') !== '0';

/** Later readers find the body that was judged: `body` for Express and the MCP SDK, `rawBody` for what wants bytes. */
function passOn(req: NodeRequest, { auth, body }: Granted): void {
  req.auth = auth;
  if (body.value !== undefined || req.body !== undefined) req.body = body.value;
  if (body.bytes?.length) req.rawBody = Buffer.from(body.bytes);
}

async function sendNode(response: Response, res: NodeResponse): Promise<void> {
  res.statusCode = response.status;
  for (const [name, value] of response.headers) res.setHeader(name, value);
  res.end(await response.text());
}
