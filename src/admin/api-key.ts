import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import { OAuthError } from '../oauth/index.ts';

/**
 * Checks `Authorization: Bearer <admin.api_key>`; without a configured key nobody passes.
 *
 * @throws OAuthError invalid_token, 401
 */
export function checkApiKey(apiKey: string | undefined): (ctx: Context) => void {
  const expected = apiKey === undefined ? undefined : digest(apiKey);
  return (ctx) => {
    const [, given] = /^bearer +(.+)$/i.exec(ctx.get('authorization')) ?? [];
    if (!expected || given === undefined || !timingSafeEqual(digest(given), expected)) {
      throw new OAuthError(
        'invalid_token',
        expected
          ? 'Send the key of admin.api_key as Authorization: Bearer'
          : 'Set admin.api_key, then send it as Authorization: Bearer',
      );
    }
  };
}

/** Lets only those pass who send the key of {@link checkApiKey}. */
export function requireApiKey(apiKey: string | undefined): Middleware {
  const check = checkApiKey(apiKey);
  return (ctx, next) => {
    check(ctx);
    return next();
  };
}

/** Of equal length whatever was sent, so that the comparison takes constant time. */
function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
