import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { formatScope, parseScope } from '../oauth/index.ts';
import { type IssuedToken, standingScopes } from '../tokens/index.ts';
import type { ProviderDeps } from './deps.ts';
import { stateOf } from './request-state.ts';

type Deps = Pick<ProviderDeps, 'tokens' | 'resources' | 'auditMeta' | 'log'>;
type NoteDeps = Omit<Deps, 'resources'>;

/**
 * What introspection does for a personal access token, which outlives many decisions of the operator: its
 * scope is cut to what its owner may use now, and its use is noted. Costs no read of its own.
 */
export function introspectPersonalTokens(deps: Deps): Middleware<object, KoaContextWithOIDC> {
  return async (ctx, next) => {
    await next();
    const issued = stateOf(ctx).presented?.issued;
    if (issued?.kind !== 'personal_access_token' || !isActive(ctx.body)) return;
    const scope = standingScope(deps, issued);
    ctx.body = scope === '' ? { active: false } : { ...ctx.body, scope };
    if (scope !== '') noteUse(deps, issued);
  };
}

function standingScope({ resources }: Deps, issued: IssuedToken): string {
  const { resource: uri, scope, sub: id, username, groups } = issued;
  const resource = resources.resolve(uri);
  if (!resource) return '';
  const user = { id, email: username ?? undefined, groups: groups ?? [] };
  return formatScope(standingScopes(parseScope(scope), resource, user));
}

/**
 * Notes who presented a personal access token, at most once a minute. Goes on beside the answer, which neither
 * waits for it nor fails with it. The address is that of the caller: RFC 7662 has no field for the person's.
 */
export function noteUse({ tokens, auditMeta, log }: NoteDeps, issued: IssuedToken): void {
  if (issued.kind !== 'personal_access_token') return;
  const { at, ip: from } = auditMeta();
  tokens.personal
    .touch(issued.jti, { at, from, lastUsedAt: issued.last_used_at })
    .catch((err) => log.warn({ err }, 'the use of a personal access token could not be noted'));
}

function isActive(body: unknown): body is { active: true } {
  return typeof body === 'object' && body !== null && 'active' in body && body.active === true;
}
