import type { z } from 'zod';
import type { Ending } from '../audit/index.ts';
import { parseScope } from '../oauth/index.ts';
import type { Resource } from '../resources/index.ts';
import { credentialScopes, type IssuanceFacts, standingScopes } from '../tokens/index.ts';
import type { inspectionReason } from './contract/inspector.ts';

export type Reason = z.input<typeof inspectionReason>;

/** Everything that is wrong with an issued token, from the state of what it hangs on. */
export function reasonsOf(
  facts: IssuanceFacts,
  about: { now: Date; ending: Ending | undefined; resource: Resource | undefined },
): Reason[] {
  return [
    ...ownEnd(facts, about),
    ...endOfAuthorization(facts, about.ending),
    ...endOfPeople(facts),
    ...endOfResource(facts, about.resource),
  ];
}

function ownEnd(facts: IssuanceFacts, { now, ending }: { now: Date; ending: Ending | undefined }) {
  const reasons: Reason[] = [];
  if (facts.expires_at <= now) {
    reasons.push(reason('expired', 'It has expired.', facts.expires_at));
  }
  if (facts.consumed_at) {
    const detail =
      'This refresh token was exchanged for its successor. A client uses the newest one.';
    reasons.push(reason('used', detail, facts.consumed_at));
  }
  if (facts.revoked_at) {
    const detail = `It was revoked${by(ending)}.`;
    reasons.push(reason('revoked', detail, facts.revoked_at, `/issuances/${facts.jti}`));
  }
  if (facts.parent_alive === false) {
    const detail = 'The token that it was exchanged from, or one before that, has ended.';
    const link = facts.parent_jti === null ? null : `/issuances/${facts.parent_jti}`;
    reasons.push(reason('parent_ended', detail, null, link));
  }
  return reasons;
}

function endOfAuthorization(facts: IssuanceFacts, ending: Ending | undefined): Reason[] {
  const reasons: Reason[] = [];
  if (facts.grant_revoked_at || (facts.grant_id !== null && !facts.grant_known)) {
    const detail =
      'The person, or somebody for them, withdrew what they had granted to the client.';
    const link = facts.grant_id === null ? null : `/grants/${facts.grant_id}`;
    reasons.push(reason('grant_revoked', detail, facts.grant_revoked_at, link));
  }
  if (facts.family_revoked_at) {
    const detail = `The authorization that it belongs to was ended${by(ending)}.`;
    reasons.push(reason('authorization_ended', detail, facts.family_revoked_at));
  } else if (facts.family_id !== null && !facts.family_known) {
    const detail = 'The authorization that it belongs to is over and its record was removed.';
    reasons.push(reason('authorization_ended', detail, null));
  }
  return reasons;
}

function endOfPeople(facts: IssuanceFacts): Reason[] {
  const reasons: Reason[] = [];
  const client =
    facts.client_id === null ? null : `/clients/${encodeURIComponent(facts.client_id)}`;
  if (facts.client_id !== null && facts.client_status === null) {
    reasons.push(
      reason('client_gone', 'The client that it was issued to is not registered any more.'),
    );
  } else if (facts.client_status === 'suspended') {
    reasons.push(
      reason('client_suspended', 'The client that it was issued to is suspended.', null, client),
    );
  }
  if (!facts.sub.startsWith('usr_')) return reasons;
  if (facts.user_status === null) {
    reasons.push(reason('person_gone', 'The account of the person was removed.'));
  } else if (facts.user_status !== 'active') {
    const detail = 'The account of the person is disabled.';
    reasons.push(reason('person_disabled', detail, null, `/users/${facts.sub}`));
  }
  return reasons;
}

/** Kinds that live long, so that their scope follows what their person may use now. */
const longLived = ['personal_access_token', 'workspace_credential'];

/** What introspection would say that a token may do. */
export function scopesNow(facts: IssuanceFacts, resource: Resource | undefined): string[] {
  const scopes = parseScope(facts.scope);
  if (!longLived.includes(facts.kind)) return scopes;
  if (!resource) return [];
  const person = {
    ...{ id: facts.sub, email: facts.email ?? undefined, groups: facts.groups ?? [] },
    workspaceRoles: facts.workspace_role ? [facts.workspace_role] : [],
  };
  return facts.kind === 'workspace_credential'
    ? credentialScopes(resource, person)
    : standingScopes(scopes, resource, person);
}

/** A token that lives long is cut to what its owner may use at this time. */
function endOfResource(facts: IssuanceFacts, resource: Resource | undefined): Reason[] {
  if (!longLived.includes(facts.kind)) return [];
  if (!resource) {
    const detail = 'The resource that it is for is not registered any more.';
    return [reason('resource_gone', detail, null, '/resources')];
  }
  if (scopesNow(facts, resource).length > 0) return [];
  const detail = 'Its owner may use none of its scopes any more.';
  return [reason('scope_gone', detail, null, '/resources')];
}

/** Who ended it, as the audit log tells. */
function by(ending: Ending | undefined): string {
  if (!ending) return '';
  const why = ending.detail.reason;
  const because: Record<string, string> = {
    consent_revoked: ' because the consent was withdrawn',
    refresh_token_reused: ' because its refresh token was used again after it had been exchanged',
    auth_code_reused: ' because its authorization code came a second time',
    client_removed: ' because its client was removed',
    user_disabled: ' because its person was disabled',
  };
  const who = ending.actorId === null ? ending.actorKind : `${ending.actorKind} ${ending.actorId}`;
  const words = because[ending.type] ?? (typeof why === 'string' ? ` (${why})` : '');
  return `${words}, by ${who}`;
}

export function reason(
  id: Reason['id'],
  detail: string,
  at: Date | null = null,
  link: string | null = null,
): Reason {
  return { id, detail, at: at?.toISOString() ?? null, link };
}
