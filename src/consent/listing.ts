import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';
import { cutPage, type Position, pageCursor } from '../http/index.ts';
import { beginsWith, type Found, findOwners, isFoundBy } from './listing-search.ts';

/** `expired`: consent is still remembered, but no token under it is alive. */
export type GrantStatus = 'active' | 'expired' | 'revoked';

/** A grant as operators see it. */
export interface ListedGrant {
  id: string;
  user_id: string;
  /** E-mail address of the person. */
  email: string | null;
  client_id: string;
  client_name: string | null;
  label: string | null;
  resource: string;
  workspace_id: string;
  scopes: string[];
  status: GrantStatus;
  redirect_host: string;
  created_at: Date;
  updated_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export interface GrantQuery {
  /** These have an index each. */
  userId?: string | undefined;
  clientId?: string | undefined;
  resource?: string | undefined;
  /** Only grants for one of these workspaces. */
  workspaceIds?: readonly string[] | undefined;
  status?: GrantStatus | undefined;
  /** Case-insensitive prefix of the ids of grant, person and client, of e-mail address and client name. */
  q?: string | undefined;
  sort?: '-created_at' | 'created_at' | undefined;
  cursor?: string | undefined;
  /** 1 to 200. */
  limit: number;
}

/** Most grants that one page looks at: what has no index is asked of these only. */
const mostExamined = 5000;

const columns = [
  'id',
  'user_id',
  'client_id',
  'label',
  'resource',
  'workspace_id',
  'scopes',
  'redirect_host',
  'created_at',
  'updated_at',
  'last_used_at',
  'revoked_at',
] as const;

/** A query together with whom its `q` means; undefined where that are too many to name. */
interface Search extends GrantQuery {
  found?: Found | undefined;
  after?: Position | undefined;
}

/**
 * One page of everybody's grants, newest first. A page may be short, and even empty, while `next_cursor`
 * says that there is more to look at.
 *
 * @throws OAuthError invalid_request where the cursor is not ours
 */
export async function listGrantsPage(
  db: Kysely<Tables>,
  query: GrantQuery,
  now: Date,
): Promise<{ items: ListedGrant[]; next_cursor?: string }> {
  const { sort = '-created_at', limit, cursor, status, q } = query;
  const cursors = pageCursor(`grants ${sort}`);
  const search: Search = {
    ...query,
    after: cursor === undefined ? undefined : cursors.read(cursor),
    found: q === undefined ? undefined : await findOwners(db, q),
  };
  const { items, next } = cutPage(await selectPage(db, search, now), limit, placeOf);
  const narrowed = status !== undefined || (q !== undefined && !search.found);
  const further = next ?? (narrowed ? await lastExamined(db, search) : undefined);
  return { items, ...(further && { next_cursor: cursors.write(further) }) };
}

/** One grant, a revoked one too. */
export function findListedGrant(
  db: Kysely<Tables>,
  id: string,
  now: Date,
): Promise<ListedGrant | undefined> {
  const source = db.selectFrom('grants').select(columns).where('id', '=', id);
  return db.selectFrom(source.as('g')).select(shown(now)).executeTakeFirst();
}

function placeOf({ created_at: at, id }: { created_at: Date; id: string }): Position {
  return { at, id };
}

/** The grants that the indexes give, in order. */
function walk(db: Kysely<Tables>, search: Search) {
  const { userId, clientId, resource, workspaceIds, status, found, after, sort } = search;
  const ascending = sort === 'created_at';
  const direction = ascending ? 'asc' : 'desc';
  return db
    .selectFrom('grants')
    .$if(userId !== undefined, (query) => query.where('user_id', '=', userId ?? ''))
    .$if(clientId !== undefined, (query) => query.where('client_id', '=', clientId ?? ''))
    .$if(resource !== undefined, (query) => query.where('resource', '=', resource ?? ''))
    .$if(workspaceIds !== undefined, (query) =>
      query.where('workspace_id', 'in', ['-', ...(workspaceIds ?? [])]),
    )
    .$if(status === 'revoked', (query) => query.where('revoked_at', 'is not', null))
    .$if(found !== undefined, (query) => query.where(isFoundBy(found)))
    .$if(after !== undefined, (query) =>
      query.where((where) =>
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

function selectPage(db: Kysely<Tables>, search: Search, now: Date): Promise<ListedGrant[]> {
  const { status, q, found, sort = '-created_at', limit } = search;
  const direction = sort === 'created_at' ? 'asc' : 'desc';
  return db
    .selectFrom(walk(db, search).select(columns).limit(mostExamined).as('g'))
    .select(shown(now))
    .$if(status !== undefined, (page) => page.where(statusAt(now), '=', status ?? 'active'))
    .$if(q !== undefined && !found, (page) => page.where(beginsWith(q ?? '')))
    .orderBy('g.created_at', direction)
    .orderBy('g.id', direction)
    .limit(limit + 1)
    .execute();
}

/** Where a page that looked at as many grants as it may has stopped. */
async function lastExamined(db: Kysely<Tables>, search: Search): Promise<Position | undefined> {
  const row = await walk(db, search)
    .select(['created_at', 'id'])
    .offset(mostExamined - 1)
    .limit(1)
    .executeTakeFirst();
  return row && placeOf(row);
}

function shown(now: Date) {
  return [
    ...columns.map((column) => `g.${column}` as const),
    statusAt(now).as('status'),
    sql<string | null>`(SELECT email FROM users WHERE id = g.user_id)`.as('email'),
    sql<string | null>`(SELECT client_name FROM clients WHERE client_id = g.client_id)`.as(
      'client_name',
    ),
  ];
}

/**
 * Tokens hang on a grant through a family or, where they were exchanged, directly. Scalar subqueries, since
 * Postgres may answer EXISTS by reading the whole other table once.
 */
function statusAt(now: Date) {
  return sql<GrantStatus>`CASE
    WHEN g.revoked_at IS NOT NULL THEN 'revoked'
    WHEN (SELECT true FROM families f
           WHERE f.grant_id = g.id AND f.revoked_at IS NULL AND f.expires_at > ${now} LIMIT 1)
      OR (SELECT true FROM issuances i WHERE i.grant_id = g.id AND i.family_id IS NULL
             AND i.revoked_at IS NULL AND i.expires_at > ${now} LIMIT 1) THEN 'active'
    ELSE 'expired' END`;
}
