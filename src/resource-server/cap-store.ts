/** Counts calls for the daily cap. Give replicas a shared one, so that they count together. */
export type CapStore = {
  /**
   * Adds one to the count of `key` in one atomic step; a key that is new starts at 0.
   * @param key workspace and UTC day, as `<workspace_id>:2026-11-21`
   * @param expiresAt when the day is over and the key may be forgotten
   * @returns the count after that
   */
  increment(key: string, expiresAt: Date): number | Promise<number>;
};

/**
 * Counts in this process's memory, for a server that is one process. A restart starts at 0.
 * @param now what forgets the days that are over goes by
 */
export function memoryCapStore(now: () => Date = () => new Date()): CapStore {
  const counts = new Map<string, { count: number; expiresAt: Date }>();
  let nextSweep = 0;

  function forgetExpired() {
    const time = now().getTime();
    if (time < nextSweep) return;
    for (const [key, { expiresAt }] of counts) {
      if (expiresAt.getTime() <= time) counts.delete(key);
    }
    nextSweep = time + sweepEveryMs;
  }

  return {
    increment(key, expiresAt) {
      forgetExpired();
      const count = (counts.get(key)?.count ?? 0) + 1;
      counts.set(key, { count, expiresAt });
      return count;
    },
  };
}

const sweepEveryMs = 60_000;
