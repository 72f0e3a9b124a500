import type { Context, Middleware } from 'koa';
import { currentRequest, securityHeaders, withRequestContext } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { acceptHost } from './policy.ts';

/** Refuses foreign hosts, and tells what follows under which of its names the listener was reached. */
export function checkHost(externalUrl: string | undefined): Middleware {
  return (ctx, next) => {
    const origin = acceptHost(ctx.get('host'), externalUrl);
    if (!origin) throw misdirected(ctx, externalUrl);
    const request = currentRequest();
    const site = { ...request.site, ...origin, url: origin.origin };
    return withRequestContext({ ...request, site }, () => securityHeaders(site)(ctx, next));
  };
}

function misdirected(ctx: Context, externalUrl: string | undefined): OAuthError {
  const known = externalUrl ? `${new URL(externalUrl).host} or localhost` : 'localhost';
  return new OAuthError(
    'invalid_request',
    `This listener answers under the host ${known} only; the host of the request is another. Set admin.external_url to reach it under its own name.`,
    { status: 421, detail: { host: ctx.get('host').slice(0, 255) } },
  );
}
