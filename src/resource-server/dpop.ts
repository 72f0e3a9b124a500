import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from 'jose';
import { digest } from './digest.ts';
import { signingAlgorithms } from './jwt.ts';
import { isRecord } from './record.ts';
import { Refusal } from './refusal.ts';
import type { ReplayStore } from './replay.ts';

/** Seconds by which a proof's `iat` may lie before or after now. */
export const proofWindow = 60;

/** One DPoP-protected request: the proof, and what it must prove. */
export type ProvenRequest = {
  /** The DPoP header as received; two headers arrive joined by a comma. */
  proof: string | null;
  method: string;
  /** The URL as the client sees it, without query and fragment. */
  url: string;
  token: string;
  /** `cnf.jkt` of the token. */
  boundTo: string;
};

/**
 * Checks a DPoP proof, in the order of RFC 9449 §4.3, and claims its `jti` last, when all else holds.
 * @param deps.checkNonce row 10, where this server demands a nonce; it throws use_dpop_nonce
 * @throws Refusal invalid_dpop_proof, or invalid_token when the proof is by another key than the token's
 */
export async function verifyProof(
  request: ProvenRequest,
  deps: {
    now: () => Date;
    replay: ReplayStore;
    checkNonce?: (nonce: unknown) => Promise<void>;
  },
): Promise<void> {
  const { claims, jwk } = await verifySignature(oneProof(request.proof), deps.now());
  if (claims.htm !== request.method) throw unproven('htm is not the method of this request');
  if (comparableUrl(claims.htu) !== comparableUrl(request.url)) {
    throw unproven(`htu is not ${request.url}`);
  }
  await deps.checkNonce?.(claims.nonce);
  const seconds = deps.now().getTime() / 1000;
  if (typeof claims.iat !== 'number' || Math.abs(seconds - claims.iat) > proofWindow) {
    throw unproven('iat is too far from the time of this server');
  }
  if (claims.ath !== (await digest(request.token)))
    throw unproven('ath is not of this access token');
  const thumbprint = await calculateJwkThumbprint(jwk);
  if (thumbprint !== request.boundTo) {
    throw new Refusal('invalid_token', 'The DPoP proof is by another key than the access token');
  }
  await claimOnce(claims.jti, thumbprint, claims.iat, deps.replay);
}

const unproven = (reason: string, cause?: unknown) =>
  new Refusal('invalid_dpop_proof', `DPoP proof: ${reason}`, { cause });

/** Row 1 and 2: one header, one JWT. */
function oneProof(proof: string | null): string {
  if (proof === null) throw unproven('the DPoP header is missing');
  if (proof.includes(',')) throw unproven('more than one DPoP header');
  return proof.trim();
}

/** Rows 2 to 7: a JWT with typ dpop+jwt, signed asymmetrically by the public key that it carries. */
async function verifySignature(proof: string, now: Date) {
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
    algorithms: signingAlgorithms,
    currentDate: now,
    clockTolerance: proofWindow,
  }).catch((cause: unknown) => {
    throw unproven('it is not a JWT that verifies by the public key in its header', cause);
  });
  if (protectedHeader.typ !== 'dpop+jwt') throw unproven('typ is not dpop+jwt');
  return { claims: payload, jwk: publicKey(protectedHeader.jwk) };
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

function publicKey(jwk: JWK | undefined): JWK {
  if (!isRecord(jwk)) throw unproven('jwk is missing');
  if (privateMembers.some((member) => Object.hasOwn(jwk, member))) {
    throw unproven('jwk holds a private key');
  }
  return jwk;
}

/** RFC 9449 §4.3: compared after syntax- and scheme-based normalisation (RFC 3986 §6.2.2, 6.2.3), query and fragment ignored. */
function comparableUrl(value: unknown): string | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (!url) return undefined;
  url.search = '';
  url.hash = '';
  return url.href.replace(/%[0-9a-f]{2}/gi, (octet) => octet.toUpperCase());
}

/** The key's thumbprint is part of the name, so that nobody can burn another's jti. */
async function claimOnce(jti: unknown, thumbprint: string, iat: number, replay: ReplayStore) {
  if (typeof jti !== 'string' || jti === '' || jti.length > 1024) {
    throw unproven('jti is missing or malformed');
  }
  const fresh = await replay.claim(
    await digest(`${thumbprint} ${jti}`),
    Math.ceil(iat) + proofWindow + 1,
  );
  if (!fresh) throw unproven('it was used before');
}
