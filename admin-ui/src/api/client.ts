import { routes } from 'virtual:contract-routes';
import type { Answer, Noun, Sent, Session, Verb } from './types.ts';

/** A call that was refused: what was wrong, and the trace id of its log line. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly traceId: string | undefined;

  constructor(status: number, code: string, sentence: string, traceId?: string) {
    super(sentence);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.traceId = traceId;
  }
}

/** Calls the admin API with the session cookie of this browser. */
export interface Api {
  /** @throws ApiError when the server refuses or cannot be reached */
  call<N extends Noun, V extends Verb<N>>(
    noun: N,
    verb: V,
    sent?: Sent<N, V>,
  ): Promise<Answer<N, V>>;
  /** Who is signed in; remembers the CSRF token for the calls that follow. */
  session(): Promise<Session>;
}

export function createApi(send: typeof fetch = (input, init) => fetch(input, init)): Api {
  let csrf: string | null = null;

  const call: Api['call'] = async (noun, verb, sent = {}) => {
    const route = routes[`${noun}.${verb}`];
    if (!route) throw new ApiError(0, 'not_built', `This console does not know ${noun}.${verb}.`);
    const [method, path] = route;
    const url = withQuery(withParams(path, sent.params ?? {}), sent.query ?? {});
    const response = await reach(() => send(url, init(method, sent, csrf)));
    return answerOf(response);
  };

  async function session(): Promise<Session> {
    const answer = await call('session', 'get');
    csrf = answer.csrf;
    return answer;
  }

  return { call, session };
}

function init<N extends Noun, V extends Verb<N>>(
  method: string,
  { body, ifMatch, signal }: Sent<N, V>,
  csrf: string | null,
): RequestInit {
  const headers = new Headers({ accept: 'application/json' });
  const writes = method !== 'GET';
  if (writes) headers.set('content-type', 'application/json');
  if (writes && csrf) headers.set('x-csrf-token', csrf);
  if (ifMatch !== undefined) headers.set('if-match', `"${ifMatch}"`);
  return {
    method,
    headers,
    credentials: 'same-origin',
    ...(writes && { body: JSON.stringify(body ?? {}) }),
    ...(signal && { signal }),
  };
}

async function reach(send: () => Promise<Response>): Promise<Response> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(
      0,
      'unreachable',
      'The server does not answer. It is tried again by itself.',
    );
  }
}

/** The edge: what the server answers has the shape of the contract, which the server itself checks. */
async function answerOf<A>(response: Response): Promise<A> {
  const type = response.headers.get('content-type') ?? '';
  const answer: unknown = type.includes('json') ? await response.json() : undefined;
  if (!response.ok) throw refusal(response.status, answer);
  return answer as A;
}

function refusal(status: number, answer: unknown): ApiError {
  const { error, error_description, trace_id } = (answer ?? {}) as Record<string, unknown>;
  const sentence =
    typeof error_description === 'string' ? error_description : `The server answered ${status}.`;
  return new ApiError(
    status,
    typeof error === 'string' ? error : 'unknown',
    sentence,
    typeof trace_id === 'string' ? trace_id : undefined,
  );
}

function withParams(path: string, params: object): string {
  const values = new Map<string, unknown>(Object.entries(params));
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(values.get(name))),
  );
}

function withQuery(path: string, query: object): string {
  const sent = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') sent.set(name, String(value));
  }
  return sent.size > 0 ? `${path}?${sent}` : path;
}
