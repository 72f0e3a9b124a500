import type { Context } from 'koa';
import type { Actor, AuditMeta } from '../audit/index.ts';
import { checkApiKey } from './api-key.ts';
import type { Permission } from './contract/index.ts';

/** Who calls the admin API, and what they may. */
export interface Caller {
  actor: Actor;
  role: Permission;
}

/** Who does it, when and from where: for the audit log. */
export interface By {
  actor: Actor;
  meta: AuditMeta;
}

/**
 * Finds out who calls. The only way in: a credential that it does not know is none. Access tokens and
 * personal access tokens that this server issues open nothing here (T29).
 *
 * @throws OAuthError 401
 */
export type Authenticate = (ctx: Context) => Promise<Caller>;

/** `admin.api_key`, which may do everything. */
export function authenticateApiKey(apiKey: string | undefined): Authenticate {
  const check = checkApiKey(apiKey);
  return async (ctx) => {
    check(ctx);
    return { actor: { kind: 'admin', id: 'api_key' }, role: 'owner' };
  };
}
