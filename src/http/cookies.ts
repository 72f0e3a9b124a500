import type { Context } from 'koa';
import type { Site } from './site.ts';

const cookieValue = /^[\w.~:/+=-]*$/;

/**
 * The name under which a cookie is kept: with the `__Host-` prefix on https, so that neither a
 * sibling host nor plain http can plant one (RFC 6265bis §4.1.3.2); plain on http loopback.
 */
export function cookieName(site: Site, name: string): string {
  return site.secure ? `__Host-${name}` : name;
}

/** Reads a cookie; undefined when it is absent or has characters that we never write. */
export function readCookie(ctx: Context, site: Site, name: string): string | undefined {
  const start = `${cookieName(site, name)}=`;
  const pair = ctx
    .get('cookie')
    .split(/; */)
    .find((part) => part.startsWith(start));
  const value = pair?.slice(start.length);
  return value !== undefined && cookieValue.test(value) ? value : undefined;
}

/**
 * Sets a cookie: HttpOnly, SameSite=Lax unless told, Path=/, Secure on https, no Domain.
 *
 * @param value base64url, hexadecimal or the like; no spaces, quotes, commas or semicolons
 * @param maxAge seconds; without it the cookie ends with the browser session
 * @throws TypeError for a value that a cookie cannot carry
 */
export function setCookie(
  ctx: Context,
  site: Site,
  name: string,
  value: string,
  maxAge?: number,
  sameSite: 'Lax' | 'Strict' = 'Lax',
): void {
  if (!cookieValue.test(value)) throw new TypeError(`the cookie ${name} cannot carry this value`);
  const attributes = ['Path=/', 'HttpOnly', `SameSite=${sameSite}`];
  if (site.secure) attributes.push('Secure');
  if (maxAge !== undefined) attributes.push(`Max-Age=${Math.floor(maxAge)}`);
  ctx.append('Set-Cookie', [`${cookieName(site, name)}=${value}`, ...attributes].join('; '));
}

/** Makes the browser forget a cookie. */
export function clearCookie(ctx: Context, site: Site, name: string): void {
  setCookie(ctx, site, name, '', 0);
}
