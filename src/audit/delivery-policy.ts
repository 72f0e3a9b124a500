/** What became of one request to the webhook. */
export type Outcome =
  | { kind: 'taken' }
  /** It answered, and did not take this body. */
  | { kind: 'refused'; reason: string }
  /** It cannot be reached, or does not take anything now. */
  | { kind: 'down'; reason: string };

/** Of an HTTP status. Redirects are not followed: what is signed is for one receiver. */
export function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const reason = `status ${status}`;
  return aboutReceiver.has(status) || status < 400
    ? { kind: 'down', reason }
    : { kind: 'refused', reason };
}

/** Not authorised, not there, busy: the next body would fare no better. */
const aboutReceiver = new Set([401, 402, 403, 404, 405, 407, 408, 421, 425, 429, 502, 503, 504]);

export type Decision =
  | { do: 'advance' }
  /** Send the events of the batch one by one, so that one that is refused holds up no other. */
  | { do: 'split' }
  /** Wait for so many seconds. */
  | { do: 'wait'; seconds: number }
  /** Put what was sent among the dead letters and go on. */
  | { do: 'bury' };

/** Attempts for one event that the receiver answers and refuses: waiting long would help nobody. */
export const refusedAttempts = 4;
const longestWait = 300;

/**
 * What to do after an attempt.
 *
 * @param attempts how many there have been for this batch, with this one
 * @param most `attempts` of the configuration, for a receiver that is down
 */
export function decide(
  outcome: Outcome,
  { size, attempts, most }: { size: number; attempts: number; most: number },
): Decision {
  if (outcome.kind === 'taken') return { do: 'advance' };
  if (outcome.kind === 'refused') {
    if (size > 1) return { do: 'split' };
    if (attempts >= Math.min(most, refusedAttempts)) return { do: 'bury' };
    return { do: 'wait', seconds: 2 ** attempts };
  }
  if (attempts >= most) return { do: 'bury' };
  return { do: 'wait', seconds: Math.min(5 * 2 ** (attempts - 1), longestWait) };
}
