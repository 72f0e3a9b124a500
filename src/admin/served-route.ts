import type { Readable } from 'node:stream';
import type { Context } from 'koa';
import type { z } from 'zod';
import { type Fields, readJson, readQuery, single } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { By } from './caller.ts';
import type { Route } from './contract/index.ts';
import type { Once } from './idempotency.ts';
import { entityTag, type Precondition, readPrecondition } from './precondition.ts';

const body = { limitBytes: 256 * 1024, maxDepth: 20 };

/** A route of the contract together with what fulfils it. */
export interface ServedRoute {
  route: Route;
  /** Reads the request, does the work, and answers. Does NOT check who calls. */
  serve: (ctx: Context, by: By, once: Once) => Promise<void>;
  /**
   * The same without HTTP, where this process is the command line and no server: neither `If-Match` nor
   * `Idempotency-Key`. Not there for what is streamed.
   */
  perform?: (sent: Sent, by: By) => Promise<unknown>;
  /** The same without HTTP for what is downloaded. */
  download?: (query: unknown, by: By) => Promise<Download>;
}

/** What was sent, before it is checked. */
export interface Sent {
  params: unknown;
  query: unknown;
  body: unknown;
}

/** A file that is made while it is read. */
export interface Download {
  /** Name of the file. */
  name: string;
  /** Media type. */
  type: string;
  body: Readable;
}

/** What a handler gets, checked. */
export interface Request<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  /** Judges `If-Match`; see {@link Route.conditional}. */
  precondition: Precondition;
}

/** Fulfils a route: what it takes is checked before the handler runs, and what it answers before it is sent. */
export function fulfil<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodObject,
  A extends z.ZodType,
>(
  route: Route<P, Q, B, A>,
  handler: (request: Request<z.output<P>, z.output<Q>, z.output<B>>, by: By) => Promise<z.input<A>>,
): ServedRoute {
  return {
    route,
    async serve(ctx, by, once) {
      const params = readParams(route.params, ctx.params);
      const query = take(route.query, readFields(readQuery(ctx)), 'query');
      const sent = route.method === 'GET' ? {} : await readBody(ctx);
      const request = { params, query, body: take(route.body, sent, 'body') };
      const input = { params: ctx.params, query, body: sent };
      await answer(ctx, route, () =>
        repeatable(ctx, { route, by, input }, once, () =>
          conditionally(ctx, route, async (precondition) =>
            // An answer that has a member too many fails: nothing leaves that the contract does not name (AD05).
            route.answer.parse(await handler({ ...request, precondition }, by)),
          ),
        ),
      );
    },
    async perform(sent, by) {
      const request = {
        params: readParams(route.params, sent.params),
        query: take(route.query, sent.query, 'query'),
        body: take(route.body, sent.body, 'body'),
        precondition: () => {},
      };
      return route.answer.parse(await handler(request, by));
    },
  };
}

/** Fulfils a route whose answer is a file (`media` in the contract). */
export function fulfilDownload<P extends z.ZodObject, Q extends z.ZodObject>(
  route: Route<P, Q>,
  handler: (request: { query: z.output<Q> }, by: By) => Promise<Download>,
): ServedRoute {
  return {
    route,
    async serve(ctx, by) {
      const query = take(route.query, readFields(readQuery(ctx)), 'query');
      const { name, type, body } = await handler({ query }, by);
      ctx.attachment(name);
      ctx.type = type;
      ctx.body = body;
    },
    download: (query, by) => handler({ query: take(route.query, query, 'query') }, by),
  };
}

/**
 * Fulfils a route whose answer is streamed (`media` in the contract): what it takes is checked as for every
 * other, and the handler sets type and body.
 */
export function fulfilStream<P extends z.ZodObject, Q extends z.ZodObject>(
  route: Route<P, Q>,
  handler: (request: { query: z.output<Q> }, by: By, ctx: Context) => Promise<void>,
): ServedRoute {
  return {
    route,
    serve: (ctx, by) =>
      handler({ query: take(route.query, readFields(readQuery(ctx)), 'query') }, by, ctx),
  };
}

async function answer(ctx: Context, { status }: Route, work: () => Promise<unknown>) {
  const body = await work();
  ctx.status = status;
  if (isVersioned(body)) ctx.set('ETag', entityTag(body.version));
  ctx.body = body;
}

function isVersioned(body: unknown): body is { version: string } {
  return (
    typeof body === 'object' &&
    body !== null &&
    'version' in body &&
    typeof body.version === 'string'
  );
}

/** @throws OAuthError 400 where `If-Match` was sent to a route that would not ask for it */
async function conditionally<T>(
  ctx: Context,
  route: Route,
  work: (precondition: Precondition) => Promise<T>,
): Promise<T> {
  const header = route.method === 'GET' ? '' : ctx.get('if-match');
  if (header !== '' && !route.conditional) {
    throw new OAuthError('invalid_request', 'This does not take If-Match. Leave it out.');
  }
  const precondition = readPrecondition(header);
  let asked = header === '';
  const result = await work((version) => {
    asked = true;
    precondition(version);
  });
  if (!asked) throw new Error(`${route.name} did not ask for its precondition`);
  return result;
}

/** A POST with an `Idempotency-Key` is done once. */
async function repeatable(
  ctx: Context,
  { route, by, input }: { route: Route; by: By; input: unknown },
  once: Once,
  work: () => Promise<unknown>,
): Promise<unknown> {
  const key = ctx.get('idempotency-key');
  if (key === '' || route.method !== 'POST') return work();
  const { answer, replayed } = await once({ key, actor: by.actor, route: route.name, input }, work);
  if (replayed) ctx.set('Idempotency-Replayed', 'true');
  return answer;
}

/** There is no row with this id. */
export function unknownId(): OAuthError {
  return new OAuthError('invalid_request', 'There is nothing with this id.', { status: 404 });
}

/** @throws OAuthError 404 where no row could have such an id */
function readParams<P extends z.ZodObject>(schema: P, sent: unknown): z.output<P> {
  const params = schema.safeParse(sent);
  if (!params.success) throw unknownId();
  return params.data;
}

function readFields(fields: Fields): Record<string, string | undefined> {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, single(fields, name)]));
}

/** A verb without parameters may come without a body. */
async function readBody(ctx: Context): Promise<unknown> {
  const length = ctx.get('transfer-encoding') === '' ? Number(ctx.get('content-length')) : Infinity;
  return length === 0 && ctx.get('content-type') === '' ? {} : readJson(ctx, body);
}

function take<S extends z.ZodObject>(
  schema: S,
  value: unknown,
  where: 'query' | 'body',
): z.output<S> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new OAuthError('invalid_request', sentence(schema, where, error.issues), {
    detail: { issues: error.issues.slice(0, 5).map(({ code, path }) => ({ code, path })) },
  });
}

/** What was wrong and what is taken instead. Does NOT repeat values. */
function sentence(
  schema: z.ZodObject,
  where: 'query' | 'body',
  [issue]: readonly z.core.$ZodIssue[],
): string {
  const names = Object.keys(schema.shape).join(', ');
  const known = names ? `It takes: ${names}` : 'It takes no members';
  if (issue?.code === 'unrecognized_keys') {
    const unknown = issue.keys.slice(0, 3).map((key) => key.slice(0, 50));
    return `The ${where} has an unknown member: ${unknown.join(', ')}. ${known}.`;
  }
  const member = issue?.path.join('.');
  if (!member) return `The ${where} has to be an object. ${known}.`;
  return `${member} in the ${where} is not valid: ${issue?.message ?? ''}`;
}
