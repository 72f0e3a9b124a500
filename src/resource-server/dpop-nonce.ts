import { base64url } from 'jose';
import { Refusal } from './refusal.ts';

/** Nonces for DPoP proofs (RFC 9449 §9), made from the time and a secret, so that every process knows them. */
export type NonceSource = {
  /** The nonce to use now. */
  current(): Promise<string>;
  /** @throws Refusal use_dpop_nonce when it is missing, not ours or too old */
  check(nonce: unknown): Promise<void>;
};

/**
 * A nonce is an HMAC of the period that it was made in; that of the period before counts too.
 * @param lifetime seconds of two periods: how long a nonce is good at most
 */
export function nonceSource(
  { secret, lifetime }: { secret: string; lifetime: number },
  now: () => Date,
): NonceSource {
  const period = lifetime / 2;
  const currentPeriod = () => Math.floor(now().getTime() / 1000 / period);
  let key: ReturnType<typeof importSecret> | undefined;

  async function nonceOf(index: number): Promise<string> {
    key ??= importSecret(secret);
    const text = new TextEncoder().encode(`dpop-nonce ${index}`);
    const mac = await crypto.subtle.sign('HMAC', await key, text);
    return base64url.encode(new Uint8Array(mac, 0, 16));
  }

  return {
    current: () => nonceOf(currentPeriod()),
    async check(nonce) {
      const index = currentPeriod();
      const good = [await nonceOf(index), await nonceOf(index - 1)];
      // Nonces are no secrets: everybody is told them.
      if (typeof nonce === 'string' && good.includes(nonce)) return;
      throw new Refusal('use_dpop_nonce', 'DPoP proof: sign it with the nonce in DPoP-Nonce');
    },
  };
}

const importSecret = (secret: string) =>
  crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  );
