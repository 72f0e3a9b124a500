import {
  formatScope,
  identityScopes,
  OAuthError,
  offlineAccess,
  parseScope,
} from '../oauth/index.ts';
import { chooseScopes, impliedScopes, type Resource, type ScopeUser } from '../resources/index.ts';
import type { ExchangeCaller } from './token-exchange-policy.ts';

/** What somebody asks of a token that is exchanged. */
export interface ExchangeScopes {
  /** The `scope` parameter. */
  requested: string | undefined;
  /** `scope` of the subject token. */
  held: string;
  /** The resource that the subject token is for. */
  source: Resource;
}

/**
 * Scopes of a token for the subject's own resource: those asked for, each of which the subject has or
 * implies; all of the subject's where none was asked for (RFC 8693 §2.1).
 *
 * @throws OAuthError invalid_scope when more is asked for than the subject has
 */
export function narrowedScopes({ requested, held, source }: ExchangeScopes): string[] {
  const own = parseScope(held);
  const asked = meaningful(requested);
  if (asked.length === 0) return own;
  const reach = new Set(impliedScopes(source, own));
  if (asked.every((name) => reach.has(name))) return asked;
  throw new OAuthError(
    'invalid_scope',
    `An exchange never widens: the subject_token has only ${formatScope(own)}. Ask for some of these, or leave scope out.`,
  );
}

/**
 * Scopes of a token for another resource: of those asked for, what the consent of the user (or the
 * operator's policy) covers and the ceilings of client and user allow. Without a request it is all that
 * is authorised: the consent's scopes, or by the operator's policy the defaults of the target. A scope
 * that both resources have is passed on only where the subject has it: an exchange never widens.
 *
 * @param consented scopes of the user's consent; undefined under the operator's policy
 * @param user whose ceiling applies; undefined for a machine
 * @throws OAuthError invalid_scope when nothing is left
 */
export function scopesForTarget({
  requested,
  held,
  source,
  target,
  caller,
  consented,
  user,
}: ExchangeScopes & {
  target: Resource;
  caller: ExchangeCaller;
  consented: readonly string[] | undefined;
  user: ScopeUser | undefined;
}): string[] {
  const asked = meaningful(requested);
  if (asked.length === 0 && consented?.length === 0) throw nothingLeft(target);
  const { scopes } = chooseScopes({
    requested: asked.length > 0 ? asked : (consented ?? []),
    resource: target,
    client: caller,
    user,
    requireScope: false,
  });
  const covered = consented && new Set(impliedScopes(target, consented));
  const left = scopes
    .filter((name) => covered?.has(name) ?? true)
    .filter((name) => !isHeldBack(name, parseScope(held), source));
  if (left.length > 0) return left;
  throw nothingLeft(target);
}

/** A scope of the source too, which the subject was not given. */
function isHeldBack(name: string, held: readonly string[], source: Resource): boolean {
  const shared = source.scopes.some((scope) => scope.name === name);
  return shared && !impliedScopes(source, held).includes(name);
}

/** Without those that mean nothing to a resource; no refresh token comes of an exchange. */
function meaningful(requested: string | undefined): string[] {
  return parseScope(requested).filter(
    (name) => name !== offlineAccess && !identityScopes.has(name),
  );
}

function nothingLeft({ uri }: Resource): OAuthError {
  return new OAuthError(
    'invalid_scope',
    `None of the requested scopes is allowed here for ${uri}: neither the subject_token nor the consent of the user covers them. Ask for less, or send the user through the authorization endpoint to allow more.`,
  );
}
