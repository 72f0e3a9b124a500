import type { Middleware } from 'koa';
import type { Site } from './site.ts';

/**
 * Serves `{base}/assets/…`. An address with the current version may be kept for a year; with another
 * one (a replica that runs the previous release) it answers the content that is here and is not kept.
 */
export function assets(site: Site): Middleware {
  const prefix = `${site.base}/assets/`;
  return async (ctx, next) => {
    const asset = ctx.path.startsWith(prefix) && site.assets.get(ctx.path.slice(prefix.length));
    if (!asset || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next();
    const current = ctx.querystring === `v=${asset.version}`;
    ctx.set('Cache-Control', current ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
    ctx.status = 200;
    ctx.set('Content-Type', asset.type);
    ctx.etag = asset.version;
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = asset.body;
  };
}
