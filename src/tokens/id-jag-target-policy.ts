import { canonicalResource, identityScopes, offlineAccess, parseScope } from '../oauth/index.ts';
import {
  type ClientCeiling,
  chooseScopes,
  impliedScopes,
  mayAskFor,
  type Resource,
  type ScopeUser,
} from '../resources/index.ts';
import type { IdJag } from './id-jag-policy.ts';
import { IdJagRefusal } from './id-jag-refusals.ts';
import type { TrustedIssuer } from './trusted-issuer-row.ts';

type Ceilings = Pick<TrustedIssuer, 'clients' | 'resources' | 'scopes'>;

/**
 * The one resource that an assertion is for (EMA §7.6.2: registered here, bound to the audience).
 *
 * @param requested `resource` parameters of the request, which may only repeat it
 * @throws IdJagRefusal
 */
export function chooseAssertedResource(
  { resource: claim }: Pick<IdJag, 'resource'>,
  {
    requested,
    resolve,
    issuer,
    client,
  }: {
    requested: readonly string[];
    resolve: (uri: string) => Resource | undefined;
    issuer: Ceilings;
    client: ClientCeiling & { clientId: string };
  },
): Resource {
  const uri = Array.isArray(claim) && claim.length === 1 ? claim[0] : claim;
  const resource = typeof uri === 'string' ? resolve(uri) : undefined;
  if (!resource || resource.source === 'builtin') throw new IdJagRefusal('resource', claim);
  if (issuer.clients && !issuer.clients.includes(client.clientId)) {
    throw new IdJagRefusal('client_not_allowed', client.clientId);
  }
  if (issuer.resources && !issuer.resources.some((one) => names(resource, one))) {
    throw new IdJagRefusal('resource_not_allowed', resource.uri);
  }
  if (!mayAskFor(client, resource)) {
    throw new IdJagRefusal('resource_not_allowed_for_client', resource.uri);
  }
  const other = requested.find((one) => one !== '' && !names(resource, one));
  if (other === undefined) return resource;
  throw new IdJagRefusal('resource_mismatch', other, {
    error: 'invalid_target',
    description:
      'The assertion is for another resource. Leave resource out, or send the one that the assertion was issued for.',
  });
}

function names(resource: Resource, uri: string): boolean {
  const canonical = canonicalResource(uri);
  return canonical !== undefined && resource.identifiers.includes(canonical);
}

/**
 * The scopes of a token for an assertion: what the issuer wrote (or the defaults of the resource where it
 * wrote none), narrowed by the request, and cut by the ceilings of issuer, client and person.
 *
 * @param requested the `scope` parameter: narrows, never widens
 * @param user absent while nobody knows who the subject is
 * @param requireScope `oauth.require_scope`: somebody must name scopes
 * @throws IdJagRefusal invalid_grant where the assertion names nothing of the resource (EMA §7.6.2), or
 *   invalid_scope where nothing is left; OAuthError invalid_scope
 */
export function chooseAssertedScopes(
  { scope: claim }: Pick<IdJag, 'scope'>,
  {
    requested,
    resource,
    issuer,
    client,
    user,
    requireScope,
  }: {
    requested?: string | undefined;
    resource: Resource;
    issuer: Ceilings;
    client: ClientCeiling;
    user?: ScopeUser | undefined;
    requireScope: boolean;
  },
): string[] {
  const asked = ofResources(requested);
  const asserted = ofResources(claim);
  const known = new Set(resource.scopes.map(({ name }) => name));
  const granted =
    asserted.length > 0
      ? asserted.filter((name) => known.has(name))
      : chooseScopes({ resource, requireScope: requireScope && asked.length === 0 }).scopes;
  if (granted.length === 0) throw new IdJagRefusal('scope', claim);
  const within = reach(resource, granted);
  const trusted = issuer.scopes && reach(resource, issuer.scopes);
  const left = (asked.length > 0 ? asked : granted).filter(
    (name) => known.has(name) && within.has(name) && (trusted?.has(name) ?? true),
  );
  if (left.length === 0) throw nothingLeft(resource);
  return chooseScopes({ requested: left, resource, client, user, requireScope: false }).scopes;
}

function reach(resource: Resource, scopes: readonly string[]): Set<string> {
  return new Set(impliedScopes(resource, scopes));
}

/** Clients and issuers name these from habit; they are no scopes of a resource. */
function ofResources(scope: string | undefined): string[] {
  return parseScope(scope).filter((name) => name !== offlineAccess && !identityScopes.has(name));
}

function nothingLeft(resource: Resource): IdJagRefusal {
  return new IdJagRefusal('scope_not_allowed', undefined, {
    error: 'invalid_scope',
    description: `None of these scopes of ${resource.uri} is covered by the assertion and by what its issuer may grant here. Ask for fewer, or for none.`,
  });
}
