import { OAuthError } from '../oauth/index.ts';

/** Runs expensive work a few at a time. */
export interface Gate {
  /** @throws OAuthError temporarily_unavailable (503, Retry-After) when too many wait already */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Attack: a flood of sign-ins that fills memory and starves every other request (T28, R18). */
export function createGate({ running, waiting }: { running: number; waiting: number }): Gate {
  const queue: (() => void)[] = [];
  let busy = 0;
  return {
    async run(work) {
      if (busy < running) busy += 1;
      else {
        if (queue.length >= waiting) throw tooManyWait();
        await new Promise<void>((admit) => queue.push(admit));
      }
      try {
        return await work();
      } finally {
        const next = queue.shift();
        if (next) next();
        else busy -= 1;
      }
    },
  };
}

function tooManyWait(): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'Too many people are signing in right now; try again in a few seconds',
    { status: 503, headers: { 'Retry-After': '2' } },
  );
}
