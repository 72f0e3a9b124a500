import { createHash, timingSafeEqual } from 'node:crypto';
import type { Middleware } from 'koa';
import { OAuthError } from '../oauth/index.ts';

/** Requires `Authorization: Bearer <admin.api_key>`; without a configured key nobody passes. */
export function requireApiKey(apiKey: string | undefined): Middleware {
  const expected = apiKey === undefined ? undefined : digest(apiKey);
  return (ctx, next) => {
    const [, given] = /^bearer +(.+)$/i.exec(ctx.get('authorization')) ?? [];
    if (!expected || given === undefined || !timingSafeEqual(digest(given), expected)) {
      throw new OAuthError(
        'invalid_token',
        expected
          ? 'Send the key of admin.api_key as Authorization: Bearer'
          : 'Set admin.api_key, then send it as Authorization: Bearer',
      );
    }
    return next();
  };
}

/** Of equal length whatever was sent, so that the comparison takes constant time. */
function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
