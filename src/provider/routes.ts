import Router from '@koa/router';
import type Koa from 'koa';
import type { Context, Middleware } from 'koa';
import { cors } from '../http/index.ts';
import { account } from './account.ts';
import { accountTokens } from './account-tokens.ts';
import { authorize, resume } from './authorize.ts';
import { consent } from './consent.ts';
import type { ProviderDeps } from './deps.ts';
import { device } from './device.ts';
import { deviceOutcomes } from './device-pages.ts';
import { documents } from './documents.ts';
import { deviceAuthorization, introspect, par, revoke, token } from './endpoints.ts';
import { noteDocument } from './flow-notes.ts';
import { choosePassword } from './password.ts';
import type { LiveProvider } from './provider.ts';
import { registration } from './registration.ts';
import { returnFromProvider } from './return-from-provider.ts';
import { signIn } from './sign-in.ts';
import { mountWorkspacePages } from './workspace-routes.ts';

/** Mounts everything that the public listener answers for clients and people. */
export function mountPublicRoutes(app: Koa, deps: ProviderDeps, live: LiveProvider): void {
  const router = new Router({ prefix: deps.base || undefined, exclusive: false, sensitive: true });
  const clients = registration(deps);
  const login = signIn(deps, live);
  const approval = consent(deps, live);
  const own = account(deps, live);
  const ownTokens = accountTokens(deps, live);
  const password = choosePassword(deps);

  router.get('/oauth/authorize', authorize(deps, live));
  router.post('/oauth/authorize', authorize(deps, live));
  router.get('/oauth/authorize/:uid', resume(deps, live));
  router.post('/oauth/par', par(deps, live));
  router.post('/oauth/token', token(deps, live));
  router.post('/oauth/introspect', introspect(deps, live));
  router.post('/oauth/revoke', revoke(deps, live));
  if (deps.config.dcr.mode !== 'admin_only') {
    router.post('/oauth/register', clients.create);
    router.get('/oauth/register/:client_id', clients.read);
    router.put('/oauth/register/:client_id', clients.update);
    router.delete('/oauth/register/:client_id', clients.remove);
  }
  if (deps.config.device.enabled) {
    const devices = device(deps, live);
    router.post('/oauth/device_authorization', deviceAuthorization(deps, live));
    router.get('/device', devices.show);
    router.post('/device', devices.submit);
    router.get(deviceOutcomes.connected, devices.connected);
    router.get(deviceOutcomes.refused, devices.refused);
    router.get('/device/:uid', devices.resume);
  }
  router.get('/login/callback/:slug', returnFromProvider(deps, live));
  router.get('/login/:uid', login.show);
  router.post('/login/:uid', login.submit);
  router.get('/consent/:uid', approval.show);
  router.post('/consent/:uid', approval.decide);
  router.get('/account', own.show);
  router.get('/account/sign-in', own.showSignIn);
  router.post('/account/sign-in', own.signIn);
  router.get('/account/password', password.show);
  router.post('/account/password', password.submit);
  router.get('/account/password/done', password.done);
  router.post('/account/revoke', own.revoke);
  router.get('/account/tokens', ownTokens.list);
  router.get('/account/tokens/new', ownTokens.showForm);
  router.post('/account/tokens', ownTokens.create);
  router.post('/account/tokens/revoke', ownTokens.revoke);
  mountWorkspacePages(router, deps, live);
  router.get('/logout', own.showSignOut);
  router.post('/logout', own.signOut);
  app.use(serveDocuments(deps, documents(deps)));
  app.use(router.routes()).use(router.allowedMethods());
}

/** CORS: `*` without credentials on what programs call, never on what people see. Also on refusals. */
export function openToScripts(base: string): Middleware {
  const paths = [
    '/oauth/par',
    '/oauth/device_authorization',
    '/oauth/token',
    '/oauth/register',
    '/oauth/register/',
    '/oauth/introspect',
    '/oauth/revoke',
  ];
  const wellKnown = ['/.well-known/', `${base}/.well-known/`];
  return cors([...paths.map((path) => base + path), ...wellKnown]);
}

function serveDocuments(
  deps: ProviderDeps,
  find: (path: string) => ((ctx: Context) => void) | undefined,
): Middleware {
  return (ctx, next) => {
    const handler = find(ctx.path);
    if (!handler) return next();
    if (ctx.method === 'GET' || ctx.method === 'HEAD') {
      handler(ctx);
      noteDocument(deps, ctx);
      return;
    }
    ctx.set('Allow', 'GET, HEAD');
    ctx.status = 405;
  };
}
