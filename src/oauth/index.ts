/**
 * The protocol's words: error codes, URNs, scope strings, resource identifiers, redirect-URI rules and
 * well-known paths (RFC 6749, 8252, 8414, 8707). Pure; every room may use it.
 */
export { type ErrorCode, errorCodes, errorReference } from './error-codes.ts';
export { OAuthError, type OAuthErrorOptions } from './errors.ts';
export {
  appSchemes,
  checkRedirectUri,
  isLoopback,
  isOnThisComputer,
  type RedirectKind,
  type RedirectUriCheck,
  redirectHost,
  redirectHostKey,
  redirectUriMatches,
} from './redirect-uri.ts';
export { canonicalResource } from './resource-identifier.ts';
export { formatScope, identityScopes, isScopeToken, offlineAccess, parseScope } from './scope.ts';
export { isCleanText, safeDescription } from './text.ts';
export { clientAssertionType, grantTypes, tokenTypes } from './urns.ts';
export { wellKnownPath } from './well-known.ts';
