import type { Context } from 'koa';
import { type Fields, readForm, single } from '../http/index.ts';
import { authorizationForm, issuerOf } from './authorize.ts';
import { callLibrary } from './bridge.ts';
import type { ProviderDeps } from './deps.ts';
import { jwtAnswer, presentToken } from './introspection.ts';
import { longestPush, pushForm } from './par.ts';
import type { LiveProvider } from './provider.ts';
import type { RequestState } from './request-state.ts';
import { longestTokenForm, tokenForm } from './token-form.ts';

/** Longest request of a device, in bytes: it is stored until its code has expired. */
const longestDeviceRequest = 8 * 1024;

/** Longest form where a token is asked about: what is no token shall be inactive, not an error. */
const longestQuestion = 1536 * 1024;

/** `POST /oauth/token` (RFC 6749 §3.2): resource indicators are made canonical before the library. */
export function token(deps: ProviderDeps, live: LiveProvider) {
  return (ctx: Context) =>
    post(deps, live, ctx, { path: '/oauth/token', limit: longestTokenForm }, async (sent) =>
      tokenForm(deps.resources, sent),
    );
}

/** `POST /oauth/introspect` (RFC 7662). */
export function introspect(deps: ProviderDeps, live: LiveProvider) {
  const endpoint = { path: '/oauth/introspect', limit: longestQuestion };
  const prepare = presented(deps);
  return (ctx: Context) =>
    post(deps, live, ctx, endpoint, (sent, state) => {
      state.wantsJwt = ctx.accepts('application/json', jwtAnswer) === jwtAnswer;
      return prepare(sent, state);
    });
}

/** `POST /oauth/revoke` (RFC 7009). */
export function revoke(deps: ProviderDeps, live: LiveProvider) {
  const endpoint = { path: '/oauth/revoke', limit: longestQuestion };
  return (ctx: Context) => post(deps, live, ctx, endpoint, presented(deps));
}

function presented(deps: ProviderDeps) {
  return async (sent: Fields, state: RequestState): Promise<Fields> =>
    typeof sent.token === 'string'
      ? { ...sent, token: await presentToken(deps, state, sent.token) }
      : sent;
}

/** `POST /oauth/device_authorization` (RFC 8628 §3.1). */
export function deviceAuthorization(deps: ProviderDeps, live: LiveProvider) {
  const endpoint = { path: '/oauth/device_authorization', limit: longestDeviceRequest };
  return (ctx: Context) =>
    post(deps, live, ctx, endpoint, async (sent) => authorizationForm(deps, sent));
}

/** `POST /oauth/par` (RFC 9126 §2). */
export function par(deps: ProviderDeps, live: LiveProvider) {
  const endpoint = { path: '/oauth/par', limit: longestPush };
  return (ctx: Context) => post(deps, live, ctx, endpoint, async (sent) => pushForm(deps, sent));
}

async function post(
  deps: ProviderDeps,
  live: LiveProvider,
  ctx: Context,
  { path, limit }: { path: string; limit: number },
  prepare: (sent: Fields, state: RequestState) => Promise<Fields>,
): Promise<void> {
  const sent = await readForm(ctx, limit);
  refuseRepeated(sent);
  const state: RequestState = { form: sent };
  const form = await prepare(sent, state);
  await callLibrary(ctx, { handle: live.handle, ...issuerOf(deps) }, path, form, state);
}

/** Parameters that RFC 8707 §2 and RFC 8693 §2.1 let a client repeat. */
const repeatable = new Set(['resource', 'audience']);

/** @throws OAuthError invalid_request: RFC 6749 §3.2 allows every other parameter once */
function refuseRepeated(sent: Fields): void {
  for (const name of Object.keys(sent)) if (!repeatable.has(name)) single(sent, name);
}
