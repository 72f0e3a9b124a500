import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { AuditMeta } from '../audit/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { apiKeyRoutes } from './api-key-routes.ts';
import type { ApiKeys } from './api-keys.ts';
import { type AuditDeps, auditRoutes } from './audit-routes.ts';
import type { Authenticate, By, Caller } from './caller.ts';
import { type ClientDeps, clientRoutes } from './client-routes.ts';
import { type Route, routes } from './contract/index.ts';
import { type DoctorDeps, doctorRoutes } from './doctor-routes.ts';
import { documentRoutes } from './document-routes.ts';
import { type FlowDeps, flowRoutes } from './flow-routes.ts';
import { type GrantDeps, grantRoutes } from './grant-routes.ts';
import { createIdempotency, type IdempotencyDeps } from './idempotency.ts';
import { type IdentityProviderDeps, identityProviderRoutes } from './identity-provider-routes.ts';
import { type InspectorDeps, inspectorRoutes } from './inspector-routes.ts';
import { type IssuanceDeps, issuanceRoutes } from './issuance-routes.ts';
import { type KeyDeps, keyRoutes } from './key-routes.ts';
import { type MaintenanceDeps, maintenanceRoutes } from './maintenance-routes.ts';
import { type McpServerDeps, mcpServerRoutes } from './mcp-server-routes.ts';
import { concernsApi, permits } from './policy.ts';
import { type ResourceDeps, resourceRoutes } from './resource-routes.ts';
import type { ServedRoute } from './served-route.ts';
import type { AdminSessionCookies } from './session-cookies.ts';
import { type SessionDeps, sessionRoutes } from './session-routes.ts';
import { type SettingsDeps, settingsRoutes } from './settings-routes.ts';
import { type StatsDeps, statsRoutes } from './stats-routes.ts';
import { type TokenDeps, tokenRoutes } from './token-routes.ts';
import { type TrustedIssuerDeps, trustedIssuerRoutes } from './trusted-issuer-routes.ts';
import { type UserDeps, userRoutes } from './user-routes.ts';
import {
  type WorkspaceCredentialDeps,
  workspaceCredentialRoutes,
} from './workspace-credential-routes.ts';
import { type WorkspaceDeps, workspaceRoutes } from './workspace-routes.ts';

/** What the handlers work with. */
export type ApiDeps = AuditDeps &
  ClientDeps &
  DoctorDeps &
  FlowDeps &
  GrantDeps &
  IdempotencyDeps &
  IdentityProviderDeps &
  InspectorDeps &
  IssuanceDeps &
  KeyDeps &
  MaintenanceDeps &
  McpServerDeps &
  ResourceDeps &
  SessionDeps &
  SettingsDeps &
  StatsDeps &
  TokenDeps &
  TrustedIssuerDeps &
  UserDeps &
  WorkspaceCredentialDeps &
  WorkspaceDeps & {
    /** Time, address, user agent and trace id of the current request, for the audit log. */
    auditMeta: () => AuditMeta;
  };

/** Who may come in. */
export interface Admission {
  authenticate: Authenticate;
  apiKeys: ApiKeys;
  sessions: AdminSessionCookies;
}

/** The admin API: one gate in front of everything under its path, then its routes. */
export function createAdminApi(
  deps: ApiDeps,
  admission: Admission,
): { gate: Middleware; router: Router } {
  const { authenticate } = admission;
  const callers = new WeakMap<object, Caller>();
  const once = createIdempotency(deps);
  const router = new Router({ sensitive: true, strict: true });
  for (const { route, serve } of servedRoutes(deps, admission)) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    router.register(path, [route.method], async (ctx) => {
      const by = permitted(callers.get(ctx.req), route, deps.auditMeta);
      await serve(ctx, by, once);
    });
  }
  return { gate: gate(authenticate, callers), router };
}

/**
 * Every route of the contract with what fulfils it.
 *
 * @throws Error when a route has none, which is a mistake in the program
 */
export function servedRoutes(
  deps: ApiDeps,
  { authenticate, apiKeys, sessions }: Admission,
): readonly ServedRoute[] {
  return allOf([
    ...apiKeyRoutes(apiKeys),
    ...auditRoutes(deps, authenticate),
    ...clientRoutes(deps),
    ...doctorRoutes(deps),
    ...documentRoutes(),
    ...flowRoutes(deps),
    ...grantRoutes(deps),
    ...identityProviderRoutes(deps),
    ...inspectorRoutes(deps),
    ...issuanceRoutes(deps),
    ...keyRoutes(deps),
    ...maintenanceRoutes(deps),
    ...mcpServerRoutes(deps),
    ...resourceRoutes(deps),
    ...sessionRoutes(deps, sessions),
    ...settingsRoutes(deps),
    ...statsRoutes(deps),
    ...tokenRoutes(deps),
    ...trustedIssuerRoutes(deps),
    ...userRoutes(deps),
    ...workspaceCredentialRoutes(deps),
    ...workspaceRoutes(deps),
  ]);
}

/** Nobody learns so much as which paths exist without a credential. */
function gate(authenticate: Authenticate, callers: WeakMap<object, Caller>): Middleware {
  return async (ctx: Context, next) => {
    if (!concernsApi(ctx.path)) return next();
    ctx.req.headers.accept = 'application/json'; // errors are JSON here, whoever asks
    ctx.set('Cache-Control', 'no-store');
    callers.set(ctx.req, await authenticate(ctx));
    await next();
  };
}

/**
 * The one check of who may what: without a caller from the gate nobody passes, and an admin of a workspace
 * passes only where the route says that its handler looks at nothing but theirs (T29).
 */
function permitted(caller: Caller | undefined, route: Route, auditMeta: () => AuditMeta): By {
  if (!caller) throw new OAuthError('invalid_token', 'This needs a key or a sign-in.');
  const isOwn = caller.role === 'workspace' && route.workspaceAdmin === true;
  if (isOwn || permits(caller.role, route.permission)) return { ...caller, meta: auditMeta() };
  throw new OAuthError('access_denied', `This needs the role ${route.permission}.`, {
    status: 403,
  });
}

/** @throws Error when a route of the contract has no handler, which is a mistake in the program */
function allOf(served: readonly ServedRoute[]): readonly ServedRoute[] {
  const missing = routes.filter((route) => !served.some((one) => one.route === route));
  if (missing.length === 0 && served.length === routes.length) return served;
  throw new Error(`not every route is served once: ${missing.map((route) => route.path)}`);
}
