import type { z } from 'zod';
import { failure, type Route } from './contract/index.ts';

export interface AdminClientOptions {
  /** Of the admin listener, such as `http://localhost:9001`. */
  origin: string;
  /** `admin.api_key` */
  apiKey: string;
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>;
  fetch?: typeof fetch;
}

/** A call that the server refused: what it said, and the trace id of its log line. */
export class AdminCallError extends Error {
  readonly status: number;
  readonly error: string;
  /** What was wrong and what to do. */
  readonly description: string;
  readonly traceId: string;

  constructor(status: number, { error, error_description, trace_id }: z.infer<typeof failure>) {
    super(`${error}: ${error_description} (${trace_id})`);
    this.name = 'AdminCallError';
    this.status = status;
    this.error = error;
    this.description = error_description;
    this.traceId = trace_id;
  }
}

/** What is sent with a call. */
export interface CallInput<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject> {
  params?: z.input<P>;
  query?: z.input<Q>;
  body?: z.input<B>;
  /** `version` of the row that is changed: refused with 412 where it is no longer that. */
  ifMatch?: string;
  /** The same for every attempt at one POST, so that it is done once. */
  idempotencyKey?: string;
  headers?: Readonly<Record<string, string>>;
}

/**
 * Calls one route.
 *
 * @throws AdminCallError when the server refuses, or OAuthError where there is no HTTP in between
 * @throws ZodError when what is sent or answered is not what the contract says
 */
export type Call = <
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodObject,
  A extends z.ZodType,
>(
  route: Route<P, Q, B, A>,
  sent?: CallInput<P, Q, B>,
) => Promise<z.output<A>>;

/** Calls the admin API by the routes of the contract: `client.call(issuances.list, { query: { sub } })`. */
export interface AdminClient {
  call: Call;
  /** Every row of a list, page by page as they are needed. */
  each<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject, Row>(
    route: Route<P, Q, B, z.ZodType<{ items: Row[]; next_cursor?: string | undefined }>>,
    query: z.input<Q>,
  ): AsyncGenerator<Row>;
  /** A file, in pieces as it is made. It fails where the server breaks off. */
  download<P extends z.ZodObject, Q extends z.ZodObject>(
    route: Route<P, Q>,
    query: z.input<Q>,
  ): Promise<AsyncIterable<Uint8Array>>;
}

/** The client of a running server. */
export function createAdminClient(options: AdminClientOptions): AdminClient {
  const { origin, apiKey, headers: always, fetch: send = fetch } = options;

  const urlOf = (path: string, params: Record<string, unknown>, query: Record<string, unknown>) => {
    const url = new URL(withParams(path, params), origin);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  };
  const headers = { ...always, authorization: `Bearer ${apiKey}` };

  const call: Call = async (route, sent = {}) => {
    const url = urlOf(
      route.path,
      route.params.parse(sent.params ?? {}),
      route.query.parse(sent.query ?? {}),
    );
    const body = route.method === 'GET' ? null : JSON.stringify(route.body.parse(sent.body ?? {}));
    const response = await send(url, {
      method: route.method,
      headers: {
        accept: 'application/json',
        ...headers,
        ...(body !== null && { 'content-type': 'application/json' }),
        ...(sent.ifMatch !== undefined && { 'if-match': `"${sent.ifMatch}"` }),
        ...(sent.idempotencyKey !== undefined && { 'idempotency-key': sent.idempotencyKey }),
        ...sent.headers,
      },
      body,
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new AdminCallError(response.status, failure.parse(answer));
    return route.answer.parse(answer);
  };

  return {
    call,
    each: eachBy(call),
    async download(route, query) {
      const response = await send(urlOf(route.path, {}, route.query.parse(query)), { headers });
      if (!response.ok) {
        throw new AdminCallError(response.status, failure.parse(await response.json()));
      }
      return response.body ?? new ReadableStream();
    },
  };
}

/** Pages through lists with single calls. */
export function eachBy(call: Call): AdminClient['each'] {
  return async function* each(route, query) {
    let cursor: string | undefined;
    do {
      const page = await call(route, { query: { ...query, ...(cursor && { cursor }) } });
      yield* page.items;
      cursor = page.next_cursor;
    } while (cursor !== undefined);
  };
}

function withParams(path: string, params: Record<string, unknown>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  );
}
