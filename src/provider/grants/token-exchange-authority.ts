import type { Resource, ScopeUser } from '../../resources/index.ts';
import {
  authorityFor,
  type ExchangeCaller,
  type ExchangeSubject,
  isPerson,
  narrowedScopes,
  requireConsent,
  scopesForTarget,
} from '../../tokens/index.ts';

export interface ExchangeQuestion {
  caller: ExchangeCaller;
  subject: ExchangeSubject;
  /** The resource of the subject token. */
  source: Resource;
  target: Resource;
  /** The `scope` parameter. */
  requested: string | undefined;
}

/** What the new token may say, and the consent that it ends with, if it hangs on one. */
export interface ExchangeAnswer {
  scopes: string[];
  grantId?: string;
}

/**
 * Scopes of the new token (RFC 8693 §2.1, §2.2.2): narrowed for the subject's own resource; for another
 * one by the user's consent or the operator's policy.
 *
 * @throws OAuthError invalid_target, invalid_scope
 */
export function authorizeExchange(question: ExchangeQuestion): ExchangeAnswer {
  const { caller, subject, source, target, requested } = question;
  const authority = authorityFor(question);
  const asked = { requested, held: subject.scope, source };
  if (authority === 'same_resource') return { scopes: narrowedScopes(asked) };
  const consent =
    authority === 'consent' ? requireConsent(subject.consents[target.uri], target) : undefined;
  const consented = consent?.scopes;
  return {
    scopes: scopesForTarget({ ...asked, target, caller, consented, user: userOf(subject) }),
    ...(consent ? { grantId: consent.id } : {}),
  };
}

/** Whose ceiling applies; a machine has that of its client only. */
function userOf(subject: ExchangeSubject): ScopeUser | undefined {
  const { sub: id, username, groups } = subject;
  return isPerson(subject) ? { id, email: username ?? undefined, groups } : undefined;
}
