import { GuardedFetchError, isBusy } from './guarded-error.ts';

const second = 1000;
/** Longest times, in milliseconds: an answer is fresh, and one that cannot be had again is good. */
const freshFor = 600 * second;
const usableFor = 3600 * second;
/** Strangers can make us want something newer as often as they like: we ask again after this pause. */
const pause = { withValue: 60 * second, withoutValue: 15 * second };
const mostEntries = 1000;

interface Entry<T> {
  value?: T;
  fetchedAt: number;
  triedAt: number;
  running?: Promise<T>;
  failure?: GuardedFetchError;
}

/**
 * Keeps what the guarded fetch brought: fresh for ten minutes, asked for again when it is not enough (at
 * most once a minute) or could not be had (every 15 seconds), by one fetch at a time, and good for an hour
 * while it cannot be had again. A `busy` refusal speaks of us and not of the host: it is no attempt, or
 * others could lock somebody out by making us busy.
 *
 * @param load fetches the value of a key
 * @returns `get(key, isEnough)`: the value, if need be one that is not enough; throws the
 *   {@link GuardedFetchError} of the last attempt when there is none
 */
export function createGuardedCache<T>({
  load,
  now,
}: {
  load: (key: string) => Promise<T>;
  now: () => Date;
}) {
  const entries = new Map<string, Entry<T>>();

  return async function get(key: string, isEnough: (value: T) => boolean): Promise<T> {
    const entry = entryOf(entries, key);
    const at = now().getTime();
    const { value, fetchedAt } = entry;
    if (value !== undefined && at - fetchedAt < freshFor && isEnough(value)) return value;
    const wait = isUsable(entry, at) ? pause.withValue : pause.withoutValue;
    if (!entry.running && at - entry.triedAt < wait) return stillUsable(entry, at);
    entry.running ??= renew(key, entry);
    try {
      return await entry.running;
    } catch (error) {
      if (!(error instanceof GuardedFetchError)) throw error;
      return stillUsable(entry, now().getTime());
    }
  };

  async function renew(key: string, entry: Entry<T>): Promise<T> {
    const before = entry.triedAt;
    entry.triedAt = now().getTime();
    try {
      const value = await load(key);
      entry.value = value;
      entry.fetchedAt = now().getTime();
      delete entry.failure;
      return value;
    } catch (error) {
      if (isBusy(error)) entry.triedAt = before;
      else if (error instanceof GuardedFetchError) entry.failure = error;
      throw error;
    } finally {
      delete entry.running;
    }
  }
}

function isUsable<T>(entry: Entry<T>, at: number): entry is Entry<T> & { value: T } {
  return entry.value !== undefined && at - entry.fetchedAt < usableFor;
}

function stillUsable<T>(entry: Entry<T>, at: number): T {
  if (isUsable(entry, at)) return entry.value;
  throw entry.failure ?? new GuardedFetchError({ kind: 'busy', scope: 'host' });
}

/** The one used longest ago makes room. */
function entryOf<T>(entries: Map<string, Entry<T>>, key: string): Entry<T> {
  const never = Number.NEGATIVE_INFINITY;
  const entry = entries.get(key) ?? { fetchedAt: never, triedAt: never };
  entries.delete(key);
  entries.set(key, entry);
  const [oldest] = entries.keys();
  if (entries.size > mostEntries && oldest !== undefined) entries.delete(oldest);
  return entry;
}
