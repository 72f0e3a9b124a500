import { type Kysely, type Selectable, sql } from 'kysely';
import type { FlowsTable, Tables } from '../db/index.ts';
import { cutPage, type Position, pageCursor } from '../http/index.ts';
import type { StepName } from './steps.ts';
import { abandonedAfter } from './view.ts';

/** An attempt as operators see it. */
export type ListedFlow = Selectable<FlowsTable> & {
  /** E-mail address of the person. */
  email: string | null;
};

export interface FlowQuery {
  status?: 'open' | 'succeeded' | 'failed' | 'abandoned' | undefined;
  clientId?: string | undefined;
  userId?: string | undefined;
  resource?: string | undefined;
  failedStep?: StepName | undefined;
  error?: string | undefined;
  /** Any trace id of the attempt. */
  traceId?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** Case-insensitive prefix of client_id, client name, redirect host, first or last trace id. */
  q?: string | undefined;
  sort?: '-created_at' | 'created_at' | undefined;
  cursor?: string | undefined;
  /** 1 to 200. */
  limit: number;
}

/** Most rows that one page looks at, so that no combination of filters becomes a scan. */
const mostExamined = 5000;
/** What a prefix may match before it is too broad to be collected first. */
const mostMatches = 1000;

type FilterColumn = 'client_id' | 'user_id' | 'error' | 'failed_step' | 'resource' | 'status';

/** Where a page begins, and which rows alone it may have. */
interface Narrowed {
  after: Position | undefined;
  matches: string[] | undefined;
}

/**
 * One page of attempts, newest first. A page may be short, and even empty, while `next_cursor` says that
 * there is more to look at.
 *
 * @throws OAuthError invalid_request where the cursor is not ours
 */
export async function listFlowsPage(
  db: Kysely<Tables>,
  query: FlowQuery,
  now: Date,
): Promise<{ items: ListedFlow[]; next_cursor?: string }> {
  const { sort = '-created_at', limit, cursor, q } = query;
  const cursors = pageCursor(`flows ${sort}`);
  const after = cursor === undefined ? undefined : cursors.read(cursor);
  const matches = intersection(await tracedBy(db, query.traceId), await matchesOf(db, q));
  const rows = await selectPage(db, query, { after, now, matches });
  const { items, next } = cutPage(rows, limit, placeOf);
  const narrowed = q !== undefined || filtersOf(query).length > 0;
  const further =
    next ?? (narrowed ? await lastExamined(db, query, { after, matches }) : undefined);
  return { items, ...(further && { next_cursor: cursors.write(further) }) };
}

/** One attempt with its steps. */
export async function findFlow(db: Kysely<Tables>, id: string): Promise<ListedFlow | undefined> {
  return db
    .selectFrom('flows as f')
    .selectAll('f')
    .select(email)
    .where('f.id', '=', id)
    .executeTakeFirst();
}

const email = sql<string | null>`(SELECT email FROM users WHERE users.id = f.user_id)`.as('email');

function placeOf({ created_at: at, id }: { created_at: Date; id: string }): Position {
  return { at, id };
}

