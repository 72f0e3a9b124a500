import type { Context } from 'koa';
import { page as layOut, type Page } from './page.ts';
import { currentRequest } from './request-context.ts';

export type SendPageOptions = {
  /** HTTP status, 200 unless told */
  status?: number;
  /**
   * Where the answer to the page's form may lead besides this server: CSP sources from
   * `formActionFor(redirectUri)`. Chromium holds `form-action` against the redirect that follows a
   * form as well. Given, it also marks a page of a client's authorization (see `opener`).
   */
  formAction?: readonly string[];
  /**
   * Whether the window that opened this one keeps its hold on it. Clients sign people in in a pop-up
   * and wait for it; `Cross-Origin-Opener-Policy: same-origin` on any page in between would cut them
   * off for good. `keep` by default for pages with `formAction`, else `sever`.
   */
  opener?: 'keep' | 'sever';
};

/** Sends a page with everything a page of ours needs against framing, injection, caching and leaks. */
export function sendPage(ctx: Context, page: Page, options: SendPageOptions = {}): void {
  const { site, traceId } = currentRequest();
  const { status = 200, formAction, opener = formAction ? 'keep' : 'sever' } = options;
  const document = layOut({ site, traceId }, page);
  ctx.status = status;
  ctx.set('Content-Security-Policy', contentSecurityPolicy(formAction));
  ctx.set('X-Frame-Options', 'DENY');
  ctx.set('X-Content-Type-Options', 'nosniff');
  // With no-referrer Chromium posts a form with `Origin: null`, which the CSRF check refuses.
  ctx.set('Referrer-Policy', document.includes('<form') ? 'same-origin' : 'no-referrer');
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
  if (opener === 'sever') ctx.set('Cross-Origin-Opener-Policy', 'same-origin');
  if (site.secure) ctx.set('Strict-Transport-Security', 'max-age=31536000');
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Content-Type', 'text/html; charset=utf-8');
  ctx.body = document;
}

function contentSecurityPolicy(formAction: readonly string[] = []): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    `form-action ${["'self'", ...formAction].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}
