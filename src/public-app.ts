import Koa, { type Middleware } from 'koa';
import { type Health, liveness, readiness } from './admin/index.ts';
import { mountApi, openApiToScripts } from './api/index.ts';
import {
  assets,
  errors,
  parseTrustedProxies,
  rateLimit,
  requestContext,
  type Site,
  securityHeaders,
  type Tracing,
} from './http/index.ts';
import {
  createApiBridge,
  type LiveProvider,
  mountPublicRoutes,
  openToScripts,
  type ProviderDeps,
} from './provider/index.ts';
import type { Upstream } from './upstream/index.ts';

type Deps = ProviderDeps & {
  site: Site;
  live: LiveProvider;
  health: Health;
  tracing: Tracing;
  upstream: Upstream;
};

/** The public listener: health, assets, and everything that clients and people use. */
export function createPublicApp(deps: Deps): Koa {
  const { config, log, now, site, metrics } = deps;
  const app = new Koa();
  app.on('error', (err: unknown) => log.warn({ err }, 'an answer broke off'));
  app.use(
    requestContext({
      site,
      log,
      trustedProxies: parseTrustedProxies(config.server.trusted_proxies),
      now,
    }),
  );
  app.use(deps.tracing.middleware);
  app.use(securityHeaders(site));
  app.use(errors());
  app.use(probes(deps));
  app.use(observe(metrics));
  app.use(openToScripts(deps.base));
  app.use(openApiToScripts(deps.base));
  if (config.rate_limit.enabled) {
    const { requests_per_second: perSecond, burst } = config.rate_limit;
    app.use(rateLimit({ name: 'public', perSecond, burst }));
  }
  app.use(assets(site));
  mountPublicRoutes(app, deps, deps.live);
  mountApi(app, { ...deps, bridge: createApiBridge(deps, deps.live) });
  return app;
}

function probes({ base, health }: Deps): Middleware {
  const ready = new Set([`${base}/health`, `${base}/ready`, '/health', '/ready']);
  const live = new Set([`${base}/livez`, '/livez']);
  return async (ctx, next) => {
    const reads = ctx.method === 'GET' || ctx.method === 'HEAD';
    if (reads && ready.has(ctx.path)) return readiness(ctx, health);
    if (reads && live.has(ctx.path)) return liveness(ctx);
    return next();
  };
}

function observe(metrics: Deps['metrics']): Middleware {
  return async (ctx, next) => {
    const started = performance.now();
    ctx.res.once('close', () => {
      const route: unknown = ctx._matchedRoute;
      metrics.httpRequest({
        route: typeof route === 'string' ? route : 'unmatched',
        method: ctx.method,
        status: ctx.res.statusCode,
        seconds: (performance.now() - started) / 1000,
      });
    });
    await next();
  };
}
