import { GuardedFetchError } from './guarded-error.ts';

/** How much the server does for strangers at once. */
export interface FetchLimits {
  /** Fetches under way in this process; one more is refused. */
  concurrency: number;
  /** How many of them one requesting address may have under way. */
  concurrencyPerRequester: number;
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
 * @returns `enter(host, requester)`: takes a place and answers the function that gives it back; throws a
 *   `busy` {@link GuardedFetchError} at once when there is none, since queueing would let slow hosts pile
 *   up. `requester` is the address bucket that the request came from, absent outside of a request
 */
export function createFetchLimits(limits: FetchLimits, now: () => Date) {
  const hosts = new Map<string, HostState>();
  const requesters = new Map<string, number>();
  let active = 0;

  /** A requester with nothing under way is forgotten. */
  function count(requester: string | undefined, change: 1 | -1): void {
    if (requester === undefined) return;
    const left = (requesters.get(requester) ?? 0) + change;
    if (left > 0) requesters.set(requester, left);
    else requesters.delete(requester);
  }

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
    enter(host: string, requester?: string): () => void {
      if (active >= limits.concurrency) throw busy('global');
      const theirs = requester === undefined ? 0 : (requesters.get(requester) ?? 0);
      if (theirs >= limits.concurrencyPerRequester) throw busy('requester');
      const state = stateOf(host);
      if (state.active >= limits.concurrencyPerHost || state.tokens < 1) {
        throw busy('host');
      }
      state.tokens -= 1;
      state.active += 1;
      active += 1;
      count(requester, 1);
      return () => {
        state.active -= 1;
        active -= 1;
        count(requester, -1);
      };
    },
  };
}

function busy(scope: 'host' | 'global' | 'requester'): GuardedFetchError {
  return new GuardedFetchError({ kind: 'busy', scope });
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
