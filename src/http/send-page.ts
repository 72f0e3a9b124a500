import type { Context } from 'koa';
import { page as layOut, type Page } from './page.ts';
import { currentRequest } from './request-context.ts';

export type SendPageOptions = {
  /** HTTP status, 200 unless told */
  status?: number;
  /**
   * Where the page's forms may lead: `self` unless told. `anywhere` is for the pages of a client's
   * authorization (sign-in, consent, device): Chromium holds `form-action` against every redirect that
   * follows a form, the client's own ones after its callback included, and blocks them silently.
   */
  formAction?: 'self' | 'anywhere';
  /**
   * Whether the window that opened this one keeps its hold on it. Clients sign people in in a pop-up
   * and wait for it; `Cross-Origin-Opener-Policy: same-origin` on any page in between would cut them
   * off for good. `keep` by default for pages whose forms lead anywhere, else `sever`.
   */
  opener?: 'keep' | 'sever';
};

/** Sends a page with everything a page of ours needs against framing, injection, caching and leaks. */
export function sendPage(ctx: Context, page: Page, options: SendPageOptions = {}): void {
  const { site, traceId } = currentRequest();
  const { status = 200, formAction = 'self' } = options;
  const { opener = formAction === 'anywhere' ? 'keep' : 'sever' } = options;
  const document = layOut({ site, traceId }, page);
  ctx.status = status;
  ctx.set('Content-Security-Policy', contentSecurityPolicy(formAction, page));
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

function contentSecurityPolicy(formAction: 'self' | 'anywhere', { script }: Page): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    ...(script === undefined ? [] : ["script-src 'self'"]),
    ...(formAction === 'self' ? ["form-action 'self'"] : []),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}
