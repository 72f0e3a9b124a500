import type { Middleware } from 'koa';
import type { Metrics } from '../audit/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Authenticate } from './caller.ts';
import { permits } from './policy.ts';

/** `GET /metrics`: Prometheus metrics, for every key and for everybody with a role. */
export function metricsRoute(
  metrics: Pick<Metrics, 'expose'>,
  authenticate: Authenticate,
): Middleware {
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const { role } = await authenticate(ctx);
    if (!permits(role, 'viewer')) {
      throw new OAuthError('access_denied', 'This needs the role viewer.', { status: 403 });
    }
    const { contentType, body } = await metrics.expose();
    ctx.set('Content-Type', contentType);
    ctx.body = body;
  };
}
