import type { Context } from 'koa';
import type { Membership, User } from '../accounts/index.ts';
import { OAuthError } from '../oauth/index.ts';

export type ApiScope = 'apps:read' | 'apps:write' | 'apps:admin';

/** Who calls the workspace API, by an access token that was made for it. */
export interface ApiCaller {
  user: User;
  /** The app that the person connected; none for a personal access token. */
  clientId?: string;
  /** Those of the token and what they imply. */
  scopes: ReadonlySet<string>;
  /** Of the token: if set, it is good for this workspace alone. */
  workspaceId?: string;
  jti: string;
}

/** A workspace of the caller, and what they are in it. */
export interface CallerWorkspace {
  workspace: Pick<Membership, 'id' | 'slug' | 'name'>;
  role: Membership['role'];
}

export type Identify = (ctx: Context, scope?: ApiScope) => Promise<ApiCaller>;
export type MemberOf = (
  caller: Pick<ApiCaller, 'user' | 'workspaceId' | 'scopes'>,
  workspaceUuid: string,
  scope?: ApiScope,
) => Promise<CallerWorkspace>;

/** A token that was sent, and by which scheme. */
export interface Presented {
  token: string;
  scheme: 'Bearer' | 'DPoP';
}

/** There is no such workspace, or none of this caller's. */
export function unknownWorkspace(): OAuthError {
  return new OAuthError('invalid_request', 'There is no such workspace.', { status: 404 });
}
