import { canonicalResource, OAuthError } from '../oauth/index.ts';
import {
  type ClientCeiling,
  chooseResource,
  mayAskFor,
  type Resource,
} from '../resources/index.ts';
import type { IssuedToken } from './exchange.ts';

/** The client that asks, and what the operator lets it ask for. */
export interface ExchangeCaller extends ClientCeiling {
  clientId: string;
}

/** What lets a caller have a token for a target. */
export type ExchangeAuthority = 'same_resource' | 'consent' | 'operator';

/** Why a presented token is no subject; the caller is not told which. */
type SubjectFault =
  | 'not_a_live_token_of_ours'
  | 'not_an_access_token'
  | 'expired'
  | 'resource_not_registered'
  | 'caller_is_neither_its_client_nor_in_its_audience';

/**
 * The subject of an exchange: a live access token (JWT, opaque, personal or workspace credential) that the caller has a right
 * to hold: it was issued to the caller, or for a resource that the caller is. Attack: a confused deputy,
 * who sends in a token that was meant for somebody else (RFC 8693 §5, threat T13). Whatever is wrong, the
 * answer is the same, so that nobody probes tokens of others here.
 *
 * @param found the record that the presented value led to, verified and alive
 * @param audience the registered resource that it is for
 * @throws OAuthError invalid_request (§2.2.2), with the reason in its detail
 */
export function requireSubject<Subject extends IssuedToken>({
  found,
  caller,
  audience,
  now,
}: {
  found: Subject | undefined;
  caller: ExchangeCaller;
  audience: Resource | undefined;
  now: Date;
}): { subject: Subject; source: Resource } {
  const fault = faultOf(found, caller, audience, now);
  if (found && audience && !fault) return { subject: found, source: audience };
  throw new OAuthError(
    'invalid_request',
    'subject_token is not a live access token of this server that this client may exchange. Send one that was issued to this client, or for a resource that it is bound to.',
    { detail: { reason: fault, subject_jti: found?.jti } },
  );
}

function faultOf(
  found: IssuedToken | undefined,
  caller: ExchangeCaller,
  audience: Resource | undefined,
  now: Date,
): SubjectFault | undefined {
  if (!found?.alive) return 'not_a_live_token_of_ours';
  if (found.kind === 'refresh_token') return 'not_an_access_token';
  if (secondsLeft(found, now) < 1) return 'expired';
  if (!audience?.enabled) return 'resource_not_registered';
  const own = found.client_id === caller.clientId;
  if (!own && !audience.clients.includes(caller.clientId)) {
    return 'caller_is_neither_its_client_nor_in_its_audience';
  }
  return undefined;
}

/**
 * Who acts, where the request says so: one of our own live tokens, issued to the caller itself and not
 * delegated to it, since its actors would be lost.
 *
 * @throws OAuthError invalid_request (§2.2.2), with the reason in its detail
 */
export function requireActor(
  found: IssuedToken | undefined,
  caller: ExchangeCaller,
  now: Date,
): IssuedToken {
  const live = found?.alive && found.kind === 'access_token' && secondsLeft(found, now) >= 1;
  // Attack: a token of a user, got by impersonation, named as the actor in place of the client itself.
  const isOwn = found?.client_id === caller.clientId && found.sub === caller.clientId;
  if (live && isOwn && !found.claims?.act) return found;
  const reason = live ? 'not_the_own_token_of_the_caller' : 'not_a_live_token_of_ours';
  throw new OAuthError(
    'invalid_request',
    'actor_token is not a live access token that was issued to this client for itself. Leave it out, and the client is the actor.',
    { detail: { reason, actor_jti: found?.jti } },
  );
}

/**
 * The one resource that the new token is for: `resource`, or `audience` with a resource's URI or slug
 * (§2.1); without either, the subject token's own.
 *
 * @throws OAuthError invalid_target when one is unknown, or when they differ
 */
export function chooseTarget({
  resource,
  audience,
  source,
  resources,
}: {
  resource: readonly string[];
  audience: readonly string[];
  source: Resource;
  resources: readonly Resource[];
}): Resource {
  const named = audience.filter((name) => name !== '').map((name) => uriOf(name, resources));
  const requested = [...resource.filter((uri) => uri !== ''), ...named];
  return requested.length === 0 ? source : chooseResource({ requested, resources });
}

