import { GuardedFetchError } from './guarded-error.ts';
import { pinnedAgent, publicAddresses } from './guarded-fetch.ts';
import { createFetchLimits, type FetchLimits } from './guarded-limits.ts';
import type { Resolve } from './guarded-resolve.ts';
import { networkError, plainHeaders, readBody } from './guarded-response.ts';
import { checkOutboundUrl } from './guarded-url.ts';

/**
 * Where a request may go: to public addresses; to private networks too; or to this computer only, which
 * is also where plain http may be spoken. What an operator named decides, never what a peer says.
 */
export type Reach = 'public' | 'private' | 'loopback';

export interface GuardedRequestOptions {
  /** Milliseconds for everything: look-up, connect, headers, body. */
  timeoutMs: number;
  now: () => Date;
  /** Bytes of body. Default 256 KiB. */
  maxBytes?: number;
  limits?: Partial<FetchLimits>;
  /** Replaces DNS, for tests. */
  resolve?: Resolve;
  /** Trusted roots instead of Node's, for tests. */
  ca?: string;
}

/**
 * One request to a service that an operator named.
 *
 * @throws GuardedFetchError; an answer of any status but a redirect is one
 */
export type GuardedRequest = (
  url: string,
  request: {
    method: 'GET' | 'POST' | 'OPTIONS';
    headers: Record<string, string>;
    body?: string | undefined;
    reach: Reach;
    /** Who counts as one requester, such as the id of a workspace. */
    requester?: string;
  },
) => Promise<Response>;

/** As {@link URL.hostname} spells it. */
const thisComputer = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

const defaultLimits: FetchLimits = {
  concurrency: 64,
  concurrencyPerRequester: 64,
  concurrencyPerHost: 32,
  burstPerHost: 200,
  perSecondAndHost: 50,
};

/**
 * The way out to the endpoints of identity providers. As {@link createGuardedFetch}: addresses are checked
 * and pinned before connecting, no proxy, no redirect, no encoding, bounded size and time. Unlike it the
 * answer may have any status and content type, and the time that a failure takes is not flattened: nobody
 * but an operator names what is asked.
 */
export function createGuardedRequest(options: GuardedRequestOptions): GuardedRequest {
  const limits = createFetchLimits({ ...defaultLimits, ...options.limits }, options.now);
  return async (address, request) => {
    const url = outboundUrl(address, request.reach);
    const leave = limits.enter(url.host, request.requester);
    const deadline = AbortSignal.timeout(options.timeoutMs);
    try {
      return await send(url, request, deadline, options);
    } finally {
      leave();
    }
  };
}

async function send(
  url: URL,
  { method, headers, body, reach }: Parameters<GuardedRequest>[1],
  deadline: AbortSignal,
  options: GuardedRequestOptions,
): Promise<Response> {
  const allowPrivateAddresses = reach !== 'public';
  const addresses = await publicAddresses(url, deadline, { ...options, allowPrivateAddresses });
  const agent = pinnedAgent(addresses, options);
  try {
    const sent = { ...headers, 'accept-encoding': 'identity' };
    const path = url.pathname + url.search;
    const answer = await agent
      .request({ origin: url.origin, path, method, headers: sent, body, signal: deadline })
      .catch((cause: unknown) => {
        throw networkError(cause, deadline);
      });
    answer.body.on('error', () => {}); // its abort is reported even where nobody reads it
    const { statusCode: status } = answer;
    if (status >= 300 && status < 400) throw new GuardedFetchError({ kind: 'redirect', status });
    const plain = plainHeaders(answer.headers);
    const contentEncoding = plain['content-encoding'] ?? 'identity';
    if (contentEncoding.toLowerCase() !== 'identity') {
      throw new GuardedFetchError({ kind: 'content_encoding', contentEncoding });
    }
    const bytes = await readBody(answer, options.maxBytes ?? 256 * 1024, deadline);
    const hasBody = status !== 204 && status !== 205;
    return new Response(hasBody ? new Uint8Array(bytes) : null, { status, headers: plain });
  } finally {
    void agent.destroy();
  }
}

/** @throws GuardedFetchError for an address that this reach does not take */
export function outboundUrl(address: string, reach: Reach): URL {
  if (reach !== 'loopback') {
    const checked = checkOutboundUrl(address);
    if (checked.ok) return checked.url;
    throw new GuardedFetchError({ kind: 'url', problem: checked.problem });
  }
  const url = URL.parse(address);
  const isPlain = url && url.username === '' && url.password === '' && url.hash === '';
  if (isPlain && /^https?:$/.test(url.protocol) && thisComputer.test(url.hostname)) return url;
  throw new GuardedFetchError({ kind: 'url', problem: 'not on this computer' });
}
