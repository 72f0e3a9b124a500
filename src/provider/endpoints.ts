import type { Context } from 'koa';
import { type Fields, readForm } from '../http/index.ts';
import { issuerOf, registeredUris } from './authorize.ts';
import { callLibrary } from './bridge.ts';
import type { ProviderDeps } from './deps.ts';
import { presentToken } from './introspection.ts';
import type { LiveProvider } from './provider.ts';
import type { RequestState } from './request-state.ts';

const longestForm = 64 * 1024;

/** `POST /oauth/token` (RFC 6749 §3.2): resource indicators are made canonical before the library. */
export function token(deps: ProviderDeps, live: LiveProvider) {
  return (ctx: Context) =>
    post(deps, live, ctx, '/oauth/token', async (sent) =>
      sent.resource === undefined
        ? sent
        : { ...sent, resource: registeredUris(deps.resources, sent.resource) },
    );
}

/** `POST /oauth/introspect` (RFC 7662). */
export function introspect(deps: ProviderDeps, live: LiveProvider) {
  return (ctx: Context) => post(deps, live, ctx, '/oauth/introspect', presented(deps));
}

/** `POST /oauth/revoke` (RFC 7009). */
export function revoke(deps: ProviderDeps, live: LiveProvider) {
  return (ctx: Context) => post(deps, live, ctx, '/oauth/revoke', presented(deps));
}

function presented(deps: ProviderDeps) {
  return async (sent: Fields, state: RequestState): Promise<Fields> =>
    typeof sent.token === 'string'
      ? { ...sent, token: await presentToken(deps, state, sent.token) }
      : sent;
}

async function post(
  deps: ProviderDeps,
  live: LiveProvider,
  ctx: Context,
  path: string,
  prepare: (sent: Fields, state: RequestState) => Promise<Fields>,
): Promise<void> {
  const sent = await readForm(ctx, longestForm);
  const state: RequestState = { form: sent };
  const form = await prepare(sent, state);
  await callLibrary(ctx, { provider: live.current, ...issuerOf(deps) }, path, form, state);
}
