/** Slack between a request's arrival and a rival's commit, in milliseconds (also covers clock skew). */
const raceSlack = 250;

export interface PresentedToken {
  consumedAt?: Date;
  /** The successor is still sealed beside it. */
  hasSuccessor: boolean;
}

/**
 * How a presented refresh token is to be treated (RFC 9700 §4.14.2).
 *
 * - `fresh`: not used yet
 * - `overlap`: used a moment ago by a parallel or repeated request: same successor
 * - `reused`: used long ago, so it may be stolen: the family ends
 */
export function judgeRefresh(
  token: PresentedToken,
  overlapSeconds: number,
  now: Date,
): 'fresh' | 'overlap' | 'reused' {
  if (!token.consumedAt) return 'fresh';
  const age = now.getTime() - token.consumedAt.getTime();
  return token.hasSuccessor && age <= overlapSeconds * 1000 ? 'overlap' : 'reused';
}

/**
 * How a presented authorization code is to be treated (OAuth 2.1 §4.1.3).
 * A request that was already on its way when the winner committed lost a race; it is no replay.
 */
export function judgeCode(
  consumedAt: Date | undefined,
  receivedAt: Date,
): 'fresh' | 'raced' | 'replayed' {
  if (!consumedAt) return 'fresh';
  return receivedAt.getTime() <= consumedAt.getTime() + raceSlack ? 'raced' : 'replayed';
}

/**
 * Seconds that a refresh token lives: idle lifetime, cut at the family's absolute end.
 *
 * @returns at least 1, since the library refuses 0
 */
export function refreshLifetime(
  limits: { refresh_ttl: number; refresh_absolute_ttl: number },
  familyStartedAt: number,
  now: number,
): number {
  const untilEnd = familyStartedAt + limits.refresh_absolute_ttl - now;
  return Math.max(1, Math.min(limits.refresh_ttl, untilEnd));
}

/** Why a reused refresh token was most likely presented again, for the audit log. */
export function reuseVerdict(
  consumedAt: Date | undefined,
  now: Date,
  overlapSeconds: number,
): string {
  if (!consumedAt) return 'unknown';
  const age = (now.getTime() - consumedAt.getTime()) / 1000;
  if (age <= overlapSeconds * 10) return 'late_retry';
  return 'possible_theft';
}
