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
  /** How much of what there is for one host one requester may use. Default 1: all of it. */
  requesterShare?: number;
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

  function stateOf(key: string, share: number): HostState {
    const at = now().getTime();
    const most = limits.burstPerHost * share;
    const known = hosts.get(key) ?? { active: 0, tokens: most, refilledAt: at };
    const refill = (Math.max(0, at - known.refilledAt) / 1000) * limits.perSecondAndHost * share;
    known.tokens = Math.min(most, known.tokens + refill);
    known.refilledAt = at;
    hosts.delete(key);
    hosts.set(key, known);
    forgetOldest(hosts);
    return known;
  }

  /** What a host is asked, and what of it this requester asks, where a share is all that they have. */
  function statesOf(host: string, requester: string | undefined): HostState[] {
    const { requesterShare: share = 1 } = limits;
    const whole = { state: stateOf(host, 1), share: 1 };
    const parts =
      requester === undefined || share === 1
        ? [whole]
        : [whole, { state: stateOf(`${host} ${requester}`, share), share }];
    const isFull = parts.some(
      ({ state, share: part }) =>
        state.active >= limits.concurrencyPerHost * part || state.tokens < 1,
    );
    if (isFull) throw busy('host');
    return parts.map(({ state }) => state);
  }

  return {
    enter(host: string, requester?: string): () => void {
      if (active >= limits.concurrency) throw busy('global');
      const theirs = requester === undefined ? 0 : (requesters.get(requester) ?? 0);
      if (theirs >= limits.concurrencyPerRequester) throw busy('requester');
      const states = statesOf(host, requester);
      for (const state of states) {
        state.tokens -= 1;
        state.active += 1;
      }
      active += 1;
      count(requester, 1);
      return () => {
        for (const state of states) state.active -= 1;
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
