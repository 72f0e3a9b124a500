import type { Middleware } from 'koa';
import type { Site } from './site.ts';

/**
 * Headers that every answer carries, set before the handlers run so that a page or the admin UI may
 * replace its own: no sniffing, no framing, no referrer, nothing loaded, HSTS where the site is https.
 */
export function securityHeaders(site: Site): Middleware {
  return (ctx, next) => {
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('X-Frame-Options', 'DENY');
    ctx.set('Referrer-Policy', 'no-referrer');
    ctx.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
    if (site.secure) ctx.set('Strict-Transport-Security', 'max-age=31536000');
    return next();
  };
}
