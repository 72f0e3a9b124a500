import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import { addressBucket, clientAddress, type TrustedProxies } from './address.ts';
import { loggedPath } from './logger.ts';
import type { Site } from './site.ts';

/** What every step of a request may want to know about it. */
export type RequestContext = {
  /** shown on error pages and in error answers, and found in the log */
  traceId: string;
  /** the client's address, normalised; '' when the socket has none */
  ip: string;
  userAgent: string;
  /** writes lines that carry the trace id */
  log: Logger;
  receivedAt: Date;
  site: Site;
};

// Holds no state of its own: a value exists only inside a `withRequestContext` call.
const storage = new AsyncLocalStorage<RequestContext>();
const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Ten random characters of Crockford's base32: 50 bits, easy to read aloud. */
export function newTraceId(): string {
  return Array.from(randomBytes(10), (byte) => crockford.charAt(byte & 31)).join('');
}

/** Runs `fn` so that `currentRequest()` answers `context` in it and in what it awaits. */
export function withRequestContext<T>(context: RequestContext, fn: () => T): T {
  return storage.run(context, fn);
}

/**
 * The request that is being served.
 *
 * @throws Error when called outside of a request, which is a mistake in the program
 */
export function currentRequest(): RequestContext {
  const context = storage.getStore();
  if (!context) throw new Error('currentRequest() was called outside of a request');
  return context;
}

/** The trace id of the request that is being served, if one is. */
export function currentTraceId(): string | undefined {
  return storage.getStore()?.traceId;
}

/** The address bucket of the request that is being served, if one is: what its shares are counted by. */
export function currentAddressBucket(): string | undefined {
  const context = storage.getStore();
  return context && addressBucket(context.ip);
}

export type RequestContextDeps = {
  site: Site;
  log: Logger;
  trustedProxies: TrustedProxies;
  now: () => Date;
};

/** The outermost middleware: opens the request context and writes one log line per request. */
export function requestContext({ site, log, trustedProxies, now }: RequestContextDeps): Middleware {
  return (ctx, next) => {
    const traceId = newTraceId();
    const context: RequestContext = {
      traceId,
      ip: clientAddress(ctx.req, trustedProxies),
      userAgent: ctx.get('user-agent').slice(0, 300),
      log: log.child({ trace_id: traceId }),
      receivedAt: now(),
      site,
    };
    const started = performance.now();
    ctx.res.once('close', () => {
      const line = {
        method: ctx.method,
        path: loggedPath(ctx.path),
        status: ctx.res.statusCode,
        ms: Math.round(performance.now() - started),
        ip: context.ip,
        ...(ctx.res.writableFinished ? {} : { aborted: true }),
      };
      context.log[isProbe(ctx.path) ? 'debug' : 'info'](line, 'request');
    });
    return storage.run(context, next);
  };
}

function isProbe(path: string): boolean {
  return /\/(health|ready|livez|metrics)$/.test(path);
}
