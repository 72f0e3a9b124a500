import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { FlowReport } from '../flows/index.ts';
import { addressBucket, currentRequest } from '../http/index.ts';
import { authorizationReport, resumeReport } from './flow-authorize.ts';
import { type FlowDeps, flowNamed, type Told } from './flow-context.ts';
import { callReport, tokenReport } from './flow-tokens.ts';
import { stateOf } from './request-state.ts';

/**
 * Tells of every request to the library what it was in the way of an authorization, once it is answered: no
 * request waits for that, and what fails here fails no request.
 */
export function reportFlows(deps: FlowDeps): Middleware<object, KoaContextWithOIDC> {
  return async (ctx, next) => {
    const { traceId, ip } = currentRequest();
    stateOf(ctx).flowId = flowNamed(traceId);
    const started = performance.now();
    await next();
    const told = { traceId, address: addressBucket(ip), at: deps.now() };
    const ms = performance.now() - started;
    deps.flows.later(async () => {
      const report = await reportOf(deps, ctx, { ...told, ms });
      if (report) deps.flows.tell(report);
    });
  };
}

async function reportOf(
  deps: FlowDeps,
  ctx: KoaContextWithOIDC,
  told: Told,
): Promise<FlowReport | undefined> {
  switch (ctx.oidc?.route) {
    case 'authorization':
    case 'pushed_authorization_request':
    case 'device_authorization':
      return authorizationReport(deps, ctx, told);
    case 'resume':
    case 'device_resume':
      return resumeReport(ctx, told);
    case 'token':
      return tokenReport(deps, ctx, told);
    case 'introspection':
      callReport(deps, ctx, told);
      return undefined;
    default:
      return undefined;
  }
}
