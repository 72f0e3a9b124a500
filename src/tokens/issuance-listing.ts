import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../db/index.ts';
import { cutPage, type Position, pageCursor } from '../http/index.ts';
import type { IssuanceQuery, IssuanceRow, IssuanceStatus } from './issuance-rows.ts';
import { examineOwned, findOwners, type Owners } from './issuance-search.ts';

/**
 * Most records that one page looks at. Filters without an index are asked of these only, so that a filter
 * that few records match costs no walk through the table: the page is short, and has a cursor.
 */
export const mostExamined = 5000;
/** Where each record has to be judged by all that it hangs on, which takes longer. */
const mostJudged = 1000;
/** Most ancestors that are shown: a chain of refreshes may be as long as its family lives. */
const mostParents = 32;
/** Most children that are counted. */
const mostChildren = 1000;

const columns = [
  'jti',
  'kind',
  'grant_type',
  'sub',
  'client_id',
  'resource',
  'scope',
  'token_type',
  'jkt',
  'workspace_id',
  'family_id',
  'grant_id',
  'parent_jti',
  'root_jti',
  'issued_at',
  'expires_at',
  'revoked_at',
] as const;

/** What was issued, for operators. */
export function createIssuances({ kysely }: Pick<Database, 'kysely'>) {
  return {
    /**
     * One page, newest first. A page may be short, and even empty, while `next_cursor` says that there
     * is more to look at.
     *
     * @throws OAuthError invalid_request where the cursor is not ours
     */
    async list(
      query: IssuanceQuery,
      now: Date,
    ): Promise<{ items: IssuanceRow[]; next_cursor?: string }> {
      const { sort = '-issued_at', limit, cursor } = query;
      const cursors = pageCursor(`issuances ${sort}`);
      const after = cursor === undefined ? undefined : cursors.read(cursor);
      const owners = query.q === undefined ? undefined : await findOwners(kysely, query.q);
      if (owners) return listOwned(kysely, query, { owners, after, now });
      const rows = await pageQuery(kysely, query, { after, now }).execute();
      const { items, next } = cutPage(rows, limit, placeOf);
      const further =
        next ?? (isNarrowed(query) ? await lastExamined(kysely, query, after) : undefined);
      return { items, ...(further && { next_cursor: cursors.write(further) }) };
    },

    async find(jti: string, now: Date): Promise<IssuanceRow | undefined> {
      const source = kysely.selectFrom('issuances').select(columns).where('jti', '=', jti);
      return kysely.selectFrom(source.as('i')).select(shown(now)).executeTakeFirst();
    },

    /** What a token came from, nearest first: exchanges and refreshes, 32 at most. */
    async parents(jti: string, now: Date): Promise<IssuanceRow[]> {
      const { rows } = await sql<{ jti: string }>`
        WITH RECURSIVE up AS (
          SELECT parent_jti AS jti, 1 AS depth FROM issuances WHERE jti = ${jti}
          UNION ALL
          SELECT i.parent_jti, up.depth + 1 FROM up JOIN issuances i ON i.jti = up.jti
           WHERE up.depth < ${mostParents}
        ) SELECT jti FROM up WHERE jti IS NOT NULL ORDER BY depth`.execute(kysely);
      const order = rows.map((row) => row.jti);
      if (order.length === 0) return [];
      const source = kysely.selectFrom('issuances').select(columns).where('jti', 'in', order);
      const found = await kysely.selectFrom(source.as('i')).select(shown(now)).execute();
      return found.toSorted((a, b) => order.indexOf(a.jti) - order.indexOf(b.jti));
    },

    /** How many tokens came from this one directly; 1,000 at most are counted. */
    async countChildren(jti: string): Promise<number> {
      const children = kysely
        .selectFrom('issuances')
        .select('jti')
        .where('parent_jti', '=', jti)
        .limit(mostChildren);
      const { count } = await kysely
        .selectFrom(children.as('c'))
        .select((select) => select.fn.countAll<string>().as('count'))
        .executeTakeFirstOrThrow();
      return Number(count);
    },
  };
}

export type Issuances = ReturnType<typeof createIssuances>;

function placeOf({ issued_at: at, jti: id }: { issued_at: Date; jti: string }): Position {
  return { at, id };
}

/** Filters beyond those that an index answers. */
function isNarrowed({ resource, grant_type, kind, status, q }: IssuanceQuery): boolean {
  return [resource, grant_type, kind, status, q].some((filter) => filter !== undefined);
}

function sourceOf(db: Kysely<Tables>, query: IssuanceQuery, after: Position | undefined) {
  return walk(db, query, after).select(columns);
}

/** How many records one page may look at. */
function budgetOf({ status }: IssuanceQuery): number {
  return status === undefined || status === 'expired' ? mostExamined : mostJudged;
}

