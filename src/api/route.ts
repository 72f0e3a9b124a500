import type { Context } from 'koa';
import type { ApiCaller, ApiScope, Identify } from './caller.ts';

/** A route that only a token opens. */
export interface ApiRoute {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the issuer's path, as the router takes it: `/api/v2/w/:workspace_uuid/mcp-servers`. */
  path: string;
  /** Without which it is closed; `apps:read` unless told. */
  scope?: ApiScope;
  handle(ctx: Context, caller: ApiCaller): Promise<void>;
}

/**
 * A route that decides itself who may: it is open unless it asks. For addresses that browsers open (icons,
 * the way to another server), and those with client authentication.
 */
export interface OpenRoute {
  method: ApiRoute['method'];
  path: string;
  open: true;
  /** Errors are shown as a page to those who prefer HTML. */
  page?: boolean;
  handle(ctx: Context, identify: Identify): Promise<void>;
}

export type AnyRoute = ApiRoute | OpenRoute;
