import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { isRecord } from './record.ts';
import { Refusal } from './refusal.ts';

/** What a verified access token says. */
export type AccessToken = {
  clientId: string;
  scopes: string[];
  /** Epoch seconds. */
  expiresAt: number;
  /** Thumbprint of the DPoP key that must accompany it (`cnf.jkt`). */
  boundTo: string | undefined;
  claims: Record<string, unknown>;
};

/**
 * How a token is verified. It does NOT check DPoP nor scopes.
 * @throws Refusal invalid_token, or temporarily_unavailable when that cannot be told
 */
export type VerifyToken = (token: string) => Promise<AccessToken>;

/** Signature algorithms that are accepted: asymmetric ones only, never `none` or HMAC. */
export const signingAlgorithms = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256'];

/** Seconds by which our clock and the issuer's may differ. */
export const skewSeconds = 5;

/** Verifies JWT access tokens as RFC 9068 §4 says: typ, signature, iss, aud, exp, nbf and the required claims. */
export function jwtVerifier(
  { issuer, resource }: { issuer: string; resource: string },
  deps: { key: JWTVerifyGetKey; now: () => Date },
): VerifyToken {
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, deps.key, {
        issuer,
        audience: resource,
        typ: 'at+jwt',
        algorithms: signingAlgorithms,
        clockTolerance: skewSeconds,
        currentDate: deps.now(),
        requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
      });
      return accessToken(payload, resource);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new Refusal('invalid_token', sentence(error), { cause: error });
    }
  };
}

function accessToken(claims: JWTPayload, resource: string): AccessToken {
  const { aud, exp, sub, client_id: clientId, scope = '' } = claims;
  // A token for several audiences could be replayed by any of them against the others (RFC 9068 §5).
  if (Array.isArray(aud) && aud.some((one) => one !== resource)) {
    throw new Refusal('invalid_token', 'The access token is for more than this MCP server');
  }
  if (typeof sub !== 'string' || typeof clientId !== 'string' || typeof scope !== 'string') {
    throw new Refusal('invalid_token', 'The access token has malformed claims');
  }
  if (exp === undefined) throw new Refusal('invalid_token', 'The access token does not expire');
  return {
    clientId,
    scopes: scopeList(scope),
    expiresAt: exp,
    boundTo: boundKey(claims.cnf),
    claims,
  };
}

/** RFC 6749 §3.3. */
export const scopeList = (scope: string) => scope.split(' ').filter((one) => one !== '');

/** RFC 7800 §3.1: a confirmation that is not understood must not be ignored. */
export function boundKey(cnf: unknown): string | undefined {
  if (cnf === undefined) return undefined;
  if (isRecord(cnf) && typeof cnf.jkt === 'string' && Object.keys(cnf).length === 1) return cnf.jkt;
  throw new Refusal('invalid_token', 'The access token is bound to a key in an unknown way');
}

function sentence(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'The access token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return claimSentence(error.claim);
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return 'The signature of the access token does not verify';
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return 'The authorization server has no key for this access token';
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return 'The access token is signed with an algorithm that is not accepted';
  }
  return 'The access token is not a well-formed JWT';
}

function claimSentence(claim: string): string {
  switch (claim) {
    case 'aud':
      return 'The access token is for another audience';
    case 'iss':
      return 'The access token is from another issuer';
    case 'typ':
      return 'The token is not a JWT access token (typ at+jwt)';
    case 'nbf':
      return 'The access token is not valid yet';
    default:
      return 'The access token lacks a claim or has a malformed one';
  }
}