/** The records that the indexes give, in order. */
function walk(
  db: Kysely<Tables>,
  { sub, client_id, parent, workspaceIds, sort = '-issued_at' }: IssuanceQuery,
  after: Position | undefined,
) {
  const [direction, beyond] =
    sort === 'issued_at' ? (['asc', '>'] as const) : (['desc', '<'] as const);
  return db
    .selectFrom('issuances')
    .$if(sub !== undefined, (query) => query.where('sub', '=', sub ?? ''))
    .$if(client_id !== undefined, (query) => query.where('client_id', '=', client_id ?? ''))
    .$if(workspaceIds !== undefined, (query) =>
      query.where('workspace_id', 'in', ['-', ...(workspaceIds ?? [])]),
    )
    .$if(parent !== undefined, (query) => query.where('parent_jti', '=', parent ?? ''))
    .$if(after !== undefined, (query) =>
      query.where((where) =>
        where(
          where.refTuple('issued_at', 'jti'),
          beyond,
          where.tuple(after?.at ?? new Date(0), after?.id ?? ''),
        ),
      ),
    )
    .orderBy('issued_at', direction)
    .orderBy('jti', direction);
}

/** One page of what the people and clients were issued whom a search means. */
async function listOwned(
  db: Kysely<Tables>,
  query: IssuanceQuery,
  { owners, after, now }: { owners: Owners; after: Position | undefined; now: Date },
): Promise<{ items: IssuanceRow[]; next_cursor?: string }> {
  const { sort = '-issued_at', limit } = query;
  const ascending = sort === 'issued_at';
  const budget = budgetOf(query);
  const { jtis, stop } = await examineOwned(db, { owners, ascending, after, budget });
  const source = sourceOf(db, query, after).where('jti', 'in', ['', ...jtis]);
  const rows = await filtered(db, source, { query: { ...query, q: undefined }, now }).execute();
  const { items, next = stop } = cutPage(rows, limit, placeOf);
  return { items, ...(next && { next_cursor: pageCursor(`issuances ${sort}`).write(next) }) };
}

/** The one statement of a page, with one row more than fits. */
export function pageQuery(
  db: Kysely<Tables>,
  query: IssuanceQuery,
  { after, now }: { after: Position | undefined; now: Date },
) {
  const source = sourceOf(db, query, after).limit(budgetOf(query));
  return filtered(db, source, { query, now });
}

/** Those of the records that the filters leave, judged and in order. */
function filtered(
  db: Kysely<Tables>,
  source: ReturnType<typeof sourceOf>,
  { query, now }: { query: IssuanceQuery; now: Date },
) {
  const { resource, grant_type, kind, status, q, sort = '-issued_at', limit } = query;
  const direction = sort === 'issued_at' ? 'asc' : 'desc';
  return db
    .selectFrom(source.as('i'))
    .select(shown(now))
    .$if(resource !== undefined, (page) => page.where('i.resource', '=', resource ?? ''))
    .$if(grant_type !== undefined, (page) => page.where('i.grant_type', '=', grant_type ?? ''))
    .$if(kind !== undefined, (page) => page.where('i.kind', '=', kind ?? ''))
    .$if(status !== undefined, (page) => page.where(hasStatus(status ?? 'active', now)))
    .$if(q !== undefined, (page) => page.where(beginsWith(q ?? '')))
    .orderBy('i.issued_at', direction)
    .orderBy('i.jti', direction)
    .limit(limit + 1);
}

/** Where a page that looked at as many records as it may has stopped. */
async function lastExamined(
  db: Kysely<Tables>,
  query: IssuanceQuery,
  after: Position | undefined,
): Promise<Position | undefined> {
  const row = await walk(db, query, after)
    .select(['issued_at', 'jti'])
    .offset(budgetOf(query) - 1)
    .limit(1)
    .executeTakeFirst();
  return row && placeOf(row);
}

function shown(now: Date) {
  return [
    ...columns.map((column) => `i.${column}` as const),
    statusAt(now).as('status'),
    sql<string | null>`(SELECT email FROM users WHERE id = i.sub)`.as('username'),
  ];
}

/**
 * A token whose own record says nothing may have ended with its family, grant, person, client or ancestors,
 * which is asked of tokens that have not expired only.
 */
function statusAt(now: Date) {
  return sql<IssuanceStatus>`CASE
    WHEN i.revoked_at IS NOT NULL THEN 'revoked'
    WHEN i.expires_at <= ${now} THEN 'expired'
    WHEN NOT issuance_alive(i.jti) THEN 'revoked'
    WHEN i.kind = 'refresh_token' AND EXISTS (
      SELECT FROM artifacts a WHERE a.id = i.jti AND a.consumed_at IS NOT NULL) THEN 'used'
    ELSE 'active' END`;
}

/** Expiry is asked of the record alone, so that a list of what has expired judges nothing. */
function hasStatus(status: IssuanceStatus, now: Date) {
  return status === 'expired'
    ? sql<boolean>`(i.revoked_at IS NULL AND i.expires_at <= ${now})`
    : sql<boolean>`${statusAt(now)} = ${status}`;
}

function beginsWith(q: string) {
  const prefix = q.toLowerCase();
  return sql<boolean>`(starts_with(lower(i.jti), ${prefix}) OR starts_with(lower(i.sub), ${prefix})
    OR starts_with(lower(i.client_id), ${prefix})
    OR starts_with((SELECT email_key FROM users WHERE id = i.sub), ${prefix}))`;
}
