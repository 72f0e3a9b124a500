import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { renderError } from '../http/index.ts';
import { isOnThisComputer, redirectHost } from '../oauth/index.ts';
import type { ProviderDeps } from './deps.ts';
import { explain } from './explain-errors.ts';
import { stateOf } from './request-state.ts';

/**
 * Anybody can register a client, so an error before sign-in must not bounce the browser to it: that
 * would make us an open redirector (RFC 9700 §4.11.2). Such an error becomes a page that names the
 * host, with a link back. Loopback and operators' clients are redirected.
 */
export function guardRedirects({
  clients,
}: Pick<ProviderDeps, 'clients'>): Middleware<object, KoaContextWithOIDC> {
  return async (ctx, next) => {
    await next();
    const location = ctx.response.get('location');
    const redirectUri = ctx.oidc?.params?.redirect_uri;
    if (!isErrorRedirect(ctx.status, location) || typeof redirectUri !== 'string') return;
    if (ctx.oidc.session?.accountId || isOnThisComputer(redirectUri)) return;
    const client =
      ctx.oidc.client && (await clients.find(ctx.oidc.client.clientId, { refresh: false }));
    if (client?.kind === 'preregistered') return;
    renderError(ctx, explain(stateOf(ctx).error), {
      url: location,
      host: redirectHost(redirectUri),
      clientName: client?.clientName ?? client?.clientId,
    });
  };
}

function isErrorRedirect(status: number, location: string): boolean {
  return status >= 300 && status < 400 && /[?&#]error=/.test(location);
}
