import type { Middleware } from 'koa';
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { OAuthError } from '../oauth/index.ts';
import { addressBucket } from './address.ts';
import { currentRequest } from './request-context.ts';

export type RateLimitOptions = {
  /** keeps the counts of different limits apart in logs */
  name: string;
  /** requests per second that one key may go on sending */
  perSecond: number;
  /** requests beyond that rate that may come at once */
  burst: number;
};

/** Counts requests by key in this process; keys are forgotten when their window ends. */
export type RateLimiter = {
  /** @throws OAuthError temporarily_unavailable (429) with `Retry-After` when the key has used up its share */
  take(key: string): Promise<void>;
};

/** A limit on whatever the caller chooses as key; replicas each count their own requests. */
export function createRateLimiter({ name, perSecond, burst }: RateLimitOptions): RateLimiter {
  const steady = new RateLimiterMemory({ keyPrefix: '', points: perSecond, duration: 1 });
  const spare = new RateLimiterMemory({
    keyPrefix: 'burst',
    points: burst,
    duration: Math.max(1, Math.ceil(burst / perSecond)),
  });
  const limiter = new BurstyRateLimiter(steady, spare);
  return {
    async take(key) {
      try {
        await limiter.consume(key);
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        throw tooMany(name, key, Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)));
      }
    },
  };
}

function tooMany(limit: string, key: string, seconds: number): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    `Too many requests came from this address. Wait ${seconds} s and try again.`,
    { status: 429, headers: { 'Retry-After': String(seconds) }, detail: { limit, key } },
  );
}

/** Limits requests per client address: one bucket per IPv4 address and per IPv6 /64. */
export function rateLimit(options: RateLimitOptions): Middleware {
  const limiter = createRateLimiter(options);
  return async (_ctx, next) => {
    await limiter.take(addressBucket(currentRequest().ip));
    return next();
  };
}
