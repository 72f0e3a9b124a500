/** Algorithms that we sign with; one key has one algorithm for life. */
export const signingAlgorithms = ['ES256', 'EdDSA', 'PS256', 'RS256'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

/** One key on the timeline. */
export interface KeyTimes {
  readonly kid: string;
  readonly alg: string;
  readonly createdAt: Date;
  readonly signsFrom: Date;
  /** When it was seen that another key signs. */
  readonly retiredAt?: Date | undefined;
  /** From then on it is not published. */
  readonly expiresAt?: Date | undefined;
}

/** All in seconds. */
export interface RotationSettings {
  readonly algorithm: SigningAlgorithm;
  /** How long one key signs. */
  readonly rotateEvery: number;
  /** How long a key is published before it signs, so that every resource server has it by then. */
  readonly publishBefore: number;
  /** How long a key stays published after it stopped signing: the longest life of a token. */
  readonly keepRetiredFor: number;
}

export type KeyAction =
  | { readonly do: 'create'; readonly signsFrom: Date; readonly reason: 'first_start' }
  | {
      readonly do: 'publish next';
      readonly signsFrom: Date;
      readonly reason: 'schedule' | 'algorithm_changed';
    }
  | { readonly do: 'retire'; readonly kid: string; readonly expiresAt: Date }
  | { readonly do: 'expire'; readonly kid: string };

export interface KeyPlan<K extends KeyTimes> {
  /** Who signs; undefined only where there is no key at all. */
  readonly current: K | undefined;
  /** Published, but signing later; the soonest first. */
  readonly next: readonly K[];
  /** Published, but signing no more. */
  readonly retired: readonly K[];
  readonly actions: readonly KeyAction[];
}

/**
 * Replicas notice a change of signer up to one tick (30 s) late and their clocks differ, so a key that
 * "stopped signing" may sign a little longer.
 */
const lateSigners = 300;
/** Expired keys are deleted a day later only, so that a clock that jumped ahead destroys nothing. */
const deleteAfter = 86_400;

/**
 * The rotation timeline: who signs at `now`, and what is to be done. The newest key with
 * `signsFrom <= now` signs. Looks at times only: whether a key can be opened is the caller's matter.
 *
 * @param occasion a changed algorithm is acted upon at `start` only: during a rolling deployment the
 *   replicas that still run with the old one would otherwise outbid the new ones at every tick
 */
export function planKeys<K extends KeyTimes>(
  keys: readonly K[],
  settings: RotationSettings,
  now: Date,
  occasion: 'start' | 'tick' = 'tick',
): KeyPlan<K> {
  const published = keys.filter((key) => !isPast(key.expiresAt, now)).sort(bySigning);
  const begun = published.filter((key) => isPast(key.signsFrom, now));
  // A clock that jumped back finds no key that signs already: the first one is the least wrong.
  const current = begun.at(-1) ?? published[0];
  const next = published.filter((key) => key !== current && !isPast(key.signsFrom, now));
  const retired = begun.filter((key) => key !== current);
  return {
    current,
    next,
    retired,
    actions: [
      ...succession({ current, next }, settings, now, occasion),
      ...retired.filter((key) => !key.retiredAt).map((key) => retire(key, settings, now)),
      ...keys.filter((key) => isPast(key.expiresAt, earlier(now, deleteAfter))).map(expire),
    ],
  };
}

/** When a key that is asked for by command signs: after the publish delay, and after all others. */
export function nextSignsFrom(
  keys: readonly KeyTimes[],
  settings: Pick<RotationSettings, 'publishBefore'>,
  now: Date,
): Date {
  const published = now.getTime() + settings.publishBefore * 1000;
  const last = keys.map((key) => key.signsFrom.getTime() + 1000);
  return new Date(Math.max(published, ...last));
}

function succession(
  { current, next }: Pick<KeyPlan<KeyTimes>, 'current' | 'next'>,
  settings: RotationSettings,
  now: Date,
  occasion: 'start' | 'tick',
): KeyAction[] {
  if (!current) return [{ do: 'create', signsFrom: now, reason: 'first_start' }];
  const signsFrom = nextSignsFrom([current, ...next], settings, now);
  const last = next.at(-1) ?? current;
  if (occasion === 'start' && last.alg !== settings.algorithm) {
    return [{ do: 'publish next', signsFrom, reason: 'algorithm_changed' }];
  }
  if (next.length > 0) return [];
  const due = later(current.signsFrom, settings.rotateEvery);
  if (due.getTime() > now.getTime() + settings.publishBefore * 1000) return [];
  return [{ do: 'publish next', signsFrom: latest(due, signsFrom), reason: 'schedule' }];
}

function retire(key: KeyTimes, settings: RotationSettings, now: Date): KeyAction {
  const expiresAt = later(now, settings.keepRetiredFor + lateSigners);
  return { do: 'retire', kid: key.kid, expiresAt };
}

function expire(key: KeyTimes): KeyAction {
  return { do: 'expire', kid: key.kid };
}

function bySigning(a: KeyTimes, b: KeyTimes): number {
  return (
    a.signsFrom.getTime() - b.signsFrom.getTime() ||
    a.createdAt.getTime() - b.createdAt.getTime() ||
    (a.kid < b.kid ? -1 : 1)
  );
}

function isPast(time: Date | undefined, now: Date): boolean {
  return time !== undefined && time.getTime() <= now.getTime();
}

function later(time: Date, seconds: number): Date {
  return new Date(time.getTime() + seconds * 1000);
}

function earlier(time: Date, seconds: number): Date {
  return later(time, -seconds);
}

function latest(a: Date, b: Date): Date {
  return a.getTime() > b.getTime() ? a : b;
}
