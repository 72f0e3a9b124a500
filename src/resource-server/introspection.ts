import { digest } from './digest.ts';
import { CredentialsRefused, requestIntrospection } from './introspection-request.ts';
import type { IntrospectionSettings } from './options.ts';
import { Refusal } from './refusal.ts';
import type { TokenShape } from './token-shape.ts';

/**
 * Asks the authorization server about a token.
 * @returns its answer, which may be that the token is inactive
 * @throws Refusal temporarily_unavailable when there is no answer: nothing is let through then
 */
export type Introspect = (
  token: string,
  shape: TokenShape,
) => Promise<Readonly<Record<string, unknown>>>;

type Answer = Readonly<Record<string, unknown>>;

export type IntrospectionDeps = {
  /** Where to ask. @throws Refusal temporarily_unavailable */
  endpoint: () => Promise<string>;
  fetch: typeof fetch;
  now: () => Date;
};

const largestCache = 10_000;
/** Requests that come with the same token while it is being asked about share the answer, for this long. */
const shareMs = 250;
/** How long nobody is asked after a failure, so that an outage there is not made worse by every request here. */
const pauseMs = { outage: 1_000, refused: 10_000 };

/** Introspection (RFC 7662 §4): uncached unless told, and then bounded in time and number, with hashes as keys. */
export function createIntrospection(
  { issuer, introspection: settings }: { issuer: string; introspection: IntrospectionSettings },
  deps: IntrospectionDeps,
): Introspect {
  const cache = new Map<string, { answer: Answer; until: number }>();
  const flights = new Map<string, { answer: Promise<Answer>; since: number }>();
  const time = () => deps.now().getTime();
  let pause: { until: number; cause: unknown } | undefined;

  async function ask(token: string): Promise<Answer> {
    if (pause && time() < pause.until) throw unavailable(pause.cause);
    const endpoint = await deps.endpoint();
    try {
      return await requestIntrospection({ endpoint, issuer, settings, token }, deps);
    } catch (cause) {
      const length = cause instanceof CredentialsRefused ? pauseMs.refused : pauseMs.outage;
      pause = { until: time() + length, cause };
      throw unavailable(cause);
    }
  }

  /** Counted from the question: what the answer says may have changed while it was on its way. */
  function keep(key: string, shape: TokenShape, answer: Answer, since: number): void {
    // What does not expire by itself is told apart from other tokens only by asking.
    const lasting = shape === 'credential' || (answer.active === true && answer.exp === undefined);
    if (settings.cacheSeconds === 0 || lasting) return;
    for (const oldest of cache.keys()) {
      if (cache.size < largestCache) break;
      cache.delete(oldest);
    }
    cache.set(key, { answer, until: since + settings.cacheSeconds * 1000 });
  }

  function cached(key: string): Answer | undefined {
    const found = cache.get(key);
    if (!found || time() < found.until) return found?.answer;
    cache.delete(key);
    return undefined;
  }

  return async (token, shape) => {
    const key = await digest(token);
    const known = cached(key);
    if (known) return known;
    const flying = flights.get(key);
    if (flying && time() - flying.since < shareMs) return flying.answer;
    const flight = { answer: ask(token), since: time() };
    flights.set(key, flight);
    try {
      const answer = await flight.answer;
      keep(key, shape, answer, flight.since);
      return answer;
    } finally {
      if (flights.get(key) === flight) flights.delete(key);
    }
  };
}

const unavailable = (cause: unknown) =>
  new Refusal('temporarily_unavailable', 'The access token cannot be checked now', { cause });
