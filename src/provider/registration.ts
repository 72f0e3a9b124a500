import type { Context } from 'koa';
import { addressBucket, createRateLimiter, currentRequest, readJson } from '../http/index.ts';
import type { ProviderDeps } from './deps.ts';
import { noteRegistration } from './flow-notes.ts';

const limits = { limitBytes: 64 * 1024, maxDepth: 12 };

/** Dynamic client registration and its management (RFC 7591, RFC 7592); the decisions are in clients/. */
export function registration(deps: ProviderDeps) {
  const { clients, auditMeta, config } = deps;
  const limiter = createRateLimiter({
    name: 'registration',
    perSecond: config.dcr.rate_limit,
    burst: config.dcr.rate_limit_burst,
  });
  return {
    async create(ctx: Context): Promise<void> {
      await limiter.take(addressBucket(currentRequest().ip));
      const body = await readJson(ctx, limits);
      const { status, body: answer } = await noteRegistration(deps, body, () =>
        clients.register(body, {
          ip: currentRequest().ip,
          meta: auditMeta(),
          initialAccessToken: bearerToken(ctx),
        }),
      );
      send(ctx, status, answer);
    },
    async read(ctx: Context): Promise<void> {
      send(ctx, 200, await clients.management.read(ctx.params.client_id, bearerToken(ctx)));
    },
    async update(ctx: Context): Promise<void> {
      const body = await readJson(ctx, limits);
      send(
        ctx,
        200,
        await clients.management.update(ctx.params.client_id, bearerToken(ctx), body, auditMeta()),
      );
    },
    async remove(ctx: Context): Promise<void> {
      await clients.management.remove(ctx.params.client_id, bearerToken(ctx), auditMeta());
      ctx.set('Cache-Control', 'no-store');
      ctx.status = 204;
    },
  };
}

function send(ctx: Context, status: number, body: object): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.status = status;
  ctx.body = body;
}

function bearerToken(ctx: Context): string | undefined {
  const [scheme, token, extra] = ctx.get('authorization').split(' ');
  return scheme?.toLowerCase() === 'bearer' && token && extra === undefined ? token : undefined;
}
