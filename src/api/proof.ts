import type { Context } from 'koa';
import { hashId } from '../db/index.ts';
import { Refusal, verifyProof } from '../resource-server/index.ts';
import type { IssuedToken } from '../tokens/index.ts';
import type { Presented } from './caller.ts';
import { type Challenge, refuse } from './challenge.ts';
import type { ApiDeps } from './deps.ts';

/**
 * Seconds by which a clock may be wrong and set back: a claim that was swept while the clock ran ahead
 * must not make room for the same proof afterwards.
 */
const clockError = 3600;

/**
 * Holds a token to its key (RFC 9449 §7): one that is bound comes by the scheme DPoP with a fresh proof for
 * this method, this address under the issuer and this token, used once over all replicas; one that is not
 * bound comes as Bearer.
 */
export function createProofCheck({
  config,
  tokens,
  now,
}: Pick<ApiDeps, 'config' | 'tokens' | 'now'>) {
  const { origin } = new URL(config.server.issuer);
  const replay = {
    claim: (key: string, expiresAt: number) =>
      tokens.claimReplay(hashId(`api:${key}`), new Date((expiresAt + clockError) * 1000)),
  };
  return async (
    ctx: Context,
    { token, scheme }: Presented,
    { jkt }: IssuedToken,
    challenge: Challenge,
  ): Promise<void> => {
    if (!jkt) {
      if (scheme === 'Bearer') return;
      throw refuse(challenge, 'invalid_token', 'This token is bound to no key: send it as Bearer.');
    }
    if (scheme !== 'DPoP') throw refuse(challenge, 'invalid_token', bound, 'DPoP');
    const proof = ctx.get('dpop') || null;
    const url = `${origin}${ctx.path}`;
    const proven = { proof, method: ctx.method, url, token, boundTo: jkt };
    try {
      await verifyProof(proven, { now, replay });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const code = error.error === 'invalid_token' ? 'invalid_token' : 'invalid_dpop_proof';
      throw refuse(challenge, code, error.message, 'DPoP');
    }
  };
}

const bound = 'This token is bound to a key: send it by the scheme DPoP with a proof.';
