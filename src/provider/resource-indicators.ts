import type { KoaContextWithOIDC, Client as LibraryClient, ResourceServer } from 'oidc-provider';
import { grantTypes, OAuthError } from '../oauth/index.ts';
import { chooseResource, chooseScopes, type Resource } from '../resources/index.ts';
import type { ProviderDeps } from './deps.ts';
import { beginsAuthorization } from './entry-routes.ts';
import { knownClient } from './known-client.ts';
import { stateOf } from './request-state.ts';

/**
 * The resource of a request that names none, or several (RFC 8707 §2).
 *
 * @throws OAuthError invalid_target with what to send
 */
export async function defaultResourceFor(
  deps: ProviderDeps,
  ctx: KoaContextWithOIDC,
  client: LibraryClient,
  oneOf: readonly string[] | undefined,
): Promise<string | string[]> {
  const bound = stateOf(ctx).token?.source?.payload.resource;
  if (!oneOf && typeof bound === 'string') return bound;
  return (await choose(deps, client, oneOf ?? [])).uri;
}

/**
 * What the library needs to know of a requested resource. On the way to a sign-in this is also where
 * scope is defaulted and cut, since client and redirect have been checked by now.
 *
 * @throws OAuthError invalid_target, invalid_scope
 */
export async function resourceServerFor(
  deps: ProviderDeps,
  ctx: KoaContextWithOIDC,
  uri: string,
  client: LibraryClient,
): Promise<ResourceServer> {
  const resource = await choose(deps, client, requestedTogether(ctx, uri));
  if (isMachineRequest(ctx)) requireWorkspace(resource, undefined);
  requireGrantedWorkspace(ctx, resource);
  if (choosesScopes(ctx)) await settleScopes(deps, ctx, resource, client);
  if (ctx.oidc.route === 'token') requireProof(deps, ctx, resource);
  return describeResource(
    deps,
    resource,
    lifetimeFor(deps.config, resource, { machine: isMachineRequest(ctx) }),
  );
}

/** A resource as the library wants it described; `lifetime` of an access token in seconds. */
export function describeResource(
  { keys }: Pick<ProviderDeps, 'keys'>,
  resource: Resource,
  lifetime: number,
): ResourceServer {
  return {
    scope: resource.scopes.map((scope) => scope.name).join(' '),
    audience: resource.uri,
    accessTokenFormat: resource.tokenFormat,
    accessTokenTTL: lifetime,
    jwt: { sign: { alg: keys.current().alg } },
  };
}

/**
 * Seconds that an access token of a resource lives: its `access_ttl` beats `tokens.access_ttl` and caps
 * `tokens.machine_ttl`.
 */
export function lifetimeFor(
  { tokens }: ProviderDeps['config'],
  { accessTtl }: Resource,
  { machine }: { machine: boolean },
): number {
  if (!machine) return accessTtl ?? tokens.access_ttl;
  return Math.min(tokens.machine_ttl, accessTtl ?? tokens.machine_ttl);
}

/** Here the request itself says what it wants; elsewhere a code or a token has settled that. */
function choosesScopes(ctx: KoaContextWithOIDC): boolean {
  return beginsAuthorization(ctx.oidc.route) || isMachineRequest(ctx);
}

function isMachineRequest(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.route === 'token' && ctx.oidc.params?.grant_type === grantTypes.clientCredentials;
}

async function choose(
  { resources, config, clients }: ProviderDeps,
  client: LibraryClient,
  requested: readonly string[],
): Promise<Resource> {
  const known = await knownClient(clients, client.clientId);
  return chooseResource({
    requested,
    resources: resources.all(),
    defaultResource: config.oauth.default_resource,
    client: known,
  });
}

/** A token without a workspace would reach into all of them. @throws OAuthError invalid_target */
export function requireWorkspace(
  { workspaceScoped, uri }: Resource,
  workspace: { id: string } | undefined,
): void {
  if (!workspaceScoped || workspace) return;
  throw new OAuthError(
    'invalid_target',
    `The resource ${uri} is scoped to workspaces, and nobody chooses one here. Send a person through the authorization endpoint, who chooses it at consent.`,
  );
}

/** Consent that was given before the resource knew workspaces names none: the person is asked again. */
function requireGrantedWorkspace(
  ctx: KoaContextWithOIDC,
  { workspaceScoped, uri }: Resource,
): void {
  const { source } = stateOf(ctx).token ?? {};
  if (!workspaceScoped || !source || source.workspace) return;
  throw new OAuthError(
    'invalid_grant',
    `The resource ${uri} is scoped to workspaces now, and this authorization is for none. Send the person through the authorization endpoint again.`,
  );
}

/** All resources of an authorization request: more than one is refused before scopes are looked at. */
function requestedTogether(ctx: KoaContextWithOIDC, uri: string): string[] {
  if (!choosesScopes(ctx)) return [uri];
  return [ctx.oidc.params?.resource ?? uri].flat().filter((one) => typeof one === 'string');
}

async function settleScopes(
  { config, clients }: ProviderDeps,
  ctx: KoaContextWithOIDC,
  resource: Resource,
  client: LibraryClient,
): Promise<void> {
  const params = ctx.oidc.params;
  if (!params) return;
  const { scopes } = chooseScopes({
    requested: typeof params.scope === 'string' ? params.scope : undefined,
    resource,
    client: await knownClient(clients, client.clientId),
    requireScope: config.oauth.require_scope,
  });
  params.scope = scopes.join(' ');
}

/**
 * @throws OAuthError invalid_dpop_proof where the resource takes bound tokens only and no proof was sent;
 *   temporarily_unavailable where DPoP is switched off, so that none could be bound
 */
export function requireProof(
  { config }: Pick<ProviderDeps, 'config'>,
  ctx: KoaContextWithOIDC,
  { dpop }: Resource,
): void {
  if (dpop !== 'required') return;
  if (!config.dpop.enabled) {
    throw new OAuthError(
      'temporarily_unavailable',
      'This resource only accepts DPoP-bound tokens, and DPoP is switched off at this server. Its operator must switch it on.',
      { headers: { 'Retry-After': '600' } },
    );
  }
  if (ctx.get('DPoP')) return;
  throw new OAuthError(
    'invalid_dpop_proof',
    'This resource only accepts DPoP-bound tokens. Send a DPoP proof with the token request (RFC 9449 section 5).',
  );
}
