import type Provider from 'oidc-provider';
import { type AccessToken, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { checkDpopReplay, checkDpopRequired } from 'oidc-provider/lib/helpers/grants.js';
import validateDpop from 'oidc-provider/lib/helpers/validate_dpop.js';
import readInstance from 'oidc-provider/lib/helpers/weak_cache.js';

/** What this room reads of the library's private state; a test fails when a name vanishes. */
export interface ProviderInternals {
  responseModes: Map<string, unknown>;
  configuration: {
    responseTypes: string[];
    grantTypes: Set<string>;
    dPoPSigningAlgValues: string[];
  };
  features: Record<string, { enabled?: boolean }>;
  DPoPNonces?: { nextChallenge(): string };
}

/**
 * The library's private state of a provider.
 *
 * @throws TypeError when the library's shape has changed (it is pinned to an exact version)
 */
export function internalsOf(provider: Provider): ProviderInternals {
  const state: unknown = readInstance(provider);
  if (!isInternals(state)) throw new TypeError('oidc-provider internals have changed shape');
  return state;
}

/**
 * Takes away the form_post response mode: its page submits itself by an inline script, which the
 * content security policy refuses, and no MCP client asks for it.
 */
export function removeFormPost(provider: Provider): void {
  internalsOf(provider).responseModes.delete('form_post');
}

/** The nonce that a DPoP proof shall have next (RFC 9449 §8), the same that the library hands out. */
export function nextDpopNonce(provider: Provider): string {
  const { DPoPNonces } = internalsOf(provider);
  if (!DPoPNonces) throw new TypeError('oidc-provider has no DPoP nonces: nonceSecret is missing');
  return DPoPNonces.nextChallenge();
}

/**
 * Checks the DPoP proof of a token request as the library's own grants do (RFC 9449 §4.3, §5).
 *
 * @returns the thumbprint of its key, and the way to use its `jti` up; undefined without a proof
 * @throws the library's InvalidDpopProof, UseDpopNonce, or InvalidGrant where the client must prove a key
 */
export async function checkProof(ctx: KoaContextWithOIDC): Promise<CheckedProof | undefined> {
  const { provider, client } = ctx.oidc;
  const proof = await validateDpop(provider, ctx);
  checkDpopRequired(provider, ctx, proof);
  if (!proof) return undefined;
  const use = () =>
    checkDpopReplay(provider, ctx, proof, client?.clientId ?? '', errors.InvalidDpopProof);
  return {
    thumbprint: proof.thumbprint,
    use,
    async bind(token) {
      await use();
      token.setThumbprint('jkt', proof.thumbprint);
    },
  };
}

/** A good DPoP proof of a token request. */
export interface CheckedProof {
  thumbprint: string;
  /** Uses its `jti` up. */
  use(): Promise<void>;
  /** The same, and binds a token to its key. */
  bind(token: AccessToken): Promise<void>;
}

function isInternals(state: unknown): state is ProviderInternals {
  return (
    typeof state === 'object' &&
    state !== null &&
    'responseModes' in state &&
    state.responseModes instanceof Map &&
    'configuration' in state &&
    'features' in state
  );
}
