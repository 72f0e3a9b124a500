import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import { OAuthError } from '../oauth/index.ts';
import { readCookie, setCookie } from './cookies.ts';
import type { Site } from './site.ts';

const cookie = 'authserver_browser';

/** Ties a form to the browser that it was shown in (RFC 9700 §4.7). */
export type Csrf = {
  /** Makes the token for a form, and the browser's cookie if it has none yet. `key` names the form: an interaction's uid, `logout` … */
  issue(ctx: Context, key: string): string;
  /** Checks a posted form. @throws OAuthError access_denied (403) */
  check(ctx: Context, key: string, token: unknown): void;
};

/**
 * Double submit: the token is an HMAC over the form's key and a random value in a signed cookie of
 * the browser, so that one form's token is no good for another form or in another browser. Posts that
 * a browser marks as coming from elsewhere are refused whatever they carry.
 * Does not say who is signed in: an interaction must still be bound to its session.
 *
 * @param secret `session.secret`
 */
export function createCsrf({ site, secret }: { site: Site; secret: string }): Csrf {
  const mac = (purpose: string, ...values: string[]) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([purpose, ...values]))
      .digest('base64url');

  const browserOf = (ctx: Context): string | undefined => {
    const [id = '', signature = '', extra] = (readCookie(ctx, site, cookie) ?? '').split('.');
    return id && extra === undefined && isSame(signature, mac('browser', id)) ? id : undefined;
  };

  const plantBrowser = (ctx: Context): string => {
    const id = randomBytes(18).toString('base64url');
    setCookie(ctx, site, cookie, `${id}.${mac('browser', id)}`);
    return id;
  };

  return {
    issue: (ctx, key) => mac('form', browserOf(ctx) ?? plantBrowser(ctx), key),
    check(ctx, key, token) {
      checkSource(ctx, site);
      const browser = browserOf(ctx);
      if (!browser) throw refuse(noCookie, 'no browser cookie');
      if (typeof token !== 'string' || !isSame(token, mac('form', browser, key))) {
        throw refuse(
          'This form is not the one that this browser was shown. Go back, reload the page and send it again.',
          'token does not match',
        );
      }
    },
  };
}

const noCookie =
  'This browser did not send the cookie that belongs to the form. Allow cookies for this site, reload the page and send it again.';

// `Origin: null` (a sandboxed frame, a data: page) is not ours either.
function checkSource(ctx: Context, site: Site): void {
  const origin = ctx.get('origin');
  if ((origin && origin !== site.origin) || ctx.get('sec-fetch-site') === 'cross-site') {
    const advice = `Open the page at ${site.origin} and send it from there.`;
    throw refuse(`This form was sent from another site. ${advice}`, `origin ${origin || 'absent'}`);
  }
}

function refuse(description: string, reason: string): OAuthError {
  return new OAuthError('access_denied', description, { status: 403, detail: { reason } });
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
