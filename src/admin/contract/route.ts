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
  /**
   * Whether an admin of a workspace may call it who has no role: its handler then looks at nothing but what
   * belongs to `by.workspaceIds`.
   */
  workspaceAdmin?: boolean;
  summary: string;
  params: P;
  query: Q;
  body: B;
  answer: A;
  /** Of a successful answer. */
  status: 200 | 201;
  /**
   * Whether `If-Match` is taken. The handler then calls `request.precondition` with the version of the row
   * that it has locked, in the transaction of its change; a route without this refuses the header.
   */
  conditional?: boolean;
  /** Of an answer that is streamed and no JSON: the types that it may have. `answer` then is text. */
  media?: readonly string[];
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

/** Of a row that can be edited: what `ETag` says of one row and `If-Match` asks for. */
export const version = z.string().describe('Differs after every change; send it as `If-Match`');

/** Why something was done, for the audit log. */
export const reason = z.strictObject({
  reason: z.string().min(1).max(500).optional().describe('For the audit log'),
});

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
