import type { Fields } from '../http/index.ts';
import { grantTypes, identityScopes, offlineAccess } from '../oauth/index.ts';
import { registeredUris } from './authorize.ts';
import type { ProviderDeps } from './deps.ts';

/** Longest form of the token endpoint, in bytes: a token that is far too long is a wrong one, not an error. */
export const longestTokenForm = 1536 * 1024;
/** Longest code or token that is looked up, in characters; ours are far shorter. */
const longestSecret = 8192;

/** A token request as the library shall see it: resources by their registered URI (RFC 8707 §2.2). */
export function tokenForm(resources: ProviderDeps['resources'], sent: Fields): Fields {
  const { grant_type, code, refresh_token, resource, scope } = sent;
  return {
    ...sent,
    code: withinReach(code),
    refresh_token: withinReach(refresh_token),
    device_code: withinReach(sent.device_code),
    assertion: withinReach(sent.assertion),
    client_assertion: withinReach(sent.client_assertion),
    subject_token: withinReach(sent.subject_token),
    actor_token: withinReach(sent.actor_token),
    resource: resource === undefined ? undefined : registeredUris(resources, resource),
    scope: grant_type === grantTypes.refreshToken ? withoutIdentity(scope) : scope,
  };
}

/** What is longer than any of ours is unknown, not an error; the library reads no body above 56 kB. */
function withinReach(secret: Fields[string]): Fields[string] {
  return typeof secret === 'string' && secret.length > longestSecret ? 'oversized' : secret;
}

/** Clients repeat at a refresh what they once asked for; these never were scopes of a resource. */
function withoutIdentity(scope: Fields[string]): Fields[string] {
  if (typeof scope !== 'string') return scope;
  const kept = scope
    .split(' ')
    .filter((name) => name !== offlineAccess && !identityScopes.has(name));
  return kept.join(' ');
}
