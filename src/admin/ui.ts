import type { Context, Middleware } from 'koa';
import { OAuthError } from '../oauth/index.ts';
import { createUiFiles, type UiFile, type UiFiles } from './ui-files.ts';

const home = '/admin/ui/';
const year = 31_536_000;

/**
 * Scripts, styles and calls of this origin and nothing else, so that a name which a stranger chose can run
 * nothing even if it came out as markup. No 'unsafe-inline', not even for styles.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/**
 * The admin console: its files under `/admin/ui/`, its one page for every address below (deep links), and
 * the way there from `/` and `/admin`. What it shows comes from the admin API, so that everybody may load it.
 */
export function adminUi(files: UiFiles = createUiFiles()): Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    if (['/', '/admin', '/admin/'].includes(ctx.path)) return redirect(ctx, 302);
    if (ctx.path === '/admin/ui') return redirect(ctx, 308);
    if (!ctx.path.startsWith(home)) return next();
    serve(ctx, files, ctx.path.slice(home.length));
  };
}

function redirect(ctx: Context, status: 302 | 308): void {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-cache');
  ctx.redirect(home);
}

function serve(ctx: Context, files: UiFiles, name: string): void {
  const file = files.find(name);
  if (file) {
    send(ctx, file, `public, max-age=${year}, immutable`);
    return;
  }
  if (name.startsWith('assets/')) {
    throw new OAuthError(
      'invalid_request',
      'This file is of another version. Load the page again.',
      {
        status: 404,
      },
    );
  }
  const page = files.page();
  if (!page) throw notBuilt();
  ctx.set('Content-Security-Policy', policy);
  ctx.set('Cross-Origin-Opener-Policy', 'same-origin');
  send(ctx, page, 'no-cache');
}

function notBuilt(): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'The admin console is not built. Run npm run build:ui and load this page again; the admin API works without it.',
    { status: 503, headers: { 'Retry-After': '60' } },
  );
}

function send(ctx: Context, file: UiFile, caching: string): void {
  ctx.status = 200;
  ctx.set('Content-Type', file.type);
  ctx.set('Cache-Control', caching);
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
  ctx.set('Vary', 'Accept-Encoding');
  const brotli = file.brotli !== undefined && ctx.acceptsEncodings('br', 'identity') === 'br';
  ctx.set('ETag', `"${file.version}${brotli ? '-br' : ''}"`);
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  if (brotli) ctx.set('Content-Encoding', 'br');
  ctx.body = brotli ? file.brotli : file.body;
}
