import { type Kysely, type SqlBool, sql } from 'kysely';
import type { Tables } from '../db/index.ts';
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
  const { items, next } = cutPage(await select(db, query, after), limit, placeIn(sort));
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
  after: Position | undefined,
): Promise<Row[]> {
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  const beyond = direction === 'desc' ? '<' : '>';
  const page = selectUsers(db)
    .$if(q !== undefined, (rows) => rows.where(beginsWith(q ?? '')))
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

/** Along the three indexes of prefixes; the text is data, never part of the pattern. */
function beginsWith(q: string) {
  const pattern = (text: string) => `${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const lower = pattern(q.toLowerCase());
  return sql<SqlBool>`(lower(id) LIKE ${lower} OR email_key LIKE ${pattern(emailKey(q))}
    OR (name IS NOT NULL AND lower(name) LIKE ${lower}))`;
}

function placeIn(sort: PeopleOrder) {
  return ({ created_at, id, email_key }: Row): Position =>
    sort.endsWith('email') ? { at: new Date(0), id: email_key } : { at: created_at, id };
}

function toListed(row: Row): ListedUser {
  return { ...toUser(row), updatedAt: row.updated_at, hasPassword: row.password_hash !== null };
}
