import type { Fields } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { authorizationForm } from './authorize.ts';
import type { ProviderDeps } from './deps.ts';

/** Longest pushed request, in bytes: anybody can have one stored for a while. */
export const longestPush = 16 * 1024;

/**
 * A pushed request as the library shall see it (RFC 9126 §2.1): what an authorization request may carry,
 * and the client's credentials.
 *
 * @throws OAuthError invalid_request for a push that refers to another one
 */
export function pushForm(deps: ProviderDeps, sent: Fields): Fields {
  if (sent.request_uri !== undefined) {
    throw new OAuthError(
      'invalid_request',
      'A pushed request must not have a request_uri (RFC 9126 section 2.1). Send the parameters themselves.',
    );
  }
  return authorizationForm(deps, sent);
}
