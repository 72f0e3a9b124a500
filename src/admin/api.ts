import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { AuditMeta } from '../audit/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Authenticate, By, Caller } from './caller.ts';
import { type Route, routes } from './contract/index.ts';
import { documentRoutes } from './document-routes.ts';
import { type GrantDeps, grantRoutes } from './grant-routes.ts';
import { type IssuanceDeps, issuanceRoutes } from './issuance-routes.ts';
import { concernsApi, permits } from './policy.ts';
import type { ServedRoute } from './served-route.ts';
import { type TokenDeps, tokenRoutes } from './token-routes.ts';
import { type TrustedIssuerDeps, trustedIssuerRoutes } from './trusted-issuer-routes.ts';

/** What the handlers work with. */
export type ApiDeps = GrantDeps &
  IssuanceDeps &
  TokenDeps &
  TrustedIssuerDeps & {
    /** Time, address, user agent and trace id of the current request, for the audit log. */
    auditMeta: () => AuditMeta;
  };

/** The admin API: one gate in front of everything under its path, then its routes. */
export function createAdminApi(
  deps: ApiDeps,
  authenticate: Authenticate,
): { gate: Middleware; router: Router } {
  const served = [
    ...documentRoutes(),
    ...grantRoutes(deps),
    ...issuanceRoutes(deps),
    ...tokenRoutes(deps),
    ...trustedIssuerRoutes(deps),
  ];
  const callers = new WeakMap<object, Caller>();
  const router = new Router({ sensitive: true, strict: true });
  for (const { route, serve } of allOf(served)) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    router.register(path, [route.method], async (ctx) => {
      const by = permitted(callers.get(ctx.req), route, deps.auditMeta);
      await serve(ctx, by);
    });
  }
  return { gate: gate(authenticate, callers), router };
}

/** Nobody learns so much as which paths exist without a credential. */
function gate(authenticate: Authenticate, callers: WeakMap<object, Caller>): Middleware {
  return async (ctx: Context, next) => {
    if (!concernsApi(ctx.path)) return next();
    ctx.req.headers.accept = 'application/json'; // errors are JSON here, whoever asks
    ctx.set('Cache-Control', 'no-store');
    callers.set(ctx.req, await authenticate(ctx));
    await next();
  };
}

/** The one check of who may what: without a caller from the gate nobody passes (T29). */
function permitted(caller: Caller | undefined, route: Route, auditMeta: () => AuditMeta): By {
  if (!caller) throw new OAuthError('invalid_token', 'This needs a key or a sign-in.');
  if (permits(caller.role, route.permission)) return { actor: caller.actor, meta: auditMeta() };
  throw new OAuthError('access_denied', `This needs the role ${route.permission}.`, {
    status: 403,
  });
}

/** @throws Error when a route of the contract has no handler, which is a mistake in the program */
function allOf(served: readonly ServedRoute[]): readonly ServedRoute[] {
  const missing = routes.filter((route) => !served.some((one) => one.route === route));
  if (missing.length === 0 && served.length === routes.length) return served;
  throw new Error(`not every route is served once: ${missing.map((route) => route.path)}`);
}
