import {
  identityScopes,
  OAuthError,
  offlineAccess as offlineAccessScope,
  parseScope,
  safeDescription,
} from '../oauth/index.ts';
import type { AccessRule, Resource } from './resource.ts';
import { type ClientCeiling, mayAskFor } from './resource-policy.ts';

/** How many dropped scopes are kept for the log, and how much of each. */
const kept = { dropped: 50, characters: 100 };

/** Whose ceiling applies once somebody has signed in. */
export interface ScopeUser {
  id: string;
  email?: string | undefined;
  groups: readonly string[];
  /** Roles in the workspace that is granted; before one is chosen, in all of the person's workspaces. */
  workspaceRoles?: readonly string[] | undefined;
}

export interface ScopeChoice {
  /** What may be granted: names of the resource's scopes, implied ones not added. */
  scopes: string[];
  /** `offline_access` was asked for. */
  offlineAccess: boolean;
  /** Asked for and left out, made safe for a log; at most 50. */
  dropped: string[];
  /** Nothing was asked for, so the defaults of the resource were taken. */
  defaulted: boolean;
}

/**
 * What a request for scopes comes to at a resource (RFC 6749 §3.3): known ones, or the defaults
 * where none was asked for, cut by what the operator allows the client and the person.
 *
 * @param requested the `scope` parameter, or its parts
 * @param user absent before sign-in
 * @param requireScope `oauth.require_scope`
 * @throws OAuthError invalid_scope when nothing is left, saying why
 * @throws OAuthError invalid_target when the client may not ask for the resource
 */
export function chooseScopes({
  requested,
  resource,
  client,
  user,
  requireScope,
}: {
  requested?: string | readonly string[] | undefined;
  resource: Resource;
  client?: ClientCeiling | undefined;
  user?: ScopeUser | undefined;
  requireScope: boolean;
}): ScopeChoice {
  requireClientOf(resource, client);
  const asked = typeof requested === 'object' ? [...new Set(requested)] : parseScope(requested);
  const wanted = asked.filter((name) => name !== offlineAccessScope && !identityScopes.has(name));
  const defaulted = wanted.length === 0;
  if (defaulted && requireScope) throw missing(resource);
  const candidates = defaulted ? defaultScopes(resource) : knownScopes(wanted, resource);
  const scopes = cutByUser(cutByClient(candidates, resource, client), resource, user);
  const granted = new Set([...scopes, offlineAccessScope]);
  return {
    scopes,
    offlineAccess: asked.includes(offlineAccessScope),
    dropped: asked
      .filter((name) => !granted.has(name))
      .slice(0, kept.dropped)
      .map(loggable),
    defaulted,
  };
}

/** Defence in depth for callers that got the resource elsewhere than from `chooseResource`. */
function requireClientOf(resource: Resource, client: ClientCeiling | undefined): void {
  if (mayAskFor(client, resource)) return;
  throw new OAuthError(
    'invalid_target',
    `This client may not ask for the resource ${resource.uri}.`,
  );
}

function missing(resource: Resource): OAuthError {
  return new OAuthError(
    'invalid_scope',
    `scope is missing and this server requires it. Ask for some of: ${names(resource).join(' ')}`,
  );
}

function names(resource: Resource): string[] {
  return resource.scopes.map(({ name }) => name);
}

function defaultScopes(resource: Resource): string[] {
  const all = names(resource);
  return resource.defaultScopes?.filter((name) => all.includes(name)) ?? all;
}

function knownScopes(wanted: readonly string[], resource: Resource): string[] {
  const all = new Set(names(resource));
  const known = wanted.filter((name) => all.has(name));
  if (known.length > 0) return known;
  throw new OAuthError(
    'invalid_scope',
    `None of the requested scopes is known at ${resource.uri}. Ask for some of: ${[...all].join(' ')}`,
  );
}

function cutByClient(
  scopes: readonly string[],
  resource: Resource,
  client: ClientCeiling | undefined,
): string[] {
  if (client?.scope === undefined) return [...scopes];
  const ceiling = parseScope(client.scope);
  const allowed = new Set(impliedScopes(resource, ceiling));
  const left = scopes.filter((name) => allowed.has(name));
  if (left.length > 0) return left;
  const known = names(resource).filter((name) => allowed.has(name));
  const hint = known.length > 0 ? `It may ask for: ${known.join(' ')}` : 'It may ask for none.';
  throw new OAuthError(
    'invalid_scope',
    `The operator allows this client none of these scopes of ${resource.uri}. ${hint}`,
  );
}

function cutByUser(
  scopes: readonly string[],
  resource: Resource,
  user: ScopeUser | undefined,
): string[] {
  if (!user) return [...scopes];
  const allowed = new Set(scopesOfUser(resource, user));
  const left = scopes.filter((name) => allowed.has(name));
  if (left.length > 0) return left;
  throw new OAuthError(
    'invalid_scope',
    `The person who signed in may use none of these scopes of ${resource.uri}. The operator of the server decides who may.`,
  );
}

/**
 * The scopes of a resource that a person may consent to: those of all rules in `access` that match,
 * and what they imply. Without any rule everybody may consent to everything.
 */
export function scopesOfUser(resource: Resource, user: ScopeUser): string[] {
  if (resource.access.length === 0) return names(resource);
  const allowed = resource.access.filter((rule) => matches(rule, user));
  return impliedScopes(
    resource,
    allowed.flatMap(({ scopes }) => scopes),
  );
}

/** Whether the operator gave rights to the person with an e-mail address, by that address. */
export function namesPerson({ access }: Pick<Resource, 'access'>, email: string): boolean {
  return access.some(({ users = [] }) => users.some((name) => isAddress(name, email)));
}

function isAddress(name: string, email: string | undefined): boolean {
  return name.toLowerCase() === email?.toLowerCase();
}

function matches({ users = [], groups = [], roles = [] }: AccessRule, user: ScopeUser): boolean {
  if (users.length + groups.length + roles.length === 0) return true;
  return (
    users.some((name) => name === user.id || isAddress(name, user.email)) ||
    groups.some((group) => user.groups.includes(group)) ||
    roles.some((role) => user.workspaceRoles?.includes(role))
  );
}

/**
 * Granted scopes and all that they imply, step by step. For checking a token against what a tool
 * needs; a token itself lists what was granted.
 */
export function impliedScopes(resource: Resource, scopes: readonly string[]): string[] {
  const implies = new Map(resource.scopes.map((scope) => [scope.name, scope.implies]));
  const reached = new Set(scopes);
  // A Set hands out what is added while it is walked, so cycles end and chains are followed.
  for (const name of reached) for (const next of implies.get(name) ?? []) reached.add(next);
  return [...reached];
}

function loggable(scope: string): string {
  return safeDescription(scope.slice(0, kept.characters));
}