/** Ids of the attempts that a trace id belongs to. Asked alone: in order, the planner would walk all rows. */
async function tracedBy(db: Kysely<Tables>, trace: string | undefined) {
  if (trace === undefined) return undefined;
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM flows WHERE trace_ids @> ARRAY[${trace.toUpperCase()}]::text[] LIMIT ${mostMatches}`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}

function intersection(a: string[] | undefined, b: string[] | undefined): string[] | undefined {
  return a && b ? a.filter((id) => b.includes(id)) : (a ?? b);
}

/** Ids that a prefix matches by its indexes; undefined where there is none, or it matches too much. */
async function matchesOf(db: Kysely<Tables>, q: string | undefined): Promise<string[] | undefined> {
  if (q === undefined) return undefined;
  const pattern = `${q.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
  const { rows } = await sql<{ id: string }>`
    (SELECT id FROM flows WHERE lower(client_id) LIKE ${pattern} LIMIT ${mostMatches}) UNION ALL
    (SELECT id FROM flows WHERE lower(client_name) LIKE ${pattern} LIMIT ${mostMatches}) UNION ALL
    (SELECT id FROM flows WHERE lower(redirect_host) LIKE ${pattern} LIMIT ${mostMatches}) UNION ALL
    (SELECT id FROM flows WHERE lower(first_trace) LIKE ${pattern} LIMIT ${mostMatches}) UNION ALL
    (SELECT id FROM flows WHERE lower(last_trace) LIKE ${pattern} LIMIT ${mostMatches})
    LIMIT ${mostMatches}`.execute(db);
  return rows.length < mostMatches ? [...new Set(rows.map(({ id }) => id))] : undefined;
}

/** The filters of a query that an index begins with, the narrowest first. */
function filtersOf(query: FlowQuery): readonly (readonly [FilterColumn, string])[] {
  const status = query.status === 'abandoned' ? 'open' : query.status;
  const filters = [
    ['client_id', query.clientId],
    ['user_id', query.userId],
    ['error', query.error],
    ['failed_step', query.failedStep],
    ['resource', query.resource],
    ['status', status],
  ] as const;
  return filters.flatMap(([column, value]) => (value === undefined ? [] : [[column, value]]));
}

/** The attempts that one index gives, in order: along the narrowest filter, or all of them. */
function walk(db: Kysely<Tables>, query: FlowQuery, { after, matches }: Narrowed) {
  const ascending = query.sort === 'created_at';
  const direction = ascending ? 'asc' : 'desc';
  const { from = new Date(0), to = new Date(0) } = query;
  const [lead] = filtersOf(query);
  return db
    .selectFrom('flows')
    .$if(matches !== undefined, (rows) => rows.where('id', 'in', ['', ...(matches ?? [])]))
    .$if(lead !== undefined && matches === undefined, (rows) =>
      rows.where(lead?.[0] ?? 'status', '=', lead?.[1] ?? ''),
    )
    .$if(query.from !== undefined, (rows) => rows.where('created_at', '>=', from))
    .$if(query.to !== undefined, (rows) => rows.where('created_at', '<', to))
    .$if(after !== undefined, (rows) =>
      rows.where((where) =>
        where(
          where.refTuple('created_at', 'id'),
          ascending ? '>' : '<',
          where.tuple(after?.at ?? new Date(0), after?.id ?? ''),
        ),
      ),
    )
    .orderBy('created_at', direction)
    .orderBy('id', direction);
}

function selectPage(
  db: Kysely<Tables>,
  query: FlowQuery,
  { now, ...narrowed }: Narrowed & { now: Date },
): Promise<ListedFlow[]> {
  const { sort = '-created_at', limit, q, status } = query;
  const direction = sort === 'created_at' ? 'asc' : 'desc';
  const left = new Date(now.getTime() - abandonedAfter);
  const filters = filtersOf(query);
  // A prefix that matches too much to be collected, and one beside a trace id.
  const isBroad = q !== undefined;
  return db
    .selectFrom(walk(db, query, narrowed).selectAll().limit(mostExamined).as('f'))
    .selectAll('f')
    .select(email)
    .where((where) => where.and(filters.map(([column, value]) => where(`f.${column}`, '=', value))))
    .$if(status === 'abandoned', (rows) => rows.where('f.updated_at', '<', left))
    .$if(status === 'open', (rows) => rows.where('f.updated_at', '>=', left))
    .$if(isBroad, (rows) => rows.where(beginsWith(q ?? '')))
    .orderBy('f.created_at', direction)
    .orderBy('f.id', direction)
    .limit(limit + 1)
    .execute();
}

/** Where a page that looked at as many rows as it may has stopped. */
async function lastExamined(
  db: Kysely<Tables>,
  query: FlowQuery,
  narrowed: Narrowed,
): Promise<Position | undefined> {
  const row = await walk(db, query, narrowed)
    .select(['created_at', 'id'])
    .offset(mostExamined - 1)
    .limit(1)
    .executeTakeFirst();
  return row && placeOf(row);
}

function beginsWith(q: string) {
  const prefix = q.toLowerCase();
  return sql<boolean>`(starts_with(lower(f.client_id), ${prefix})
    OR starts_with(lower(f.client_name), ${prefix}) OR starts_with(lower(f.redirect_host), ${prefix})
    OR starts_with(lower(f.first_trace), ${prefix}) OR starts_with(lower(f.last_trace), ${prefix}))`;
}
