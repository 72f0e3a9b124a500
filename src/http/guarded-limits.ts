import { GuardedFetchError } from './guarded-error.ts';

/** How much the server does for strangers at once. */
export interface FetchLimits {
  /** Fetches under way in this process; one more is refused. */
  concurrency: number;
  /** Fetches under way to one host. */
  concurrencyPerHost: number;
  /** Fetches that may start at once to one host after a pause … */
  burstPerHost: number;
  /** … and how many start again per second after that. */
  perSecondAndHost: number;
}

interface HostState {
  active: number;
  tokens: number;
  refilledAt: number;
}

const knownHosts = 2000;

/**
 * Counts fetches so that nobody can use us to flood a host, or tie us up with slow ones (CI14, R25).
 *
 * @returns `enter(host)`: takes a place and answers the function that gives it back; throws a `busy`
 *   {@link GuardedFetchError} at once when there is none, since queueing would let slow hosts pile up
 */
export function createFetchLimits(limits: FetchLimits, now: () => Date) {
  const hosts = new Map<string, HostState>();
  let active = 0;

  function stateOf(host: string): HostState {
    const at = now().getTime();
    const known = hosts.get(host) ?? { active: 0, tokens: limits.burstPerHost, refilledAt: at };
    const refill = (Math.max(0, at - known.refilledAt) / 1000) * limits.perSecondAndHost;
    known.tokens = Math.min(limits.burstPerHost, known.tokens + refill);
    known.refilledAt = at;
    hosts.delete(host);
    hosts.set(host, known);
    forgetOldest(hosts);
    return known;
  }

  return {
    enter(host: string): () => void {
      if (active >= limits.concurrency)
        throw new GuardedFetchError({ kind: 'busy', scope: 'global' });
      const state = stateOf(host);
      if (state.active >= limits.concurrencyPerHost || state.tokens < 1) {
        throw new GuardedFetchError({ kind: 'busy', scope: 'host' });
      }
      state.tokens -= 1;
      state.active += 1;
      active += 1;
      return () => {
        state.active -= 1;
        active -= 1;
      };
    },
  };
}

/** Keeps memory bounded: the host asked for longest ago goes, unless a fetch to it is under way. */
function forgetOldest(hosts: Map<string, HostState>): void {
  if (hosts.size <= knownHosts) return;
  for (const [host, state] of hosts) {
    if (state.active > 0) continue;
    hosts.delete(host);
    return;
  }
}
