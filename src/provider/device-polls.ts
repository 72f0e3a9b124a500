import type { Middleware } from 'koa';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { OAuthError } from '../oauth/index.ts';
import { pollingInterval, type Tokens } from '../tokens/index.ts';
import { stateOf } from './request-state.ts';

/** Says how often a device may poll (RFC 8628 §3.2). */
export const sayInterval: Middleware<object, KoaContextWithOIDC> = async (ctx, next) => {
  await next();
  if (ctx.status === 200 && isDeviceAnswer(ctx.body)) {
    ctx.body = { ...ctx.body, interval: pollingInterval };
  }
};

/**
 * Tells a device that polls too often to slow down (RFC 8628 §3.5). Only polls of its own pending code
 * count, after the client has authenticated: nobody else can slow it down.
 */
export function limitPolls({
  tokens,
  now,
}: {
  tokens: Tokens;
  now: () => Date;
}): Middleware<object, KoaContextWithOIDC> {
  return async (ctx, next) => {
    await next();
    const { error, form } = stateOf(ctx);
    if (!(error instanceof errors.AuthorizationPending)) return;
    if (typeof form.device_code !== 'string') return;
    const { tooSoon } = await tokens.devices.poll(form.device_code, now());
    if (tooSoon) stateOf(ctx).error = slowDown();
  };
}

function slowDown(): OAuthError {
  return new OAuthError(
    'slow_down',
    `The device polls too often. Wait ${pollingInterval} s longer between two requests from now on.`,
  );
}

function isDeviceAnswer(body: unknown): body is object {
  return typeof body === 'object' && body !== null && 'device_code' in body;
}
