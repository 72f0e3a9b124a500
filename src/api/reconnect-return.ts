import type { Context } from 'koa';
import { hashId } from '../db/index.ts';
import { currentRequest, readCookie, setCookie } from '../http/index.ts';

const cookie = 'authserver_reconnect';
/** Links that one browser may have open while it signs in. */
const mostOpen = 4;
/** Seconds; no longer than a link works. */
const life = 10 * 60;

/**
 * Keeps the link of a browser that has to sign in first. The way back names it by this, so that its secret
 * stands in no other address and in no row of the database.
 */
export function keepForReturn(ctx: Context, secret: string): string {
  const { site } = currentRequest();
  const others = open(ctx).filter((one) => one !== secret);
  setCookie(ctx, site, cookie, [secret, ...others].slice(0, mostOpen).join('.'), life);
  return nameOf(secret);
}

/** The link that this browser kept under a name. */
export function keptForReturn(ctx: Context, name: string): string | undefined {
  return open(ctx).find((secret) => nameOf(secret) === name);
}

function open(ctx: Context): string[] {
  const value = readCookie(ctx, currentRequest().site, cookie) ?? '';
  return value.split('.').filter(isSecret);
}

/** Whether it has the form of a link's secret. */
export function isSecret(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

function nameOf(secret: string): string {
  return hashId(`reconnect:${secret}`).slice(0, 22);
}
