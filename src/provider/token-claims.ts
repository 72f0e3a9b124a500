import type { AccessToken, ClientCredentials, KoaContextWithOIDC } from 'oidc-provider';
import { currentTraceId } from '../http/index.ts';
import type { Resource } from '../resources/index.ts';
import {
  type ClaimsClient,
  type ClaimsUser,
  type ClaimsWorkspace,
  customClaims,
  type IssuedToken,
  requireFitting,
  tellsOfUser,
  workspaceOf,
} from '../tokens/index.ts';
import type { ProviderDeps } from './deps.ts';
import { knownClient } from './known-client.ts';
import { stateOf } from './request-state.ts';

type Minted = AccessToken | ClientCredentials;

/**
 * The claims of an access token beside those that the library writes: those that the resource is
 * configured with, those of the grant (`act` …), and when the person signed in. For every grant, in JWT
 * and introspection alike; determined anew at each refresh.
 *
 * @throws OAuthError temporarily_unavailable when a claims hook that may not be skipped does not answer;
 *   the unit of work has not been written then, so that nothing is used up
 */
export async function extraClaims(
  deps: ProviderDeps,
  ctx: KoaContextWithOIDC,
  token: Minted,
): Promise<Record<string, unknown> | undefined> {
  const claims = {
    ...(await configuredClaims(deps, ctx, token)),
    ...stateOf(ctx).token?.derivation?.claims,
    ...workspaceClaim(ctx),
    ...authenticationTime(ctx),
  };
  return Object.keys(claims).length > 0 ? claims : undefined;
}

async function configuredClaims(
  deps: ProviderDeps,
  ctx: KoaContextWithOIDC,
  token: Minted,
): Promise<Record<string, unknown>> {
  const resource = deps.resources.resolve(String(token.aud));
  if (!resource || !isConfigured(resource)) return {};
  const user = await userOf(deps, ctx, token, resource);
  const client = await clientOf(deps, token);
  const workspace = grantedWorkspace(ctx);
  const claims = customClaims({ mapping: resource.claims, user, client, workspace });
  requireFitting(claims);
  return deps.claimsHooks.extend(resource, {
    ...{ user, client, workspaceId: workspace?.id, claims },
    scope: token.scope ?? '',
    grantType: String(ctx.oidc.params?.grant_type),
    requestId: currentTraceId(),
  });
}

/**
 * The mapped claims of a personal access token or a workspace credential, which live long: determined when it is
 * introspected, not when it was made. The hook is not asked.
 */
export async function personalClaims(
  { resources, accounts }: ProviderDeps,
  issued: IssuedToken,
): Promise<Record<string, unknown>> {
  const { kind, resource: uri, sub } = issued;
  const mapping = resources.resolve(uri)?.claims ?? {};
  if (kind === 'access_token' || Object.keys(mapping).length === 0) return {};
  const user = tellsOfUser(mapping) ? await accounts.find(sub) : undefined;
  return customClaims({ mapping, user, workspace: workspaceOf(issued) });
}

/** Read with what was presented, or known to the grant: never a round trip of its own. */
function grantedWorkspace(ctx: KoaContextWithOIDC): ClaimsWorkspace | undefined {
  const { source, derivation } = stateOf(ctx).token ?? {};
  return derivation?.workspace ?? source?.workspace;
}

function workspaceClaim(ctx: KoaContextWithOIDC): { workspace_id: string } | undefined {
  const workspace = grantedWorkspace(ctx);
  return workspace && { workspace_id: workspace.id };
}

function isConfigured({ claims, claimsHook }: Resource): boolean {
  return claimsHook !== undefined || Object.keys(claims).length > 0;
}

/** The person behind the token, where anything is told of them; on the token path they were read already. */
async function userOf(
  { accounts }: ProviderDeps,
  ctx: KoaContextWithOIDC,
  token: Minted,
  resource: Resource,
): Promise<ClaimsUser | undefined> {
  if (!resource.claimsHook && !tellsOfUser(resource.claims)) return undefined;
  const { source, derivation } = stateOf(ctx).token ?? {};
  const id = derivation ? derivation.userId : accountOf(token);
  if (id === undefined) return undefined;
  return source?.userId === id ? source.user : accounts.find(id);
}

function accountOf(token: Minted): string | undefined {
  return 'accountId' in token && typeof token.accountId === 'string' ? token.accountId : undefined;
}

async function clientOf({ clients }: ProviderDeps, token: Minted): Promise<ClaimsClient> {
  const client = await knownClient(clients, token.clientId ?? '');
  if (!client) throw new TypeError('a token is issued to a client that is not there');
  return client;
}

/** When the person signed in (RFC 9068 §2.2.1). */
function authenticationTime({ oidc }: KoaContextWithOIDC): { auth_time: number } | undefined {
  const { AuthorizationCode: code, DeviceCode: device, RefreshToken: refresh } = oidc.entities;
  const auth_time = (code ?? device ?? refresh)?.authTime;
  return auth_time === undefined ? undefined : { auth_time };
}
