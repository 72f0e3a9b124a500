import { canonicalResource, parseScope, redirectUriMatches } from '../oauth/index.ts';
import type { Resource } from '../resources/index.ts';
import type { Difference } from './steps.ts';

/** What a request asked for, already without secrets. */
export interface Asked {
  responseType?: string | undefined;
  clientId?: string | undefined;
  redirectUri?: string | undefined;
  resource?: string | undefined;
  scope?: string | undefined;
  challengeMethod?: string | undefined;
  hasChallenge?: boolean | undefined;
  /** How the client authenticated. */
  authMethod?: string | undefined;
}

/** What would have been accepted. */
export interface Expected {
  resources: readonly Resource[];
  /** Of the client, where it is known. */
  redirectUris?: readonly string[] | undefined;
  authMethod?: string | undefined;
  /** Ceiling of the client's scopes. */
  scopeCeiling?: string | undefined;
  /** URIs that the client may ask for. */
  clientResources?: readonly string[] | undefined;
  /** At the token endpoint: what the code is bound to. */
  bound?: { clientId?: string; redirectUri?: string; resource?: string } | undefined;
}

/** Sent against expected, for an error of the authorization endpoint or of the token endpoint. Pure. */
export function differencesOf(error: string, asked: Asked, expected: Expected): Difference[] {
  if (expected.bound) return boundDifferences(error, asked, expected, expected.bound);
  switch (error) {
    case 'invalid_target':
      return [difference('resource', asked.resource, nearestResources(asked.resource, expected))];
    case 'invalid_scope':
      return [difference('scope', asked.scope, askableScopes(asked, expected))];
    case 'unsupported_response_type':
      return [difference('response_type', asked.responseType, ['code'])];
    case 'invalid_client':
      return clientDifferences(asked, expected);
    default:
      return requestDifferences(asked, expected);
  }
}

function difference(what: string, sent: string | undefined, expected: string[]): Difference {
  return { what, sent: sent ?? null, expected };
}

function clientDifferences(asked: Asked, { authMethod }: Expected): Difference[] {
  if (authMethod === undefined) return [difference('client_id', asked.clientId, [])];
  if (asked.authMethod === authMethod) return [];
  return [difference('token_endpoint_auth_method', asked.authMethod, [authMethod])];
}

/** Of a request that was refused as a whole: every parameter that is not as it should be. */
function requestDifferences(asked: Asked, { redirectUris }: Expected): Difference[] {
  const found: Difference[] = [];
  if (redirectUris && !redirectUriMatches(asked.redirectUri ?? '', redirectUris)) {
    found.push(
      difference('redirect_uri', asked.redirectUri, nearest(asked.redirectUri, redirectUris)),
    );
  }
  if (asked.hasChallenge === false) {
    found.push(difference('code_challenge', undefined, ['a PKCE challenge by S256']));
  } else if (asked.hasChallenge && asked.challengeMethod !== 'S256') {
    found.push(difference('code_challenge_method', asked.challengeMethod, ['S256']));
  }
  if (asked.responseType !== undefined && asked.responseType !== 'code') {
    found.push(difference('response_type', asked.responseType, ['code']));
  }
  return found;
}

function boundDifferences(
  error: string,
  asked: Asked,
  expected: Expected,
  bound: NonNullable<Expected['bound']>,
): Difference[] {
  if (error === 'invalid_client') return clientDifferences(asked, expected);
  const pairs = [
    ['client_id', asked.clientId, bound.clientId],
    ['redirect_uri', asked.redirectUri, bound.redirectUri],
    ['resource', asked.resource, error === 'invalid_target' ? bound.resource : undefined],
  ] as const;
  return pairs.flatMap(([what, sent, want]) =>
    want === undefined || sent === want || (sent === undefined && what !== 'redirect_uri')
      ? []
      : [difference(what, sent, [want])],
  );
}

function nearestResources(sent: string | undefined, expected: Expected): string[] {
  const { resources, clientResources } = expected;
  const allowed = clientResources?.flatMap((uri) => canonicalResource(uri) ?? []);
  const uris = resources
    .filter(({ enabled, source }) => enabled && source !== 'builtin')
    .filter(({ identifiers }) => !allowed || identifiers.some((one) => allowed.includes(one)))
    .map(({ uri }) => uri);
  return nearest(sent, uris);
}

function askableScopes({ resource }: Asked, { resources, scopeCeiling }: Expected): string[] {
  const canonical = resource === undefined ? undefined : canonicalResource(resource);
  const known = resources.find(({ identifiers }) => canonical && identifiers.includes(canonical));
  const names = (known?.scopes ?? []).map(({ name }) => name);
  if (scopeCeiling === undefined) return names;
  const ceiling = parseScope(scopeCeiling);
  return names.filter((name) => ceiling.includes(name));
}

/** The candidates that begin most like what was sent come first. */
export function nearest(sent: string | undefined, candidates: readonly string[]): string[] {
  const likeness = (candidate: string) => commonPrefix(sent ?? '', candidate);
  return [...candidates].sort((a, b) => likeness(b) - likeness(a));
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
