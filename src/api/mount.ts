import Router from '@koa/router';
import type Koa from 'koa';
import type { Context, Middleware } from 'koa';
import { cors } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { connectRoutes } from './connect.ts';
import type { ApiDeps } from './deps.ts';
import { createGuard } from './guard.ts';
import { mcpServerRoutes } from './mcp-servers.ts';
import { openMcpServerRoutes } from './mcp-servers-open.ts';
import { mcpServerRestRoutes } from './mcp-servers-rest.ts';
import { createReconnectLinks } from './reconnect-links.ts';
import { reconnectPages } from './reconnect-page-routes.ts';
import { reconnectRoutes } from './reconnect-routes.ts';
import type { AnyRoute } from './route.ts';
import { workspaceRoutes } from './workspaces.ts';

/** Mounts the workspace API, `<issuer>/api`. */
export function mountApi(app: Koa, deps: ApiDeps): void {
  const router = new Router({ prefix: deps.base || undefined, exclusive: false, sensitive: true });
  const guard = createGuard(deps);
  const links = createReconnectLinks(deps);
  const withMembers = { ...deps, memberOf: guard.memberOf };
  const routes: AnyRoute[] = [
    ...workspaceRoutes(deps),
    ...reconnectRoutes(deps, links),
    ...reconnectPages(deps, links),
    ...mcpServerRestRoutes(withMembers),
    ...mcpServerRoutes(withMembers),
    ...openMcpServerRoutes(withMembers),
    ...connectRoutes(deps),
  ];
  for (const route of routes) {
    router.register(route.path, [route.method], async (ctx: Context) => {
      if (!('open' in route && route.page)) asProgram(ctx);
      ctx.set('Cache-Control', 'no-store');
      refuseNul(ctx);
      if ('open' in route) return route.handle(ctx, guard.identify);
      return route.handle(ctx, await guard.identify(ctx, route.scope));
    });
  }
  app.use(unknownAsJson(`${deps.base}/api/`));
  app.use(router.routes()).use(router.allowedMethods());
}

/** CORS: `*` without credentials for all of the API: what its tokens open, no cookie does. */
export function openApiToScripts(base: string): Middleware {
  return cors([`${base}/api/`], { methods: 'GET, HEAD, POST, PUT, PATCH, DELETE' });
}

/** No id has one, and Postgres takes none (its error 22021). @throws OAuthError 404 */
function refuseNul({ params }: Context): void {
  if (!Object.values(params).some((value) => String(value).includes('\0'))) return;
  throw new OAuthError('invalid_request', 'There is nothing at this address.', { status: 404 });
}

/** Errors are JSON here, whoever asks. */
function asProgram(ctx: Context): void {
  ctx.req.headers.accept = 'application/json';
}

/** 404 and 405 too, but where a page was asked for. */
function unknownAsJson(start: string): Middleware {
  return async (ctx, next) => {
    await next();
    const isRefused = ctx.status === 404 || ctx.status === 405 || ctx.status === 501;
    if (ctx.path.startsWith(start) && isRefused && ctx.body == null) asProgram(ctx);
  };
}
