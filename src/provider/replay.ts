import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose';
import { hashId } from '../db/index.ts';
import type { Tokens } from '../tokens/index.ts';
import { InvalidClientAuth, InvalidDpopProof } from './errors.ts';
import { currentContext, currentState } from './request-state.ts';

/**
 * Seconds by which a clock may be wrong and set back: a claim that was swept while the clock ran ahead
 * must not make room for the same proof afterwards.
 */
const clockError = 3600;

/**
 * `jti` claims (RFC 9449 §11.1, RFC 7523 §3): one INSERT that fails on conflict, never find-then-save.
 * The key has the proof's thumbprint in it, so that one client's installation cannot burn another's jti.
 */
export function claimReplayInRequest({ tokens, now }: { tokens: Tokens; now: () => Date }) {
  return async (id: string, _payload: unknown, expiresIn: number): Promise<void> => {
    const token = currentState()?.token;
    const kind = isAssertion(token?.claims.length ?? 0) ? 'assertion' : 'proof';
    const key = hashId(`${kind}:${id}:${kind === 'proof' ? await proofThumbprint() : ''}`);
    // A proof may be dated ahead by the whole window, so its claim lives twice as long.
    const expiresAt = new Date(now().getTime() + (2 * expiresIn + clockError) * 1000);
    if (token) {
      token.claims.push({ id: key, expiresAt, kind });
      return;
    }
    if (await tokens.claimReplay(key, expiresAt)) return;
    if (kind === 'assertion') throw new InvalidClientAuth('client assertion was used before');
    throw new InvalidDpopProof('DPoP proof was used before');
  };
}

/** The client's assertion is claimed first, while it authenticates; the DPoP proof after that. */
function isAssertion(claimsBefore: number): boolean {
  const params = currentContext()?.oidc.params;
  return claimsBefore === 0 && typeof params?.client_assertion === 'string';
}

async function proofThumbprint(): Promise<string> {
  const proof = currentContext()?.get('DPoP');
  if (!proof) return '';
  const { jwk } = decodeProtectedHeader(proof);
  return jwk ? calculateJwkThumbprint(jwk) : '';
}
