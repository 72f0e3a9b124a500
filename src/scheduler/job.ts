/** Work that the clock starts. */
export interface Job {
  /** Lower case with hyphens; key of its record. */
  readonly name: string;
  /** What it does, for people. */
  readonly title: string;
  /** Seconds from one run to the next, of all replicas together unless it runs `everywhere`. */
  readonly interval: number;
  /** It concerns this process: every replica runs it, without a lock and without a record. */
  readonly everywhere?: boolean;
  /** It removes what is no longer needed: `authserver purge` runs it too. */
  readonly sweeps?: boolean;
  /** @returns how many rows it changed or removed, where that can be said */
  run(run: Run): Promise<number | undefined>;
}

/** What a job is given. */
export interface Run {
  readonly at: Date;
  /** Aborted when the server stops: end after the current batch. */
  readonly signal: AbortSignal;
  /** Says how far it is; costs nothing when called often. */
  progress(text: string): Promise<void>;
}

/** The lock that whoever runs a job holds, so that nobody else does. */
export function lockOf({ name }: Pick<Job, 'name'>): string {
  return `job:${name}`;
}

/** Pause between two batches, in milliseconds, so that requests get their turn. */
const breath = 5;

/**
 * Removes batch by batch until there is nothing left or the server stops, so that no lock is held for
 * long. Each batch is a transaction of its own.
 *
 * @param removeBatch removes at most `size` rows of each kind @returns how many went
 */
export async function inBatches(
  { signal, progress }: Pick<Run, 'signal' | 'progress'>,
  removeBatch: () => Promise<number>,
): Promise<number> {
  let removed = 0;
  while (!signal.aborted) {
    const gone = await removeBatch();
    if (gone === 0) break;
    removed += gone;
    await progress(`${removed} rows removed`);
    await new Promise((resolve) => setTimeout(resolve, breath));
  }
  return removed;
}
