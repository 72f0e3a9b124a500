import type { Middleware } from 'koa';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { isDocumentUrl } from '../clients/index.ts';
import { isLoopback, OAuthError, redirectHost } from '../oauth/index.ts';
import type { ProviderDeps } from './deps.ts';
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
    explainUnusableDocument(ctx);
    const location = ctx.response.get('location');
    const redirectUri = ctx.oidc?.params?.redirect_uri;
    if (!isErrorRedirect(ctx.status, location) || typeof redirectUri !== 'string') return;
    if (ctx.oidc.session?.accountId || isLoopback(redirectUri)) return;
    const client =
      ctx.oidc.client && (await clients.find(ctx.oidc.client.clientId, { refresh: false }));
    if (client?.kind === 'preregistered') return;
    ctx.remove('location');
    ctx.status = 400;
    ctx.body = { error: 'not redirected' }; // explainErrors shows the page
    stateOf(ctx).back = {
      url: location,
      host: redirectHost(redirectUri),
      clientName: client?.clientName ?? client?.clientId,
    };
  };
}

/** One sentence for all reasons: the differences would make us a scanner of other people's networks. */
function explainUnusableDocument(ctx: KoaContextWithOIDC): void {
  const clientId = ctx.oidc?.params?.client_id;
  if (!(stateOf(ctx).error instanceof errors.InvalidClient)) return;
  if (typeof clientId !== 'string' || !isDocumentUrl(clientId)) return;
  stateOf(ctx).error = new OAuthError(
    'invalid_client',
    'The client metadata document could not be loaded or is not valid.',
    { status: 400 },
  );
}

function isErrorRedirect(status: number, location: string): boolean {
  return status >= 300 && status < 400 && /[?&#]error=/.test(location);
}
