import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import { refusedRange } from './guarded-address.ts';
import { errorCode, GuardedFetchError } from './guarded-error.ts';
import { createFetchLimits, type FetchLimits } from './guarded-limits.ts';
import { type Resolve, resolveAnyHost, resolvePublicHost } from './guarded-resolve.ts';
import {
  checkHead,
  networkError,
  plainHeaders,
  readBody,
  readDocument,
} from './guarded-response.ts';
import { checkOutboundUrl } from './guarded-url.ts';
import { currentAddressBucket } from './request-context.ts';

export interface GuardedFetchOptions {
  /** Lets loopback and private networks pass the address check; for development only. */
  allowPrivateAddresses: boolean;
  /** Milliseconds for everything: look-up, connect, headers, body. */
  timeoutMs: number;
  /** Bytes of body unless the call says otherwise. Default 5 KiB (CIMD draft-02 §8.7). */
  maxBytes?: number;
  now: () => Date;
  limits?: Partial<FetchLimits>;
  /** Milliseconds that a failure takes at least; see {@link createGuardedFetch}. Default 500. */
  failureFloorMs?: number;
  /** Replaces DNS, for tests. */
  resolve?: Resolve;
  /** Trusted roots instead of Node's (which include NODE_EXTRA_CA_CERTS), for tests. */
  ca?: string;
}

export interface Fetched<T> {
  json: T;
  /** Lower-case names; repeated headers joined by a comma. */
  headers: Record<string, string>;
  fetchedAt: Date;
}

/**
 * Fetches a JSON document of a stranger.
 *
 * @param read turns the parsed JSON into what the caller wants, or throws: a document that is refused
 *   fails like one that is not there, at the same time and with the same message
 * @throws GuardedFetchError
 */
export type GuardedFetch = <T>(
  url: string,
  options: { read: (json: unknown) => T; maxBytes?: number },
) => Promise<Fetched<T>>;

const defaultLimits: FetchLimits = {
  concurrency: 64,
  concurrencyPerRequester: 8,
  concurrencyPerHost: 8,
  burstPerHost: 20,
  perSecondAndHost: 1,
};

/**
 * The only way out to addresses that strangers name (CIMD draft-02 §8.6, RFC 9700): https; every address
 * of the host checked against the special-use ranges, then pinned, then connected to, so that a name that
 * changes its answer (DNS rebinding) is never asked twice; no proxy, whatever the environment says, since
 * a proxy would resolve the name again; no redirect; 200 and JSON only; bounded size and time.
 *
 * Failures are flat: one message, and they take `failureFloorMs` or, if they took longer than that, the
 * whole `timeoutMs`. Two possible times tell an attacker nothing about what a refused name resolves to;
 * nothing internal is ever contacted, so the slow kind speaks of public hosts only. Refusals that were
 * made without looking (a malformed URL, too many fetches) are immediate.
 */
export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const limits = createFetchLimits({ ...defaultLimits, ...options.limits }, options.now);

  return async (address, { read, maxBytes }) => {
    const checked = checkOutboundUrl(address);
    if (!checked.ok) throw new GuardedFetchError({ kind: 'url', problem: checked.problem });
    const leave = limits.enter(checked.url.host, currentAddressBucket());
    const startedAt = performance.now();
    try {
      const limit = maxBytes ?? options.maxBytes ?? 5 * 1024;
      return await fetchWithin(checked.url, limit, read, options).finally(leave);
    } catch (error) {
      await flatten(performance.now() - startedAt, options);
      throw error;
    }
  };
}

async function flatten(took: number, options: GuardedFetchOptions): Promise<void> {
  const floor = options.failureFloorMs ?? 500;
  const until = took <= floor ? floor : options.timeoutMs;
  if (floor > 0 && until > took) await sleep(until - took);
}

async function fetchWithin<T>(
  url: URL,
  limit: number,
  read: (json: unknown) => T,
  options: GuardedFetchOptions,
): Promise<Fetched<T>> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const addresses = await publicAddresses(url, deadline, options);
  const agent = pinnedAgent(addresses, options);
  try {
    const response = await request(agent, url, deadline);
    checkHead(response);
    const body = await readBody(response, limit, deadline);
    const json = readDocument(body, read);
    return { json, headers: plainHeaders(response.headers), fetchedAt: options.now() };
  } finally {
    // Not close(): that would wait for a peer that never ends its answer.
    void agent.destroy();
  }
}

/** Every address of the host, none of which is refused. @throws GuardedFetchError */
export async function publicAddresses(
  url: URL,
  deadline: AbortSignal,
  options: Pick<GuardedFetchOptions, 'allowPrivateAddresses' | 'resolve'>,
): Promise<string[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) ? [host] : await resolveHost(host, deadline, options);
  const policy = options.allowPrivateAddresses ? 'private-too' : 'public';
  for (const address of addresses) {
    const range = refusedRange(address, policy);
    if (range) throw new GuardedFetchError({ kind: 'address', address, range });
  }
  return addresses;
}

async function resolveHost(
  host: string,
  deadline: AbortSignal,
  options: Pick<GuardedFetchOptions, 'allowPrivateAddresses' | 'resolve'>,
): Promise<string[]> {
  const resolve =
    options.resolve ?? (options.allowPrivateAddresses ? resolveAnyHost : resolvePublicHost);
  try {
    const addresses = await Promise.race([resolve(host, deadline), aborted(deadline)]);
    if (addresses.length > 0) return addresses;
  } catch (cause) {
    if (deadline.aborted) throw new GuardedFetchError({ kind: 'timeout' }, { cause });
    throw new GuardedFetchError({ kind: 'dns', code: errorCode(cause) }, { cause });
  }
  throw new GuardedFetchError({ kind: 'dns', code: 'ENODATA' });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/** An agent for one request whose name look-up knows only the addresses that were checked. */
export function pinnedAgent(
  addresses: string[],
  options: Pick<GuardedFetchOptions, 'timeoutMs' | 'ca'>,
): Agent {
  const pinned = addresses.map((address) => ({ address, family: isIP(address) }));
  const [first] = pinned;
  return new Agent({
    allowH2: false,
    pipelining: 0,
    maxHeaderSize: 16 * 1024,
    autoSelectFamily: true,
    connect: {
      timeout: options.timeoutMs,
      // Said out loud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not reach it.
      rejectUnauthorized: true,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      lookup: (_host, { all }, answer) => {
        if (all) answer(null, pinned);
        else answer(null, first?.address ?? '', first?.family);
      },
    },
  });
}

async function request(
  agent: Agent,
  url: URL,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  try {
    const response = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
      signal,
    });
    // A body that nobody reads still reports its abort; that must not be an unhandled event.
    response.body.on('error', () => {});
    return response;
  } catch (cause) {
    throw networkError(cause, signal);
  }
}
