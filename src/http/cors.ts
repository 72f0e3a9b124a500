import type { Middleware } from 'koa';

const allowed = {
  'Access-Control-Allow-Headers': 'content-type, authorization, dpop, mcp-protocol-version',
  'Access-Control-Max-Age': '7200',
};

/**
 * Opens the listed paths to scripts of any origin, always without credentials (Fetch §3.2.5 forbids
 * `*` with them, so no cookie ever travels): metadata, JWKS, token, registration, revocation,
 * introspection. Every other path never answers a preflight and names no origin.
 *
 * @param open paths, exact; one that ends with `/` opens everything below it
 * @param options.methods that a preflight allows
 */
export function cors(
  open: readonly string[],
  { methods = 'GET, HEAD, POST, PUT, DELETE' }: { methods?: string } = {},
): Middleware {
  const exact = new Set(open);
  const below = open.filter((path) => path.endsWith('/'));
  const isOpen = (path: string) => exact.has(path) || below.some((start) => path.startsWith(start));
  return async (ctx, next) => {
    if (!isOpen(ctx.path)) return next();
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Access-Control-Expose-Headers', 'www-authenticate, dpop-nonce, retry-after');
    const preflight = ctx.method === 'OPTIONS' && ctx.get('access-control-request-method');
    if (!preflight) return next();
    ctx.set({ 'Access-Control-Allow-Methods': methods, ...allowed });
    ctx.status = 204;
  };
}
