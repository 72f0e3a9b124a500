import type { Context } from 'koa';

/** Sends the browser on with a GET, whatever the request was (RFC 9110 §15.4.4). */
export function seeOther(ctx: Context, to: string): void {
  ctx.status = 303;
  ctx.redirect(to);
  ctx.body = '';
}
