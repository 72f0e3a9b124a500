import { once } from 'node:events';
import { createServer } from 'node:http';
import Koa, { type Context, type Middleware } from 'koa';
import { z } from 'zod';
import { errors } from './errors.ts';
import { securityHeaders } from './headers.ts';
import { createLogger } from './logger.ts';
import { requestContext } from './request-context.ts';
import { createSite } from './site.ts';

export type TestApp = {
  url: string;
  port: number;
  /** what was logged, one parsed line each */
  lines: Record<string, unknown>[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A handler that answers what `make` makes of the request. */
export function reply(make: (ctx: Context) => unknown): Middleware {
  return async (ctx) => {
    ctx.body = await make(ctx);
  };
}

/** The members of a JSON answer. */
export async function jsonOf(answer: Response): Promise<Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).parse(await answer.json());
}

/** A Koa app over real http with request context, security headers and the error renderer in place. */
export async function testApp(
  middlewares: Middleware[] | ((app: Koa) => void),
  { issuer = 'http://localhost:9000' }: { issuer?: string } = {},
): Promise<TestApp> {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({}, { write: (line) => lines.push(JSON.parse(line)) });
  const site = createSite(issuer);
  const app = new Koa();
  const now = () => new Date('2026-11-21T09:00:00Z');
  const outer = [
    requestContext({ site, log, trustedProxies: [], now }),
    securityHeaders(site),
    errors(),
  ];
  for (const middleware of outer) app.use(middleware);
  if (typeof middlewares === 'function') middlewares(app);
  else for (const middleware of middlewares) app.use(middleware);
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    lines,
    fetch: (path, init) => fetch(`${url}${path}`, { redirect: 'manual', ...init }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
