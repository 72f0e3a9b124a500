/** What fills up by the clock and is used up one by one. */
interface Bucket {
  left: number;
  at: number;
}

export interface AllowanceOptions {
  /** That may come at once. */
  burst: number;
  perMinute: number;
  /** Keys that are remembered; the ones used longest ago are forgotten, and have all of theirs again. */
  mostKeys: number;
}

/** A share per key, in this process. @returns whether one more may be taken */
export function createAllowance({ burst, perMinute, mostKeys }: AllowanceOptions) {
  const buckets = new Map<string, Bucket>();
  return (key: string, now: Date): boolean => {
    const at = now.getTime();
    const known = buckets.get(key);
    const gained = known ? (Math.max(0, at - known.at) / 60_000) * perMinute : burst;
    const left = Math.min(burst, (known?.left ?? 0) + gained);
    buckets.delete(key);
    buckets.set(key, { left: left >= 1 ? left - 1 : left, at });
    forgetOldest(buckets, mostKeys);
    return left >= 1;
  };
}

/** Drops what was set first, until no more than `most` entries are left. */
export function forgetOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
