import type { Introspect } from './introspection.ts';
import { type AccessToken, boundKey, scopeList, skewSeconds, type VerifyToken } from './jwt.ts';
import { Refusal } from './refusal.ts';
import { tokenShape } from './token-shape.ts';

/** Seconds that a token without an end is said to be good for: the MCP SDK refuses one that does not expire. */
const endlessSeconds = 300;

type Expected = { issuer: string; resource: string };

/**
 * Verifies tokens of every kind: JWTs by their signature, all others by asking.
 * @param introspect absent: JWTs only
 * @param askAboutJwts ask about JWTs as well, after their signature was checked
 */
export function tokenVerifier(
  expected: Expected,
  deps: {
    verifyJwt: VerifyToken;
    introspect: Introspect | undefined;
    askAboutJwts: boolean;
    now: () => Date;
  },
): VerifyToken {
  const { verifyJwt, introspect, askAboutJwts, now } = deps;
  return async (token) => {
    const shape = tokenShape(token);
    if (!introspect) return verifyJwt(token);
    if (shape === 'unknown') {
      throw new Refusal('invalid_token', 'The access token is malformed or was cut short');
    }
    if (shape !== 'jwt') return introspected(await introspect(token, shape), expected, now());
    const verified = await verifyJwt(token);
    if (!askAboutJwts) return verified;
    const told = introspected(await introspect(token, shape), expected, now());
    return {
      ...told,
      boundTo: verified.boundTo ?? told.boundTo,
      claims: { ...verified.claims, ...told.claims },
    };
  };
}

/**
 * What an introspection answer says of the token (RFC 7662 §2.2), checked as a JWT's claims are.
 * @throws Refusal invalid_token
 */
export function introspected(
  answer: Readonly<Record<string, unknown>>,
  { issuer, resource }: Expected,
  now: Date,
): AccessToken {
  const { active, ...claims } = answer;
  if (active !== true) {
    throw invalid('The access token is not active: expired, revoked, or not for this MCP server');
  }
  const { iss, aud, sub, client_id: clientId = sub, scope = '', exp, nbf, token_type } = claims;
  if (iss !== undefined && iss !== issuer) throw invalid('The access token is from another issuer');
  if (!isFor(aud, resource)) throw invalid('The access token is for another audience');
  if (typeof sub !== 'string' || typeof clientId !== 'string' || typeof scope !== 'string') {
    throw invalid('The access token has malformed claims');
  }
  const seconds = now.getTime() / 1000;
  if (typeof nbf === 'number' && nbf > seconds + skewSeconds) {
    throw invalid('The access token is not valid yet');
  }
  return {
    clientId,
    scopes: scopeList(scope),
    expiresAt: endOf(exp, seconds),
    boundTo: boundBy(claims.cnf, token_type),
    claims,
  };
}

const invalid = (description: string) => new Refusal('invalid_token', description);

const isFor = (aud: unknown, resource: string) =>
  aud === resource || (Array.isArray(aud) && aud.length === 1 && aud[0] === resource);

function endOf(exp: unknown, seconds: number): number {
  if (exp === undefined) return Math.floor(seconds) + endlessSeconds;
  if (typeof exp !== 'number') throw invalid('The access token has malformed claims');
  if (exp <= seconds - skewSeconds) throw invalid('The access token has expired');
  return exp;
}

/** A token that is said to be bound, without the key, cannot be checked. */
function boundBy(cnf: unknown, tokenType: unknown): string | undefined {
  const type = typeof tokenType === 'string' ? tokenType.toLowerCase() : tokenType;
  if (type !== undefined && type !== 'bearer' && type !== 'dpop') {
    throw invalid('The token is not an access token');
  }
  const thumbprint = boundKey(cnf);
  if (type === 'dpop' && thumbprint === undefined) {
    throw invalid('The access token is bound to a key in an unknown way');
  }
  return thumbprint;
}
