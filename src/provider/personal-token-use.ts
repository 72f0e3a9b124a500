import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { IssuedToken } from '../tokens/index.ts';
import type { ProviderDeps } from './deps.ts';
import { stateOf } from './request-state.ts';

type Deps = Pick<ProviderDeps, 'tokens' | 'auditMeta' | 'log'>;

/** Notes the use of a long-lived token that introspection called active. Costs no read of its own. */
export function noteIntrospectedUse(deps: Deps): Middleware<object, KoaContextWithOIDC> {
  return async (ctx, next) => {
    await next();
    const issued = stateOf(ctx).presented?.issued;
    if (issued && isActive(ctx.body)) noteUse(deps, issued);
  };
}

/**
 * Notes who presented a personal access token or a workspace credential, at most once a minute. Goes on beside the answer, which neither
 * waits for it nor fails with it. The address is that of the caller: RFC 7662 has no field for the person's.
 */
export function noteUse({ tokens, auditMeta, log }: Deps, issued: IssuedToken): void {
  const uses = usesOf(tokens, issued);
  if (!uses) return;
  const { at, ip: from } = auditMeta();
  uses
    .touch(issued.jti, { at, from, lastUsedAt: issued.last_used_at })
    .catch((err) => log.warn({ err }, 'the use of a token could not be noted'));
}

/** Where the uses of such a token are kept; nowhere for one that lives shortly. */
function usesOf({ personal, credentials }: Deps['tokens'], { kind }: IssuedToken) {
  if (kind === 'personal_access_token') return personal;
  return kind === 'workspace_credential' ? credentials : undefined;
}

function isActive(body: unknown): body is { active: true } {
  return typeof body === 'object' && body !== null && 'active' in body && body.active === true;
}
