import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose';
import { hashId } from '../db/index.ts';
import type { Tokens } from '../tokens/index.ts';
import { InvalidClientAuth, InvalidDpopProof } from './errors.ts';
import { currentContext, currentState, type RequestState } from './request-state.ts';

/**
 * Seconds by which a clock may be wrong and set back: a claim that was swept while the clock ran ahead
 * must not make room for the same proof afterwards.
 */
const clockError = 3600;

/**
 * `jti` claims (RFC 9449 §11.1, RFC 7523 §3): one INSERT that fails on conflict, never find-then-save.
 * A proof's claim is keyed by its key's thumbprint, so that nobody can burn the jti of another key.
 */
export function claimReplayInRequest({ tokens, now }: { tokens: Tokens; now: () => Date }) {
  return async (id: string, _payload: unknown, expiresIn: number): Promise<void> => {
    const state = currentState();
    const token = state?.token;
    const kind = isAssertion(state) ? 'assertion' : 'proof';
    const key = hashId(kind === 'assertion' ? `assertion:${id}` : await proofKey());
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
function isAssertion(state: RequestState | undefined): boolean {
  if (!state || state.assertionClaimed) return false;
  const assertion = currentContext()?.oidc.params?.client_assertion;
  state.assertionClaimed = typeof assertion === 'string' && assertion !== '';
  return state.assertionClaimed;
}

/** A proof is its key's, whichever client shows it: what one client has shown is used up for all. */
async function proofKey(): Promise<string> {
  const proof = currentContext()?.get('DPoP') ?? '';
  const { jwk } = decodeProtectedHeader(proof);
  if (!jwk) throw new InvalidDpopProof('DPoP proof without a key');
  return `proof:${await calculateJwkThumbprint(jwk)}:${decodeJwt(proof).jti}`;
}
