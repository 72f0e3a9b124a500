/** Flows are written in batches by the clock, whether or not a request is under way; none waits for them. */
const byTheClock = ['authserver_write_flows', 'authserver_write_first_calls'];
/** Clients come from a cache that lives for half a second, which a slow machine outlives. */
const cached = 'authserver_find_client';

/**
 * The statements that a request waits for, of those that were sent meanwhile. The scheduler of the server has to be
 * stopped: its statements would be counted too.
 */
export function ofRequests(sent: readonly string[]): string[] {
  return sent.filter((name) => name !== cached && !byTheClock.includes(name));
}
