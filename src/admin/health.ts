import type { Context } from 'koa';

/** Whether the server can do its work now; `reason` is a word for machines, such as `database`. */
export type Health = () => Promise<{ ready: true } | { ready: false; reason: string }>;

/** `GET /health` and `/ready`: 503 with the reason while the server cannot do its work. */
export async function readiness(ctx: Context, health: Health): Promise<void> {
  const state = await health();
  ctx.status = state.ready ? 200 : 503;
  ctx.set('Cache-Control', 'no-store');
  if (state.ready) ctx.body = { status: 'ok' };
  else {
    ctx.set('Retry-After', '5');
    ctx.body = { status: 'unavailable', reason: state.reason };
  }
}

/** `GET /livez`: the process answers; asks nothing else, so that a dead database restarts nobody. */
export function liveness(ctx: Context): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.body = { status: 'ok' };
}
