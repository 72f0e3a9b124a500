import { type Kysely, type SqlBool, sql } from 'kysely';
import { likePrefix, type Tables } from '../db/index.ts';
import { cutPage, type Position, pageCursor } from '../http/index.ts';
import { emailKey } from './policy.ts';
import { type UserRow, userColumns } from './queries.ts';
import { type Role, toUser, type User } from './user.ts';

/** Columns by which people are listed; each has an index. */
export type PeopleOrder = 'created_at' | '-created_at' | 'email' | '-email';

export interface PeopleQuery {
  /** Case-insensitive prefix of id, e-mail address and name. */
  q?: string | undefined;
  role?: Role | 'none' | undefined;
  status?: User['status'] | undefined;
  group?: string | undefined;
  sort: PeopleOrder;
  cursor?: string | undefined;
  /** 1 to 200. */
  limit: number;
}

/** An account as operators see it. */
export interface ListedUser extends User {
  updatedAt: Date;
  hasPassword: boolean;
}

type Row = UserRow & { email_key: string; updated_at: Date };

/**
 * One page of the accounts.
 *
 * @throws OAuthError invalid_request where the cursor is not ours
 */
export async function listPeople(
  db: Kysely<Tables>,
  query: PeopleQuery,
): Promise<{ items: ListedUser[]; next_cursor?: string }> {
  const { sort, limit, cursor } = query;
  const cursors = pageCursor(`users ${sort}`);
  const after = cursor === undefined ? undefined : cursors.read(cursor);
  const named = query.q === undefined ? undefined : await findNamed(db, query.q);
  const rows = await select(db, query, { after, named });
  const { items, next } = cutPage(rows, limit, placeIn(sort));
  return { items: items.map(toListed), ...(next && { next_cursor: cursors.write(next) }) };
}

export async function findPerson(
  db: Kysely<Tables>,
  id: string,
): Promise<(ListedUser & { emailKey: string }) | undefined> {
  const row = await selectUsers(db).where('id', '=', id).executeTakeFirst();
  return row && { ...toListed(row), emailKey: row.email_key };
}

function selectUsers(db: Kysely<Tables>) {
  return db.selectFrom('users').select([...userColumns, 'email_key', 'updated_at']);
}

function select(
  db: Kysely<Tables>,
  { q, role, status, group, sort, limit }: PeopleQuery,
  { after, named }: { after: Position | undefined; named: readonly string[] | undefined },
): Promise<Row[]> {
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  const beyond = direction === 'desc' ? '<' : '>';
  const page = selectUsers(db)
    .$if(named !== undefined, (rows) => rows.where(sql<SqlBool>`id = ANY(${named ?? []}::text[])`))
    .$if(q !== undefined && named === undefined, (rows) => rows.where(beginsWith(q ?? '')))
    .$if(role === 'none', (rows) => rows.where('role', 'is', null))
    .$if(role !== undefined && role !== 'none', (rows) =>
      rows.where('role', '=', role === 'none' ? null : (role ?? null)),
    )
    .$if(status !== undefined, (rows) => rows.where('status', '=', status ?? 'active'))
    .$if(group !== undefined, (rows) =>
      rows.where(sql<SqlBool>`groups @> ARRAY[${group ?? ''}]::text[]`),
    )
    .limit(limit + 1);
  if (sort === 'email' || sort === '-email') {
    return page
      .$if(after !== undefined, (rows) => rows.where('email_key', beyond, after?.id ?? ''))
      .orderBy('email_key', direction)
      .execute();
  }
  return page
    .$if(after !== undefined, (rows) =>
      rows.where((row) =>
        row(
          row.refTuple('created_at', 'id'),
          beyond,
          row.tuple(after?.at ?? new Date(0), after?.id ?? ''),
        ),
      ),
    )
    .orderBy('created_at', direction)
    .orderBy('id', direction)
    .execute();
}

/** Most people that a search names; what fits more is frequent, and met soon by whoever walks in order. */
const mostNamed = 1000;

/** Ids by the three indexes of prefixes; undefined where they are too many to name. */
async function findNamed(db: Kysely<Tables>, q: string): Promise<string[] | undefined> {
  const { byId, byEmail, byName } = beginnings(q);
  const some = sql`LIMIT ${mostNamed + 1}`;
  const { rows } = await sql<{ id: string }>`
    (SELECT id FROM users WHERE ${byId} ${some}) UNION ALL
    (SELECT id FROM users WHERE ${byEmail} ${some}) UNION ALL
    (SELECT id FROM users WHERE ${byName} ${some})`.execute(db);
  return rows.length > mostNamed ? undefined : rows.map(({ id }) => id);
}

function beginsWith(q: string) {
  const { byId, byEmail, byName } = beginnings(q);
  return sql<SqlBool>`(${byId} OR ${byEmail} OR (${byName}))`;
}

function beginnings(q: string) {
  const pattern = likePrefix(q);
  return {
    byId: sql`lower(id) LIKE ${pattern}`,
    byEmail: sql`email_key LIKE ${likePrefix(emailKey(q))}`,
    byName: sql`name IS NOT NULL AND lower(name) LIKE ${pattern}`,
  };
}

function placeIn(sort: PeopleOrder) {
  return ({ created_at, id, email_key }: Row): Position =>
    sort.endsWith('email') ? { at: new Date(0), id: email_key } : { at: created_at, id };
}

function toListed(row: Row): ListedUser {
  return { ...toUser(row), updatedAt: row.updated_at, hasPassword: row.password_hash !== null };
}
