import { OAuthError, wellKnownPath } from '../oauth/index.ts';
import { apiResourceUri } from '../resources/index.ts';
import type { ApiScope } from './caller.ts';

/** What a refused caller is told to get. */
export interface Challenge {
  issuer: string;
  scope: ApiScope;
}

type Code = 'invalid_token' | 'insufficient_scope' | 'invalid_dpop_proof';

/**
 * A refusal with its challenge (RFC 6750 §3, RFC 9728 §5.1): where the metadata is, and which scope to ask for.
 *
 * @param error none where no token was sent: then it says nothing but what to get (RFC 6750 §3.1)
 * @param scheme in which the caller is answered; Bearer unless it used DPoP (RFC 9449 §7.1)
 */
export function refuse(
  { issuer, scope }: Challenge,
  error?: Code,
  description = 'Send an access token for this API in the Authorization header.',
  scheme: 'Bearer' | 'DPoP' = 'Bearer',
): OAuthError {
  const parameters = [
    `resource_metadata="${metadataUrl(issuer)}"`,
    `scope="${scope}"`,
    ...(error ? [`error="${error}"`, `error_description="${description}"`] : []),
    ...(scheme === 'DPoP' ? ['algs="ES256 EdDSA PS256 RS256"'] : []),
  ];
  return new OAuthError(error ?? 'invalid_token', description, {
    headers: { 'WWW-Authenticate': `${scheme} ${parameters.join(', ')}` },
    status: error === 'insufficient_scope' ? 403 : 401,
  });
}

function metadataUrl(issuer: string): string {
  const { inserted } = wellKnownPath('oauth-protected-resource', apiResourceUri(issuer));
  return new URL(inserted, issuer).href;
}
