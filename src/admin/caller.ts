import type { Context } from 'koa';
import type { AdminSession } from '../accounts/index.ts';
import type { Actor, AuditMeta } from '../audit/index.ts';
import type { Permission } from './contract/index.ts';

/** What somebody may: `workspace` is who has no role here, but is an admin of workspaces. */
export type CallerRole = Permission | 'workspace';

/** A person who signed in, as they came in with a cookie. */
export interface SignedIn {
  session: AdminSession;
  /** What `X-CSRF-Token` has to be. */
  csrf: string;
}

/** Who calls the admin API, and what they may. */
export interface Caller {
  kind: 'session' | 'api_key' | 'admin_key' | 'local_key';
  actor: Actor;
  role: CallerRole;
  /**
   * Set: somebody with the role `workspace`, who sees only what belongs to these. Routes that let them in
   * have `workspaceAdmin`, and their handlers look at nothing else.
   */
  workspaceIds?: readonly string[];
  /** Of a session. */
  signedIn?: SignedIn;
}

/** Who does it, when and from where: for the audit log. */
export interface By extends Caller {
  meta: AuditMeta;
}

/**
 * Finds out who calls. The only way in: a credential that it does not know is none. Access tokens and
 * personal access tokens that this server issues open nothing here (T29).
 *
 * @throws OAuthError 401; 403 for a call that another site could have made; 429 for guessed keys
 */
export type Authenticate = (ctx: Context) => Promise<Caller>;

/** Where something comes from that this caller makes. */
export function sourceOf({ actor }: Pick<By, 'actor'>): 'admin' | 'cli' {
  return actor.kind === 'cli' ? 'cli' : 'admin';
}
