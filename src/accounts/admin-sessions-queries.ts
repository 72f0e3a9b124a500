import type { Insertable, Kysely } from 'kysely';
import type { AdminSessionsTable, Tables } from '../db/index.ts';
import { type UserRow, userColumns } from './queries.ts';

/** A session together with its person. */
export interface LiveAdminSession extends UserRow {
  session_id: string;
  provider: string | null;
  last_seen_at: Date;
  expires_at: Date;
  ends_at: Date;
}

export async function insertAdminSession(
  db: Kysely<Tables>,
  row: Insertable<AdminSessionsTable>,
): Promise<void> {
  await db.insertInto('admin_sessions').values(row).execute();
}

/** By the hash of the cookie's value; the account is looked at now, not as it was at sign-in. */
export function findAdminSession(
  db: Kysely<Tables>,
  id: string,
  now: Date,
): Promise<LiveAdminSession | undefined> {
  return db
    .selectFrom('admin_sessions as s')
    .innerJoin('users as u', 'u.id', 's.user_id')
    .select(['s.id as session_id', 's.provider', 's.last_seen_at', 's.expires_at', 's.ends_at'])
    .select(userColumns.map((column) => `u.${column}` as const))
    .where('s.id', '=', id)
    .where('s.expires_at', '>', now)
    .where('s.ends_at', '>', now)
    .where('u.status', '=', 'active')
    .executeTakeFirst();
}

export async function touchAdminSession(
  db: Kysely<Tables>,
  { id, lastSeenAt, expiresAt }: { id: string; lastSeenAt: Date; expiresAt: Date },
): Promise<void> {
  await db
    .updateTable('admin_sessions')
    .set({ last_seen_at: lastSeenAt, expires_at: expiresAt })
    .where('id', '=', id)
    .execute();
}

/** @returns whose it was */
export async function endAdminSession(db: Kysely<Tables>, id: string): Promise<string | undefined> {
  const row = await db
    .deleteFrom('admin_sessions')
    .where('id', '=', id)
    .returning('user_id')
    .executeTakeFirst();
  return row?.user_id;
}

/** @returns how many ended */
export async function endAdminSessionsOfUser(db: Kysely<Tables>, userId: string): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('admin_sessions')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

export async function countAdminSessions(
  db: Kysely<Tables>,
  userId: string,
  now: Date,
): Promise<number> {
  const { count } = await db
    .selectFrom('admin_sessions')
    .select((select) => select.fn.countAll<string>().as('count'))
    .where('user_id', '=', userId)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Removes at most `limit` sessions that have ended. @returns how many; fewer than `limit` means done */
export async function purgeAdminSessions(
  db: Kysely<Tables>,
  now: Date,
  limit: number,
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('admin_sessions')
    .where('id', 'in', (select) =>
      select.selectFrom('admin_sessions').select('id').where('expires_at', '<=', now).limit(limit),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