function uriOf(name: string, resources: readonly Resource[]): string {
  const bySlug = resources.find(({ enabled, slug }) => enabled && slug === name);
  if (bySlug) return bySlug.uri;
  if (canonicalResource(name) !== undefined) return name;
  throw new OAuthError(
    'invalid_target',
    'audience names no resource that is registered here. Send its URI or its short name, or send resource instead.',
  );
}

/**
 * Whether the caller may have a token for the target, and by what right. The subject's own resource
 * needs no policy; any other one needs an entry in its `exchange.clients`, and the consent of the user or
 * a standing policy of the operator (`exchange.consent`).
 * Does NOT look whether the consent was given: see {@link requireConsent}.
 *
 * @throws OAuthError invalid_target (§2.2.2)
 */
export function authorityFor({
  subject,
  source,
  target,
  caller,
}: {
  subject: Pick<IssuedToken, 'username' | 'workspace_id'>;
  source: Resource;
  target: Resource;
  caller: ExchangeCaller;
}): ExchangeAuthority {
  requireWorkspace(subject, target);
  if (target.uri === source.uri) return 'same_resource';
  if (!target.exchange?.clients.includes(caller.clientId) || !mayAskFor(caller, target)) {
    throw refusedTarget(
      `This client may not exchange tokens for ${target.uri}. The operator lists who may in exchange.clients of that resource.`,
      'not_in_exchange_clients',
    );
  }
  if (target.exchange.consent === 'operator') return 'operator';
  if (isPerson(subject)) return 'consent';
  throw refusedTarget(
    `${target.uri} asks for the consent of a user, and no user stands behind the subject_token.`,
    'machine_cannot_consent',
  );
}

/** A workspace is chosen by a person at consent: an exchange keeps the one that it finds, and chooses none. */
function requireWorkspace(
  { workspace_id }: Pick<IssuedToken, 'workspace_id'>,
  target: Resource,
): void {
  if (!target.workspaceScoped || workspace_id) return;
  throw refusedTarget(
    `${target.uri} is scoped to workspaces, and the subject_token is for none. Exchange a token that carries workspace_id.`,
    'workspace_scoped',
  );
}

/**
 * The consent of the subject to the caller's use of the target.
 *
 * @throws OAuthError invalid_target that says where consent is given
 */
export function requireConsent<C>(consent: C | undefined, target: Resource): C {
  if (consent !== undefined) return consent;
  throw refusedTarget(
    `The user has not allowed this client to use ${target.uri}${target.workspaceScoped ? ' in this workspace' : ''}. Send the user through the authorization endpoint with that resource first.`,
    'consent_missing',
  );
}

/** Whether a person stands behind a token, not a machine. */
export function isPerson({ username }: Pick<IssuedToken, 'username'>): boolean {
  return username !== null;
}

/**
 * Seconds that the new token lives: as the target's tokens do, and never longer than what it was
 * exchanged from.
 *
 * @param ttl that of the target's access tokens, in seconds
 * @param parents the subject token and the actor token
 * @returns whole seconds, at least 1 for parents that {@link requireSubject} let through
 */
export function exchangeLifetime(
  ttl: number,
  parents: readonly Pick<IssuedToken, 'expires_at'>[],
  now: Date,
): number {
  return Math.min(ttl, ...parents.map((parent) => secondsLeft(parent, now)));
}

/**
 * The key that the request must prove, because a parent is bound to it: binding is never lost on the way
 * (RFC 9449 §5, threat T13).
 *
 * @throws OAuthError invalid_request when the parents are bound to two keys
 */
export function keyToProve(parents: readonly Pick<IssuedToken, 'jkt'>[]): string | undefined {
  const keys = new Set(parents.flatMap(({ jkt }) => jkt ?? []));
  const [key, other] = keys;
  if (other === undefined) return key;
  throw new OAuthError(
    'invalid_request',
    'subject_token and actor_token are bound to different keys, and a request can prove one. Leave actor_token out.',
  );
}

/** Whole seconds on the clock of JWTs, which know no fractions. */
function secondsLeft({ expires_at }: Pick<IssuedToken, 'expires_at'>, now: Date): number {
  return Math.floor(expires_at.getTime() / 1000) - Math.ceil(now.getTime() / 1000);
}

function refusedTarget(description: string, reason: string): OAuthError {
  return new OAuthError('invalid_target', description, { detail: { reason } });
}
