/** Stops asking who does not answer, so that nobody waits for a timeout again and again. */
export interface Circuit {
  /** Whether to ask; after a pause one caller may, and the others wait for what comes of it. */
  allows(key: string): boolean;
  answered(key: string): void;
  failed(key: string): void;
  /** Seconds after which asking again makes sense, 1 or more. */
  retryAfter(key: string): number;
}

/** Keys that are remembered; the one that failed longest ago makes room. */
const mostKeys = 10_000;

/**
 * @param failures in a row that open the circuit of a key
 * @param pause seconds that it stays open
 */
export function createCircuit(
  { failures, pause }: { failures: number; pause: number },
  now: () => Date,
): Circuit {
  const states = new Map<string, { failures: number; until: number }>();
  const remember = (key: string, state: { failures: number; until: number }) => {
    states.delete(key);
    states.set(key, state);
    const [oldest] = states.keys();
    if (states.size > mostKeys && oldest !== undefined) states.delete(oldest);
  };
  const later = () => now().getTime() + pause * 1000;
  return {
    allows(key) {
      const state = states.get(key);
      if (!state || state.failures < failures) return true;
      if (now().getTime() < state.until) return false;
      state.until = later();
      return true;
    },
    answered: (key) => void states.delete(key),
    failed(key) {
      const before = states.get(key)?.failures ?? 0;
      remember(key, { failures: before + 1, until: later() });
    },
    retryAfter(key) {
      const state = states.get(key);
      if (!state || state.failures < failures) return 1;
      return Math.max(1, Math.ceil((state.until - now().getTime()) / 1000));
    },
  };
}
