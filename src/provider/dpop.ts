import { decodeJwt, type JWTPayload } from 'jose';
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { OAuthError } from '../oauth/index.ts';

/** Longest `jti` that is remembered, in characters. */
const longestId = 1024;

export interface ProofLimits {
  /** `dpop.proof_lifetime`: how far a proof's `iat` may lie before or after now, in seconds. */
  lifetime: number;
  now: () => Date;
  /** The nonce to sign next, for a client whose clock is wrong (RFC 9449 §8). */
  nextNonce: () => string;
}

/**
 * What our configuration asks of a DPoP proof beyond the library, whose window is fixed at 300 s:
 * `iat` within `dpop.proof_lifetime` (RFC 9449 §4.3 row 11) and a `jti` fit to be remembered. Nothing
 * is believed here: signature and all other rows are checked by the library afterwards. A proof with a
 * nonce is as old as its nonce, which the library checks.
 */
export function limitProofs(limits: ProofLimits): Middleware<object, KoaContextWithOIDC> {
  return (ctx, next) => {
    const claims = claimsOf(ctx.get('DPoP'));
    if (claims) checkProof(ctx, claims, limits);
    return next();
  };
}

/** Claims of what looks like a JWT; everything else is for the library to refuse. */
function claimsOf(proof: string): JWTPayload | undefined {
  try {
    return proof === '' ? undefined : decodeJwt(proof);
  } catch {
    return undefined;
  }
}

function checkProof(
  ctx: KoaContextWithOIDC,
  { jti, iat, nonce }: JWTPayload,
  { lifetime, now, nextNonce }: ProofLimits,
): void {
  if (typeof jti === 'string' && (jti.length > longestId || jti.includes('\0'))) {
    throw new OAuthError(
      'invalid_dpop_proof',
      `jti of the DPoP proof must be text of at most ${longestId} characters.`,
    );
  }
  if (nonce || typeof iat !== 'number') return;
  if (Math.abs(now().getTime() / 1000 - iat) <= lifetime + 1) return; // iat is in whole seconds
  ctx.set('DPoP-Nonce', nextNonce());
  throw new OAuthError(
    'use_dpop_nonce',
    `iat of the DPoP proof is more than ${lifetime} s away from the time of this server. Sign a new proof with the nonce of this answer, or set the clock.`,
  );
}
