import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { IssuedToken } from '../tokens/index.ts';
import type { ProviderDeps } from './deps.ts';
import { stateOf } from './request-state.ts';

type Deps = Pick<ProviderDeps, 'tokens' | 'auditMeta' | 'log'>;

/** Notes the use of a personal access token that introspection called active. Costs no read of its own. */
export function noteIntrospectedUse(deps: Deps): Middleware<object, KoaContextWithOIDC> {
  return async (ctx, next) => {
    await next();
    const issued = stateOf(ctx).presented?.issued;
    if (issued && isActive(ctx.body)) noteUse(deps, issued);
  };
}

/**
 * Notes who presented a personal access token, at most once a minute. Goes on beside the answer, which neither
 * waits for it nor fails with it. The address is that of the caller: RFC 7662 has no field for the person's.
 */
export function noteUse({ tokens, auditMeta, log }: Deps, issued: IssuedToken): void {
  if (issued.kind !== 'personal_access_token') return;
  const { at, ip: from } = auditMeta();
  tokens.personal
    .touch(issued.jti, { at, from, lastUsedAt: issued.last_used_at })
    .catch((err) => log.warn({ err }, 'the use of a personal access token could not be noted'));
}

function isActive(body: unknown): body is { active: true } {
  return typeof body === 'object' && body !== null && 'active' in body && body.active === true;
}
