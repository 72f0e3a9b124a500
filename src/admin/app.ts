import Router from '@koa/router';
import Koa from 'koa';
import type { Logger } from 'pino';
import type { Accounts, createAdminSessions } from '../accounts/index.ts';
import type { Actor, Metrics } from '../audit/index.ts';
import {
  assets,
  createSite,
  errors,
  parseTrustedProxies,
  requestContext,
  securityHeaders,
} from '../http/index.ts';
import { type Admission, type ApiDeps, createAdminApi } from './api.ts';
import { createApiKeys } from './api-keys.ts';
import { createAuthenticate } from './authenticate.ts';
import type { AdminClient } from './client.ts';
import { type Health, liveness, readiness } from './health.ts';
import { checkHost } from './host.ts';
import { createInProcessClient } from './in-process.ts';
import { metricsRoute } from './metrics.ts';
import { createSessionCookies, type StartAdminSession } from './session-cookies.ts';
import { setupRoutes } from './setup.ts';
import { adminSignIn, type SignInElsewhere, signInPath } from './sign-in.ts';
import { adminUi } from './ui.ts';

export interface AdminDeps extends Omit<ApiDeps, 'issuer'> {
  accounts: ApiDeps['accounts'] & Pick<Accounts, 'authenticate' | 'guesses' | 'setup'>;
  adminSessions: ReturnType<typeof createAdminSessions>;
  /** Identity providers at which people may sign in, and the routes that lead there and back. */
  signInElsewhere?: SignInElsewhere & {
    mount: (router: Router, start: StartAdminSession) => void;
  };
  metrics: Pick<Metrics, 'expose' | 'signIn'>;
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
  /** The key in the data directory, good for programs on this computer only. */
  localKey?: string | undefined;
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
  app.use(adminUi());
  const admission = admit(deps, options);
  const api = createAdminApi({ ...deps, issuer: options.issuer }, admission);
  app.use(api.gate);
  app.use(api.router.routes()).use(api.router.allowedMethods());
  const router = adminRoutes(deps, options, admission);
  app.use(router.routes()).use(router.allowedMethods());
  return app;
}

/** The admin API for the command line while no server runs, under the name of its user. */
export function createLocalAdmin(
  deps: Omit<AdminDeps, 'health' | 'signInElsewhere'>,
  options: Pick<AdminOptions, 'issuer' | 'cookieSecret'>,
  actor: Actor,
): AdminClient {
  return createInProcessClient({ ...deps, issuer: options.issuer }, admit(deps, options), actor);
}

/** The only ways in. */
function admit(
  deps: Omit<AdminDeps, 'health' | 'signInElsewhere'>,
  { apiKey, localKey, cookieSecret }: Pick<AdminOptions, 'apiKey' | 'localKey' | 'cookieSecret'>,
): Admission {
  const sessions = createSessionCookies(deps, cookieSecret);
  const apiKeys = createApiKeys(deps);
  const authenticate = createAuthenticate({ ...deps, sessions, apiKeys }, { apiKey, localKey });
  return { authenticate, apiKeys, sessions };
}

function adminRoutes(
  deps: AdminDeps,
  { issuer, cookieSecret, metricsEnabled }: AdminOptions,
  { authenticate, sessions }: Admission,
): Router {
  const { accounts, metrics, health } = deps;
  const router = new Router({ sensitive: true, strict: true });
  router.get(['/health', '/ready'], (ctx) => readiness(ctx, health));
  router.get('/livez', liveness);
  if (metricsEnabled) router.get('/metrics', metricsRoute(metrics, authenticate));
  const setup = setupRoutes({ setup: accounts.setup, issuer, cookieSecret });
  router.get('/admin/setup', setup.show);
  router.post('/admin/setup', setup.redeem);
  router.get('/admin/setup/done', setup.done);
  const signIn = adminSignIn({ ...deps, sessions }, cookieSecret);
  router.get(signInPath, signIn.show);
  router.post(signInPath, signIn.submit);
  router.post('/admin/sign-out', signIn.signOut);
  deps.signInElsewhere?.mount(router, sessions.start);
  return router;
}
