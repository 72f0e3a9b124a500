import { GuardedFetchError, type GuardedRequest, type Reach } from '../http/index.ts';

export interface Question {
  method?: 'GET' | 'POST' | 'OPTIONS';
  headers?: Record<string, string>;
  body?: string;
}

/** What came back, or why nothing did. */
export interface Answer {
  /** 0 where there was no answer. */
  status: number;
  header: (name: string) => string;
  /** Undefined where the body is no JSON object. */
  json: Record<string, unknown> | undefined;
  /** Why there was no answer, in words for an operator. */
  problem?: string | undefined;
}

/** Asks once: the same question again has the same answer. */
export type Ask = (url: string, question?: Question) => Promise<Answer>;

/** How a program of a client calls itself while the doctor plays it. */
const userAgent = 'authserver-doctor';

/**
 * Asks as clients do, each question once in an examination.
 *
 * @param reachOf where a URL may lead; undefined where it may not be asked at all
 */
export function createAsk(
  request: GuardedRequest,
  reachOf: (url: string) => Reach | undefined,
): Ask {
  const asked = new Map<string, Promise<Answer>>();

  async function send(url: string, { method = 'GET', headers, body }: Question): Promise<Answer> {
    const reach = reachOf(url);
    if (!reach)
      return nothing('it is an address of a private network, which the server may not ask');
    try {
      const sent = { 'user-agent': userAgent, accept: 'application/json', ...headers };
      const response = await request(url, { method, headers: sent, body, reach });
      return {
        status: response.status,
        header: (name) => response.headers.get(name) ?? '',
        json: objectIn(await response.text()),
      };
    } catch (error) {
      if (!(error instanceof GuardedFetchError)) throw error;
      return unanswered(error);
    }
  }

  return (url, question = {}) => {
    const key = JSON.stringify([url, question]);
    const known = asked.get(key) ?? send(url, question);
    asked.set(key, known);
    return known;
  };
}

/** A redirect is an answer: clients do not follow it, or lose the token on the way. */
function unanswered({ reason }: GuardedFetchError): Answer {
  if (reason.kind === 'redirect') return { ...nothing('it redirects'), status: reason.status };
  return nothing(wordsOf(reason));
}

function wordsOf(reason: GuardedFetchError['reason']): string {
  switch (reason.kind) {
    case 'dns':
      return 'its name is not known to the name server';
    case 'connect':
      return 'nothing listens there, or a firewall is in between';
    case 'tls':
      return `its certificate is not accepted (${reason.code})`;
    case 'timeout':
      return 'it did not answer in time';
    case 'address':
      return 'its name leads to an address that the server may not ask';
    case 'url':
      return `its URL cannot be asked: ${reason.problem}`;
    case 'too_large':
      return 'its answer is too large';
    default:
      return 'its answer could not be read';
  }
}

function nothing(problem: string): Answer {
  return { status: 0, header: () => '', json: undefined, problem };
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value }
      : undefined;
  } catch {
    return undefined;
  }
}

/** What there was, in a few words. */
export function said({ status, problem }: Answer): string {
  return problem ?? `it answered ${status}`;
}
