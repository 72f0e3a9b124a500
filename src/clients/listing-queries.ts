import { type Kysely, sql } from 'kysely';
import { likePrefix, type Tables } from '../db/index.ts';
import type { Position } from '../http/index.ts';
import { type ClientRow, clientColumns } from './rows.ts';
import type { Client } from './types.ts';

type Db = Kysely<Tables>;

export interface ListRequest {
  kind?: Client['kind'] | undefined;
  status?: Client['status'] | undefined;
  /** Case-insensitive prefix of id, name, redirect host or document host. */
  q?: string | undefined;
  /** Host of a redirect URI or of the document, exactly. */
  host?: string | undefined;
  sort?: 'created_at' | '-created_at' | '-last_used_at' | undefined;
  /** From the previous page. */
  cursor?: string | undefined;
  /** 1 to 200; default 50. */
  limit?: number | undefined;
}

/** What a page is made of: the clients that were named, or else those that a walk in order meets. */
export interface Search extends ListRequest {
  sort: NonNullable<ListRequest['sort']>;
  limit: number;
  /** Ids that `q` and `host` mean; undefined where these are too many to name. */
  named?: readonly string[] | undefined;
  after?: Position | undefined;
}

export interface ListedRow extends ClientRow {
  /** Grants that were not withdrawn, up to {@link mostCounted}. */
  grants: number;
}

/** Most clients that a search names; what fits more is frequent, and found by walking. */
export const mostNamed = 1000;
/** Most clients that one page looks at while it walks. */
const mostExamined = 5000;
const mostCounted = 1000;

/** The clients whose id, name or host begins with a text; one more than {@link mostNamed} at least where more do. */
export async function findPrefixed(db: Db, q: string): Promise<string[]> {
  const pattern = likePrefix(q);
  const { rows } = await sql<{ client_id: string }>`
    (SELECT client_id FROM clients WHERE lower(client_id) LIKE ${pattern} LIMIT ${mostNamed + 1})
    UNION ALL
    (SELECT client_id FROM clients WHERE lower(client_name) LIKE ${pattern} LIMIT ${mostNamed + 1})
    UNION ALL
    (SELECT client_id FROM client_hosts WHERE host LIKE ${pattern} LIMIT ${mostNamed + 1})`.execute(
    db,
  );
  return rows.map((row) => row.client_id);
}

/** The clients of a host, one more than {@link mostNamed} at most. */
export async function findAtHost(db: Db, host: string): Promise<string[]> {
  const rows = await db
    .selectFrom('client_hosts')
    .select('client_id')
    .where('host', '=', host)
    .limit(mostNamed + 1)
    .execute();
  return rows.map((row) => row.client_id);
}

/** A page and one row more. */
export function listClients(db: Db, search: Search): Promise<ListedRow[]> {
  const { named, q, host, limit } = search;
  const walked = named === undefined && (q ?? host) !== undefined;
  const source = walked
    ? walk(db, search).select(clientColumns).limit(mostExamined)
    : walk(db, search)
        .select(clientColumns)
        .limit(limit + 1);
  const place = placeColumn(search, 'c');
  const direction = search.sort === 'created_at' ? sql`asc` : sql`desc`;
  return db
    .selectFrom(source.as('c'))
    .select(clientColumns.map((column) => `c.${column}` as const))
    .select(grantsOf('c.client_id').as('grants'))
    .$if(walked && q !== undefined, (query) => query.where(beginsWith(q ?? '')))
    .$if(walked && host !== undefined, (query) => query.where(isAt(host ?? '')))
    .orderBy(sql`${place} ${direction}, c.client_id ${direction}`)
    .limit(limit + 1)
    .execute();
}

/** One client. */
export function findListed(db: Db, clientId: string): Promise<ListedRow | undefined> {
  return db
    .selectFrom('clients as c')
    .select(clientColumns.map((column) => `c.${column}` as const))
    .select(grantsOf('c.client_id').as('grants'))
    .where('c.client_id', '=', clientId)
    .executeTakeFirst();
}

/** Where a page that looked at as many clients as it may has stopped. */
export async function findPlace(db: Db, search: Search): Promise<Position | undefined> {
  const row = await walk(db, search)
    .select(['client_id', placeColumn(search, 'clients').as('at')])
    .offset(mostExamined - 1)
    .limit(1)
    .executeTakeFirst();
  return row && { at: row.at, id: row.client_id };
}

/** The clients that the indexes give, in order. */
function walk(db: Db, { kind, status, named, after, ...search }: Search) {
  const place = placeColumn(search, 'clients');
  const ascending = search.sort === 'created_at';
  const direction = ascending ? sql`asc` : sql`desc`;
  const beyond = ascending ? sql`>` : sql`<`;
  return db
    .selectFrom('clients')
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind ?? 'dcr'))
    .$if(status !== undefined, (query) => query.where('status', '=', status ?? 'active'))
    .$if(named !== undefined, (query) =>
      query.where(sql<boolean>`client_id = ANY(${named ?? []}::text[])`),
    )
    .$if(after !== undefined, (query) =>
      query.where(
        sql<boolean>`(${place}, client_id) ${beyond} (${after?.at ?? null}, ${after?.id ?? null})`,
      ),
    )
    .orderBy(sql`${place} ${direction}, client_id ${direction}`);
}

/** As the indexes have it: the parameter of a literal would keep them from being used. */
function placeColumn({ sort }: Pick<Search, 'sort'>, table: string) {
  return sort === '-last_used_at'
    ? sql<Date>`coalesce(${sql.ref(`${table}.last_used_at`)}, '1970-01-01 00:00:00+00'::timestamptz)`
    : sql<Date>`${sql.ref(`${table}.created_at`)}`;
}

function grantsOf(clientId: string) {
  return sql<number>`(SELECT count(*)::int FROM (SELECT FROM grants g
    WHERE g.client_id = ${sql.ref(clientId)} AND g.revoked_at IS NULL LIMIT ${mostCounted}) AS counted)`;
}

/** Of a row `c`, one by one: scalar subqueries, since EXISTS may read the whole other table once. */
function beginsWith(q: string) {
  const pattern = likePrefix(q);
  return sql<boolean>`(lower(c.client_id) LIKE ${pattern} OR lower(c.client_name) LIKE ${pattern}
    OR (SELECT true FROM client_hosts h
         WHERE h.client_id = c.client_id AND h.host LIKE ${pattern} LIMIT 1))`;
}

function isAt(host: string) {
  return sql<boolean>`(SELECT true FROM client_hosts h
    WHERE h.client_id = c.client_id AND h.host = ${host.toLowerCase()} LIMIT 1)`;
}
