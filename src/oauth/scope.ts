/** Asks for a refresh token; we issue those by grant type, so it is accepted and means nothing more. */
export const offlineAccess = 'offline_access';

/**
 * Scopes of OpenID Connect that clients send from habit (they alone count as a missing
 * scope). We are no OpenID provider.
 */
export const identityScopes: ReadonlySet<string> = new Set([
  'openid',
  'profile',
  'email',
  'phone',
  'address',
]);

/**
 * Splits a `scope` parameter at spaces (RFC 6749 §3.3) and drops duplicates. Does NOT check that the
 * parts are scope tokens: unknown ones are dropped where the known ones are picked.
 */
export function parseScope(scope: string | undefined): string[] {
  return [...new Set((scope ?? '').split(' '))].filter((token) => token !== '');
}

/** The `scope` value of a list, in its order. */
export function formatScope(scopes: readonly string[]): string {
  return scopes.join(' ');
}

/** Whether a text is a `scope-token`: printable ASCII but space, quote and backslash (RFC 6749 §3.3). */
export function isScopeToken(text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text);
}
