import { lookup, Resolver } from 'node:dns/promises';

/** All addresses of a host name, or a rejection with a DNS error code. Stops when the signal aborts. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<string[]>;

/**
 * Asks the configured name servers for A and AAAA. Not getaddrinfo, whose look-ups occupy the thread pool
 * that password hashing and files need, and cannot be cancelled: a name server that never answers would
 * stall the process. So `/etc/hosts` and search domains do not count here.
 */
export const resolvePublicHost: Resolve = async (host, signal) => {
  const resolver = new Resolver({ timeout: 1000, tries: 3 });
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const addresses = answers.flatMap((answer) =>
      answer.status === 'fulfilled' ? answer.value : [],
    );
    const [first] = answers;
    if (addresses.length === 0 && first.status === 'rejected') throw first.reason;
    return addresses;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};

/** The operating system's resolver, for development hosts: knows `localhost` and `/etc/hosts`. */
export const resolveAnyHost: Resolve = async (host) => {
  const answers = await lookup(host, { all: true, verbatim: true });
  return answers.map((answer) => answer.address);
};
