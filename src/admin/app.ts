import Router from '@koa/router';
import Koa from 'koa';
import type { Logger } from 'pino';
import type { Accounts } from '../accounts/index.ts';
import type { Metrics } from '../audit/index.ts';
import {
  assets,
  createSite,
  errors,
  parseTrustedProxies,
  requestContext,
  securityHeaders,
} from '../http/index.ts';
import { type ApiDeps, createAdminApi } from './api.ts';
import { requireApiKey } from './api-key.ts';
import { authenticateApiKey } from './caller.ts';
import { type Health, liveness, readiness } from './health.ts';
import { checkHost } from './host.ts';
import { setupRoutes } from './setup.ts';

export interface AdminDeps extends ApiDeps {
  accounts: Pick<Accounts, 'find' | 'setup'>;
  metrics: Pick<Metrics, 'expose'>;
  health: Health;
  log: Logger;
  now: () => Date;
}

export interface AdminOptions {
  issuer: string;
  /** `admin.external_url`; without it the listener answers under the names of this computer only. */
  externalUrl?: string | undefined;
  /** `admin.api_key` */
  apiKey?: string | undefined;
  /** `observability.metrics.enabled` */
  metricsEnabled: boolean;
  /** `server.trusted_proxies` */
  trustedProxies: readonly string[];
  /** `session.secret` */
  cookieSecret: string;
}

/** The application of the admin listener. It has no path prefix. */
export function createAdminApp(deps: AdminDeps, options: AdminOptions): Koa {
  const { log, now } = deps;
  const site = createSite(new URL(options.externalUrl ?? 'http://localhost').origin);
  const trustedProxies = parseTrustedProxies(options.trustedProxies);
  const app = new Koa();
  app.on('error', (error: unknown) => log.warn({ err: error }, 'an answer broke off'));
  app.use(requestContext({ site, log, trustedProxies, now }));
  app.use(securityHeaders(site));
  app.use(errors());
  app.use(checkHost(options.externalUrl));
  app.use(assets(site));
  const api = createAdminApi(deps, authenticateApiKey(options.apiKey));
  app.use(api.gate);
  app.use(api.router.routes()).use(api.router.allowedMethods());
  const router = adminRoutes(deps, options);
  app.use(router.routes()).use(router.allowedMethods());
  return app;
}

function adminRoutes({ accounts, metrics, health }: AdminDeps, options: AdminOptions): Router {
  const { issuer, cookieSecret, apiKey } = options;
  const router = new Router({ sensitive: true, strict: true });
  router.get(['/health', '/ready'], (ctx) => readiness(ctx, health));
  router.get('/livez', liveness);
  if (options.metricsEnabled) {
    router.get('/metrics', requireApiKey(apiKey), async (ctx) => {
      const { contentType, body } = await metrics.expose();
      ctx.set('Content-Type', contentType);
      ctx.set('Cache-Control', 'no-store');
      ctx.body = body;
    });
  }
  const setup = setupRoutes({ setup: accounts.setup, issuer, cookieSecret });
  router.get('/admin/setup', setup.show);
  router.post('/admin/setup', setup.redeem);
  router.get('/admin/setup/done', setup.done);
  router.get('/admin/assets/setup.js', setup.script);
  return router;
}
