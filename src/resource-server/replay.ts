import { Refusal } from './refusal.ts';

/** Remembers what may be used once. Give replicas a shared one, so that a proof counts once among all of them. */
export type ReplayStore = {
  /**
   * Claims `key` in one atomic step.
   * @param key a hash, safe to store
   * @param expiresAt epoch seconds after which the key may be forgotten
   * @returns false when the key was claimed before
   */
  claim(key: string, expiresAt: number): boolean | Promise<boolean>;
};

/**
 * A bounded store in this process's memory. When `capacity` live keys are held it refuses new ones with 503:
 * forgetting a live key would let its proof be replayed (RFC 9449 §11.1).
 * @param lifetime seconds that every key is kept, at least
 */
export function replayMemory(
  now: () => Date,
  lifetime: number,
  capacity: number = 100_000,
): ReplayStore {
  const claimed = new Map<string, number>(); // in the order of expiry, since all live equally long

  function forgetExpired(seconds: number) {
    for (const [key, expiresAt] of claimed) {
      if (expiresAt > seconds) return;
      claimed.delete(key);
    }
  }

  return {
    claim(key) {
      const seconds = now().getTime() / 1000;
      forgetExpired(seconds);
      if (claimed.has(key)) return false;
      if (claimed.size >= capacity) {
        throw new Refusal('temporarily_unavailable', 'Too many DPoP proofs; try again shortly');
      }
      claimed.set(key, seconds + lifetime);
      return true;
    },
  };
}
