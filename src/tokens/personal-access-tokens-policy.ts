import { inWords, plainText } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { type Resource, type ScopeUser, scopesOfUser } from '../resources/index.ts';

/** Live tokens that one person may have. */
export const mostPersonalTokens = 100;
const longestName = 100;
/** Seconds; what nobody would choose on purpose. */
const shortestLife = 60;
const usualLife = 90 * 86_400;
/** How exactly the time of the last use is kept, in milliseconds: one write a minute and token at most. */
const useResolution = 60_000;

/** What a form or an API call has to correct. */
export type RefusedTokenField = 'name' | 'resource' | 'workspace' | 'scope' | 'expires' | 'account';

/** A personal access token that cannot be made, with the field to correct and a sentence to show beside it. */
export class PersonalTokenRefusal extends OAuthError {
  readonly field: RefusedTokenField;

  constructor(field: RefusedTokenField, sentence: string, status: 400 | 409 = 400) {
    super(codes[field], sentence, { status, detail: { field } });
    this.field = field;
  }
}

const codes = {
  name: 'invalid_request',
  resource: 'invalid_target',
  workspace: 'invalid_target',
  scope: 'invalid_scope',
  expires: 'invalid_request',
  account: 'access_denied',
} as const;

/** @returns the name as it is kept, without what cannot be shown @throws PersonalTokenRefusal */
export function checkTokenName(name: string): string {
  const kept = plainText(name);
  if (kept === '') throw new PersonalTokenRefusal('name', 'Give the token a name.');
  if (kept.length <= longestName) return kept;
  throw new PersonalTokenRefusal('name', `Shorten the name to ${longestName} characters.`);
}

/**
 * How long a token lives.
 *
 * @param expiresIn seconds; absent means 90 days, or the maximum where that is shorter
 * @param maximum seconds, `tokens.personal_access_max_ttl`
 * @throws PersonalTokenRefusal
 */
export function checkTokenLife(expiresIn: number | undefined, maximum: number): number {
  const life = expiresIn ?? Math.min(usualLife, maximum);
  if (Number.isSafeInteger(life) && life >= shortestLife && life <= maximum) return life;
  throw new PersonalTokenRefusal(
    'expires',
    `Choose an expiry between ${inWords(shortestLife)} and ${inWords(maximum)} from now, which is the longest that this server allows.`,
  );
}

/**
 * The lifetimes that a form offers, in seconds, shortest first: those that the policy allows, and its maximum.
 *
 * @param maximum seconds, `tokens.personal_access_max_ttl`
 */
export function offeredLives(maximum: number): { lives: number[]; usual: number } {
  const lives = [7, 30, 90, 180, 365].map((days) => days * 86_400);
  const allowed = lives.filter((life) => life < maximum);
  return { lives: [...allowed, maximum], usual: Math.min(usualLife, maximum) };
}

/**
 * Why no personal access token can be made for a resource; undefined where it can.
 * Attack: a bearer token where the operator demands proof of possession (RFC 9449).
 */
export function refusedResource(resource: Pick<Resource, 'uri' | 'dpop'>): string | undefined {
  const { uri, dpop } = resource;
  if (dpop === 'required') {
    return `${uri} takes only tokens that are bound to a key (DPoP), and a personal access token is bound to none. Connect with an app that supports DPoP.`;
  }
  return undefined;
}

/**
 * The workspace that a token says it is for.
 *
 * @throws PersonalTokenRefusal where the resource wants one and none is named, or the other way round
 */
export function checkTokenWorkspace(
  workspaceId: string | undefined,
  { uri, workspaceScoped }: Pick<Resource, 'uri' | 'workspaceScoped'>,
): string | undefined {
  if (workspaceScoped === (workspaceId !== undefined)) return workspaceId;
  throw new PersonalTokenRefusal(
    'workspace',
    workspaceScoped
      ? `${uri} is scoped to workspaces. Choose the one that the token is for.`
      : `${uri} knows no workspaces. Leave the workspace out.`,
  );
}

/** Who is no member sees the same as where there is no such workspace. */
export function noSuchWorkspace(): PersonalTokenRefusal {
  return new PersonalTokenRefusal(
    'workspace',
    'This account is a member of no such workspace. Choose another one.',
  );
}

/**
 * The resources that somebody can make a token for, with the scopes that it may have.
 *
 * @param user.workspaceRoles those in all of their workspaces
 */
export function resourcesFor(
  user: ScopeUser,
  resources: readonly Resource[],
): { resource: Resource; scopes: string[] }[] {
  return resources
    .filter((resource) => resource.enabled && refusedResource(resource) === undefined)
    .filter(({ workspaceScoped }) => !workspaceScoped || hasWorkspace(user))
    .map((resource) => ({ resource, scopes: ceilingOf(user, resource) }))
    .filter(({ scopes }) => scopes.length > 0);
}

/**
 * The scopes of a new token, in the resource's order: exactly those that were asked for. Attack: a scope
 * above the person's ceiling, posted by hand (TK12).
 *
 * @throws PersonalTokenRefusal naming the scope that is unknown or not allowed
 */
export function checkTokenScopes(
  requested: readonly string[],
  resource: Resource,
  user: ScopeUser,
): string[] {
  if (requested.length === 0) {
    throw new PersonalTokenRefusal('scope', 'Choose at least one thing that the token may do.');
  }
  const known = resource.scopes.map(({ name }) => name);
  const unknown = requested.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new PersonalTokenRefusal(
      'scope',
      `${resource.uri} has no scope ${shown(unknown)}. It has: ${known.join(' ')}`,
    );
  }
  const ceiling = ceilingOf(user, resource);
  const above = requested.filter((name) => !ceiling.includes(name));
  if (above.length === 0) return known.filter((name) => requested.includes(name));
  const left = ceiling.length > 0 ? `It may use: ${ceiling.join(' ')}` : 'It may use none.';
  throw new PersonalTokenRefusal(
    'scope',
    `This account may not use ${shown(above)} at ${resource.uri}. ${left}`,
  );
}

/**
 * What is left of a token's scopes now: it lives for months, in which the operator may demand DPoP at its
 * resource or take scopes away from its owner, or scope the resource to workspaces. Nothing left means that it is good for nothing.
 */
export function standingScopes(
  scopes: readonly string[],
  resource: Resource,
  user: ScopeUser,
): string[] {
  if (refusedResource(resource) !== undefined) return [];
  if (resource.workspaceScoped && !hasWorkspace(user)) return [];
  const ceiling = ceilingOf(user, resource);
  return scopes.filter((name) => ceiling.includes(name));
}

/** @returns whether the time of the last use is too old to be left as it is */
export function isUseStale(lastUsedAt: Date | null | undefined, now: Date): boolean {
  return !lastUsedAt || lastUsedAt < freshUse(now);
}

/** A last use since then is not written again. */
export function freshUse(now: Date): Date {
  return new Date(now.getTime() - useResolution);
}

function hasWorkspace({ workspaceRoles = [] }: ScopeUser): boolean {
  return workspaceRoles.length > 0;
}

/** Roles count where a workspace is granted, and nowhere else. */
function ceilingOf(user: ScopeUser, resource: Resource): string[] {
  const { workspaceRoles } = user;
  const roles = resource.workspaceScoped ? workspaceRoles : undefined;
  const allowed = scopesOfUser(resource, { ...user, workspaceRoles: roles });
  return resource.scopes.map(({ name }) => name).filter((name) => allowed.includes(name));
}

function shown(scopes: readonly string[]): string {
  return scopes
    .slice(0, 5)
    .map((scope) => scope.slice(0, 100))
    .join(' ');
}
