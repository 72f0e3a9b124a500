import { decodeJwt, decodeProtectedHeader } from 'jose';
import { isCleanText } from '../oauth/index.ts';
import { IdJagRefusal } from './id-jag-refusals.ts';

/** No mismatch, but a parameter that is not there (RFC 6749 §5.2). */
const assertionMissing = {
  error: 'invalid_request',
  description: 'assertion is missing. Send the identity assertion (ID-JAG) in it.',
} as const;

/** Asymmetric ones only. Attack: HMAC with the public key as its secret, or no signature at all. */
export const idJagAlgorithms = [
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
  'EdDSA',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
];

const longest = { assertion: 8192, subject: 255, jti: 1024 };
/** Seconds. */
const longestLife = 3600;
/** Seconds that an issuer's clock may be ahead of ours; one that is behind only shortens its assertions. */
const clockAhead = 30;
/** Seconds after `exp` in which an assertion is still taken. */
const grace = 5;

export interface UnverifiedIdJag {
  header: { alg: string; kid?: string | undefined };
  claims: Record<string, unknown>;
  /** As it says. */
  issuer: string;
}

/** What an identity assertion says, checked. */
export interface IdJag {
  issuer: string;
  subject: string;
  jti: string;
  expiresAt: Date;
  /** As the issuer wrote it; see `chooseAssertedResource`. */
  resource: unknown;
  scope?: string;
  /** Thumbprint of the DPoP key that it is bound to. */
  jkt?: string;
  email?: string;
  name?: string;
}

/**
 * Reads an assertion before its signature can be checked: which key would it be signed by?
 *
 * Does NOT verify anything but its form, `typ` and `alg`.
 *
 * @throws IdJagRefusal
 */
export function readIdJag(assertion: string | undefined): UnverifiedIdJag {
  if (!assertion) throw new IdJagRefusal('missing', undefined, assertionMissing);
  if (assertion.length > longest.assertion || !isCompactJws(assertion)) {
    throw new IdJagRefusal('malformed');
  }
  const { header, claims } = decode(assertion);
  const { typ, alg, kid } = header;
  if (!isIdJagType(typ)) throw new IdJagRefusal('type', typ);
  if (typeof alg !== 'string' || !idJagAlgorithms.includes(alg)) {
    throw new IdJagRefusal('algorithm', alg);
  }
  if (typeof claims.iss !== 'string') throw new IdJagRefusal('issuer', claims.iss);
  return {
    header: { alg, kid: typeof kid === 'string' ? kid : undefined },
    claims,
    issuer: claims.iss,
  };
}

/** Three parts of base64url in the one spelling that they have (RFC 7515 §2). */
function isCompactJws(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 3 && parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part));
}

function decode(assertion: string) {
  try {
    return {
      header: decodeProtectedHeader(assertion),
      claims: decodeJwt<Record<string, unknown>>(assertion),
    };
  } catch (cause) {
    throw new IdJagRefusal('malformed', undefined, { cause });
  }
}

/** A media type: any case, `application/` may be left out (RFC 7515 §4.1.9, RFC 8725 §3.11). */
function isIdJagType(typ: unknown): boolean {
  if (typeof typ !== 'string') return false;
  return typ.toLowerCase().replace(/^application\//, '') === 'oauth-id-jag+jwt';
}

/**
 * Checks the claims of an assertion whose signature is good (ID-JAG draft §3.1, §4.4.1; RFC 7523 §3).
 *
 * Does NOT check `resource` and `scope` against anything, nor whether the `jti` has been used.
 *
 * @throws IdJagRefusal
 */
export function judgeClaims(
  { issuer, claims }: UnverifiedIdJag,
  expected: { audience: string; clientId: string; now: Date },
): IdJag {
  requireAudience(claims.aud, expected.audience);
  if (claims.client_id !== expected.clientId) throw new IdJagRefusal('client', claims.client_id);
  const subject = textOf(claims.sub, longest.subject);
  if (subject === undefined) throw new IdJagRefusal('subject', claims.sub);
  refuseWhatWouldHaveToBeEnforced(claims);
  const expiresAt = judgeTimes(claims, expected.now.getTime() / 1000);
  const jti = textOf(claims.jti, longest.jti);
  if (jti === undefined) throw new IdJagRefusal('jti', claims.jti);
  const jkt = judgeKeyBinding(claims.cnf);
  const { resource, scope } = claims;
  if (scope !== undefined && typeof scope !== 'string') throw new IdJagRefusal('scope', scope);
  return {
    ...{ issuer, subject, jti, expiresAt, resource },
    ...(scope !== undefined && { scope }),
    ...(jkt !== undefined && { jkt }),
    ...personOf(claims),
  };
}

/** Attack: an assertion for several servers would let each of them spend it at the others. */
function requireAudience(aud: unknown, audience: string): void {
  const only = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud;
  if (only !== audience) throw new IdJagRefusal('audience', aud);
}

/**
 * What narrows the authorization and is not understood here must not be left out: the token would reach
 * further than the issuer allowed. A subject of a shared issuer is only unique within its tenant.
 */
function refuseWhatWouldHaveToBeEnforced(claims: Record<string, unknown>): void {
  if (claims.tenant !== undefined) throw new IdJagRefusal('tenant', claims.tenant);
  const unsupported = ['authorization_details', 'act'].find((name) => claims[name] !== undefined);
  if (unsupported) throw new IdJagRefusal('unsupported_claim', unsupported);
}

/** @param now seconds @returns when it expires */
function judgeTimes({ exp, iat, nbf }: Record<string, unknown>, now: number): Date {
  if (!isTime(exp) || exp + grace <= now) throw new IdJagRefusal('expired', exp);
  if (!isTime(iat) || iat > now + clockAhead) throw new IdJagRefusal('not_yet_valid', iat);
  if (nbf !== undefined && (!isTime(nbf) || nbf > now + clockAhead)) {
    throw new IdJagRefusal('not_yet_valid', nbf);
  }
  if (exp - iat > longestLife || exp < iat) throw new IdJagRefusal('lifetime', exp - iat);
  return new Date(exp * 1000);
}

/** NumericDate (RFC 7519 §2). */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function judgeKeyBinding(cnf: unknown): string | undefined {
  if (cnf === undefined) return undefined;
  const members = typeof cnf === 'object' && cnf !== null ? Object.entries(cnf) : [];
  const [name, jkt] = members.length === 1 ? (members[0] ?? []) : [];
  if (name === 'jkt' && typeof jkt === 'string' && /^[A-Za-z0-9_-]{43}$/.test(jkt)) return jkt;
  throw new IdJagRefusal('key_binding', cnf);
}

/** An address that the issuer itself calls unverified, in whatever words, is nobody's. */
function personOf({ email, email_verified, name }: Record<string, unknown>) {
  const isVerified = [undefined, true, 'true'].some((value) => value === email_verified);
  return {
    ...(typeof email === 'string' && isVerified && { email }),
    ...(typeof name === 'string' && { name }),
  };
}

function textOf(value: unknown, most: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= most && isCleanText(value)
    ? value
    : undefined;
}
