import type { Context } from 'koa';
import type { z } from 'zod';
import { type Fields, readJson, readQuery, single } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { By } from './caller.ts';
import type { Route } from './contract/index.ts';

const body = { limitBytes: 256 * 1024, maxDepth: 20 };

/** A route of the contract together with what fulfils it. */
export interface ServedRoute {
  route: Route;
  /** Reads the request, does the work, and answers. Does NOT check who calls. */
  serve: (ctx: Context, by: By) => Promise<void>;
}

/** Fulfils a route: what it takes is checked before the handler runs, and what it answers before it is sent. */
export function fulfil<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodObject,
  A extends z.ZodType,
>(
  route: Route<P, Q, B, A>,
  handler: (
    request: { params: z.output<P>; query: z.output<Q>; body: z.output<B> },
    by: By,
  ) => Promise<z.input<A>>,
): ServedRoute {
  return {
    route,
    async serve(ctx, by) {
      const params = route.params.safeParse(ctx.params);
      if (!params.success) throw unknownId();
      const query = take(route.query, readFields(readQuery(ctx)), 'query');
      const sent = route.method === 'GET' ? {} : await readBody(ctx);
      const request = { params: params.data, query, body: take(route.body, sent, 'body') };
      // An answer that has a member too many fails: nothing leaves that the contract does not name (AD05).
      const answer = route.answer.parse(await handler(request, by));
      ctx.status = route.status;
      ctx.body = answer;
    },
  };
}

/** There is no row with this id. */
export function unknownId(): OAuthError {
  return new OAuthError('invalid_request', 'There is nothing with this id.', { status: 404 });
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
