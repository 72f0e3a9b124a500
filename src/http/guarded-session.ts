import { setImmediate as turn } from 'node:timers/promises';
import type { Agent, Dispatcher } from 'undici';
import { GuardedFetchError } from './guarded-error.ts';
import { pinnedAgent, publicAddresses } from './guarded-fetch.ts';
import { createFetchLimits, type FetchLimits } from './guarded-limits.ts';
import { outboundUrl, type Reach } from './guarded-request.ts';
import type { Resolve } from './guarded-resolve.ts';
import { networkError, plainHeaders } from './guarded-response.ts';

export interface GuardedSessionsOptions {
  /** Milliseconds for everything of one session: look-up, every request, every stream. */
  timeoutMs: number;
  /** Bytes of all answers of one session together. */
  maxBytes: number;
  now: () => Date;
  limits?: Partial<FetchLimits>;
  /** Replaces DNS, for tests. */
  resolve?: Resolve;
  /** Trusted roots instead of Node's, for tests. */
  ca?: string;
}

/** Several requests to one origin, whose answers may be streams. */
export interface GuardedSession {
  /** As the global `fetch`, for clients that take one. Any other origin, and any redirect, is an error. */
  fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  /** Aborts when the time is over or the session was closed. */
  signal: AbortSignal;
  /** What ended it from outside: size, time, or the first request that failed in the network. */
  failure: () => GuardedFetchError | undefined;
  /** Ends every request and stream that is left. */
  close: () => void;
}

export type GuardedSessions = (
  url: string,
  options: {
    reach: Reach;
    /** Sent with every request, over what the client sends under the same name. */
    headers: Readonly<Record<string, string>>;
    /** Who counts as one requester, such as the id of a workspace. */
    requester?: string;
  },
) => Promise<GuardedSession>;

/** Lines of all event streams of one session together: each may be an event, which costs more than its bytes. */
const mostLines = 10_000;
/** Bytes that are handed on at once; others have their turn before the next. */
const piece = 16 * 1024;

const defaultLimits: FetchLimits = {
  concurrency: 64,
  concurrencyPerRequester: 8,
  concurrencyPerHost: 8,
  burstPerHost: 60,
  perSecondAndHost: 5,
};

/**
 * The way out to a service that a member named and that is spoken to at length. As
 * {@link createGuardedFetch}: addresses are checked once and pinned for the whole session, no proxy, no
 * redirect, no encoding. Time and size are those of the session: streams that never end count too.
 * Counts sessions, not requests, against the limits.
 */
export function createGuardedSessions(options: GuardedSessionsOptions): GuardedSessions {
  const limits = createFetchLimits({ ...defaultLimits, ...options.limits }, options.now);
  return async (address, { reach, headers, requester }) => {
    const url = outboundUrl(address, reach);
    const leave = limits.enter(url.host, requester);
    try {
      const deadline = AbortSignal.timeout(options.timeoutMs);
      const allowPrivateAddresses = reach !== 'public';
      const addresses = await publicAddresses(url, deadline, { ...options, allowPrivateAddresses });
      const agent = pinnedAgent(addresses, options);
      return openSession({ url, agent, headers, deadline, leave, maxBytes: options.maxBytes });
    } catch (error) {
      leave();
      throw error;
    }
  };
}

interface Opening {
  url: URL;
  agent: Agent;
  headers: Readonly<Record<string, string>>;
  deadline: AbortSignal;
  leave: () => void;
  maxBytes: number;
}

function openSession({ url, agent, headers, deadline, leave, maxBytes }: Opening): GuardedSession {
  const closed = new AbortController();
  const signal = AbortSignal.any([deadline, closed.signal]);
  let left = maxBytes;
  let lines = mostLines;
  let failure: GuardedFetchError | undefined;
  const fail = (error: GuardedFetchError) => {
    failure ??= error;
    return error;
  };
  const tooLarge = () => fail(new GuardedFetchError({ kind: 'too_large', limit: maxBytes }));

  async function ask(target: URL, init: RequestInit): Promise<Dispatcher.ResponseData> {
    const own = AbortSignal.any([signal, ...(init.signal ? [init.signal] : [])]);
    const sent = { ...Object.fromEntries(new Headers(init.headers)), ...headers };
    try {
      return await agent.request({
        origin: target.origin,
        path: target.pathname + target.search,
        method: methodOf(init),
        headers: { ...sent, 'accept-encoding': 'identity' },
        body: textOf(init.body),
        signal: own,
      });
    } catch (cause) {
      if (own.aborted && !deadline.aborted) throw cause; // the client gave up, or we are through
      throw fail(networkError(cause, deadline));
    }
  }

  return {
    signal,
    failure: () => failure ?? (deadline.aborted ? timedOut() : undefined),
    async fetch(address, init = {}) {
      const target = new URL(address);
      if (target.origin !== url.origin) {
        throw fail(new GuardedFetchError({ kind: 'url', problem: 'another origin' }));
      }
      const answer = await ask(target, init);
      answer.body.on('error', () => {}); // its abort is reported even where nobody reads it
      const problem = refused(answer);
      if (problem) {
        answer.body.destroy();
        throw fail(problem);
      }
      const isStream = /^text\/event-stream/i.test(
        plainHeaders(answer.headers)['content-type'] ?? '',
      );
      return toResponse(answer, (bytes) => {
        left -= bytes.length;
        if (isStream) lines -= linesIn(bytes);
        if (left < 0 || lines < 0) throw tooLarge();
      });
    },
    close() {
      leave();
      closed.abort();
      void agent.destroy();
    },
  };
}

function timedOut(): GuardedFetchError {
  return new GuardedFetchError({ kind: 'timeout' });
}

function refused({ statusCode: status, headers }: Dispatcher.ResponseData) {
  if (status >= 300 && status < 400) return new GuardedFetchError({ kind: 'redirect', status });
  const { 'content-encoding': contentEncoding = 'identity' } = plainHeaders(headers);
  if (contentEncoding.toLowerCase() === 'identity') return undefined;
  return new GuardedFetchError({ kind: 'content_encoding', contentEncoding });
}

function toResponse(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  count: (bytes: Buffer) => void,
): Response {
  const counted = async function* () {
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk);
      count(bytes);
      for (let at = 0; at < bytes.length; at += piece) {
        yield new Uint8Array(bytes.subarray(at, at + piece));
        await turn();
      }
    }
  };
  const init = { status, headers: plainHeaders(headers) };
  if (status === 204 || status === 205) {
    body.destroy();
    return new Response(null, init);
  }
  const stream: ReadableStream<Uint8Array> = ReadableStream.from(counted());
  return new Response(stream, init);
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (const byte of bytes) if (byte === 0x0a || byte === 0x0d) lines += 1;
  return lines;
}

function methodOf({ method = 'GET' }: RequestInit): 'GET' | 'POST' | 'DELETE' {
  if (method === 'GET' || method === 'POST' || method === 'DELETE') return method;
  throw new GuardedFetchError({ kind: 'url', problem: `method ${method}` });
}

function textOf(body: RequestInit['body']): string | null {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string') return body;
  throw new TypeError('only text is sent');
}
