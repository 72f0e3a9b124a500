import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { readCookie, setCookie } from './cookies.ts';
import { currentRequest } from './request-context.ts';

const shape = /^[\w-]{43}$/;

/**
 * A value that only this browser has, in a cookie: what is begun with it can only be finished with it. A
 * browser that has one keeps it, so that what it has begun in other tabs can be finished too.
 *
 * @param maxAge seconds, counted anew
 */
export function markBrowser(ctx: Context, name: string, maxAge: number): string {
  const mark = browserMark(ctx, name) ?? randomBytes(32).toString('base64url');
  setCookie(ctx, currentRequest().site, name, mark, maxAge);
  return mark;
}

/** The mark of the browser, if it has one. */
export function browserMark(ctx: Context, name: string): string | undefined {
  const value = readCookie(ctx, currentRequest().site, name);
  return value !== undefined && shape.test(value) ? value : undefined;
}
