import { z } from 'zod';

/** Least role that may call a route. */
export type Permission = 'viewer' | 'operator' | 'owner';

/** One thing that the admin API does: the router, the typed client and openapi.json come from these. */
export interface Route<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodObject = z.ZodObject,
  A extends z.ZodType = z.ZodType,
> {
  /** `noun.verb` */
  name: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `{name}` stands for a member of `params`. */
  path: `/admin/api/${string}`;
  permission: Permission;
  summary: string;
  params: P;
  query: Q;
  body: B;
  answer: A;
  /** Of a successful answer. */
  status: 200 | 201;
}

/** Keeps the schemas of a route for the compiler. */
export function route<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodObject,
  A extends z.ZodType,
>(definition: Route<P, Q, B, A>): Route<P, Q, B, A> {
  return definition;
}

const none = z.strictObject({});

/** A route that takes nothing, to be spread into others. */
export const plain = { params: none, query: none, body: none, status: 200 } as const;

/** An id in a path. */
export const byId = z.strictObject({ id: z.string().regex(/^[\w.:-]{1,200}$/) });

/** A time on the wire: ISO 8601 in UTC. */
export const time = z.iso.datetime();

const q = z.string().min(1).max(200);
const limit = z.coerce.number().int().min(1).max(200).default(50);
const cursor = z.string().min(1).max(4096).optional();

/** What every list takes. */
export const paging = {
  limit: limit.describe('Rows of a page'),
  cursor: cursor.describe('`next_cursor` of the page before'),
};

/** `q` of a list that can be searched. */
export function search(what: string) {
  return { q: q.optional().describe(`Case-insensitive prefix of ${what}`) };
}

/** An exact value that a column must have. */
export const exact = z.string().min(1).max(2048).optional();

/** One page of a list. */
export function pageOf<Row extends z.ZodType>(row: Row) {
  return z.strictObject({
    items: z.array(row),
    next_cursor: z
      .string()
      .optional()
      .describe(
        'Absent on the last page. A page may have fewer rows than `limit` and still have it.',
      ),
  });
}
