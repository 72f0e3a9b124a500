import type { z } from 'zod';
import { failure, type Route } from './contract/index.ts';

export interface AdminClientOptions {
  /** Of the admin listener, such as `http://localhost:9001`. */
  origin: string;
  /** `admin.api_key` */
  apiKey: string;
  fetch?: typeof fetch;
}

/** A call that the server refused: what it said, and the trace id of its log line. */
export class AdminCallError extends Error {
  readonly status: number;
  readonly error: string;
  readonly traceId: string;

  constructor(status: number, { error, error_description, trace_id }: z.infer<typeof failure>) {
    super(`${error}: ${error_description} (${trace_id})`);
    this.name = 'AdminCallError';
    this.status = status;
    this.error = error;
    this.traceId = trace_id;
  }
}

/** Calls the admin API by the routes of the contract: `client.call(issuances.list, { query: { sub } })`. */
export function createAdminClient({ origin, apiKey, fetch: send = fetch }: AdminClientOptions) {
  /**
   * @throws AdminCallError when the server refuses
   * @throws ZodError when what is sent or answered is not what the contract says
   */
  async function call<
    P extends z.ZodObject,
    Q extends z.ZodObject,
    B extends z.ZodObject,
    A extends z.ZodType,
  >(
    route: Route<P, Q, B, A>,
    sent: {
      params?: z.input<P>;
      query?: z.input<Q>;
      body?: z.input<B>;
      /** `version` of the row that is changed: refused with 412 where it is no longer that. */
      ifMatch?: string;
      /** The same for every attempt at one POST, so that it is done once. */
      idempotencyKey?: string;
      headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<z.output<A>> {
    const params: Record<string, unknown> = route.params.parse(sent.params ?? {});
    const query: Record<string, unknown> = route.query.parse(sent.query ?? {});
    const url = new URL(withParams(route.path, params), origin);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const body = route.method === 'GET' ? null : JSON.stringify(route.body.parse(sent.body ?? {}));
    const response = await send(url, {
      method: route.method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${apiKey}`,
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
  }

  /** Every row of a list, page by page as they are needed. */
  async function* each<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject, Row>(
    route: Route<P, Q, B, z.ZodType<{ items: Row[]; next_cursor?: string | undefined }>>,
    query: z.input<Q>,
  ): AsyncGenerator<Row> {
    let cursor: string | undefined;
    do {
      const page = await call(route, { query: { ...query, ...(cursor && { cursor }) } });
      yield* page.items;
      cursor = page.next_cursor;
    } while (cursor !== undefined);
  }

  return { call, each };
}

function withParams(path: string, params: Record<string, unknown>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  );
}
