import type { Resource, ScopeUser } from '../../resources/index.ts';
import {
  authorityFor,
  type ExchangeCaller,
  type ExchangeSubject,
  isPerson,
  narrowedScopes,
  requireConsent,
  type StandingConsent,
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
  const consent = authority === 'consent' ? requireConsent(consentOf(question), target) : undefined;
  const consented = consent?.scopes;
  return {
    scopes: scopesForTarget({ ...asked, target, caller, consented, user: userOf(question) }),
    ...(consent ? { grantId: consent.id } : {}),
  };
}

/** Where a workspace is granted, the consent for the subject's: that for another one says nothing. */
function consentOf({ subject, target }: ExchangeQuestion): StandingConsent | undefined {
  const { consents, workspace_consents } = subject;
  return (target.workspaceScoped ? workspace_consents : consents)[target.uri];
}

/** Whose ceiling applies; a machine has that of its client only. */
function userOf({ subject, target }: ExchangeQuestion): ScopeUser | undefined {
  const { sub: id, username, groups, workspace_role } = subject;
  const workspaceRoles = target.workspaceScoped && workspace_role ? [workspace_role] : undefined;
  const user = { id, email: username ?? undefined, groups, workspaceRoles };
  return isPerson(subject) ? user : undefined;
}
