import { type Insertable, type Kysely, type Selectable, sql } from 'kysely';
import type { SessionsTable, Tables } from '../db/index.ts';

/** A sign-in session as it is stored; `id` is the hash of the cookie's value. */
export type SessionRow = Selectable<SessionsTable>;

const columns = ['id', 'uid', 'user_id', 'payload', 'expires_at', 'created_at'] as const;

/** Writes a session; a known id gets the new payload, expiry, uid and user. */
export async function saveSession(
  db: Kysely<Tables>,
  row: Insertable<SessionsTable>,
): Promise<void> {
  await db
    .insertInto('sessions')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((update) => ({
        uid: update.ref('excluded.uid'),
        user_id: update.ref('excluded.user_id'),
        payload: update.ref('excluded.payload'),
        // An id that was rotated away has seconds to live; saving it again does not give it more.
        expires_at: sql<Date>`CASE WHEN sessions.expires_at < excluded.created_at + interval '20 seconds'
          THEN sessions.expires_at ELSE excluded.expires_at END`,
      })),
    )
    .execute();
}

/**
 * A live session by the hash of its cookie. Attack: a request that was under way when its user was
 * disabled writes the session back; so the user is looked at here, not only when he is disabled.
 */
export function findSession(
  db: Kysely<Tables>,
  id: string,
  now: Date,
): Promise<SessionRow | undefined> {
  return live(db, now).where('sessions.id', '=', id).executeTakeFirst();
}

/** A live session by the uid that survives the change of id at sign-in. */
export function findSessionByUid(
  db: Kysely<Tables>,
  uid: string,
  now: Date,
): Promise<SessionRow | undefined> {
  return live(db, now).where('sessions.uid', '=', uid).executeTakeFirst();
}

function live(db: Kysely<Tables>, now: Date) {
  return db
    .selectFrom('sessions')
    .leftJoin('users', 'users.id', 'sessions.user_id')
    .select(columns.map((column) => `sessions.${column}` as const))
    .where('sessions.expires_at', '>', now)
    .where((row) =>
      row.or([row('sessions.user_id', 'is', null), row('users.status', '=', 'active')]),
    );
}

/** @returns false when no session has that id */
export async function touchSession(
  db: Kysely<Tables>,
  { id, expiresAt }: { id: string; expiresAt: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('sessions')
    .set({ expires_at: expiresAt })
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function removeSession(db: Kysely<Tables>, id: string): Promise<void> {
  await db.deleteFrom('sessions').where('id', '=', id).execute();
}

export async function endSessionByUid(db: Kysely<Tables>, uid: string): Promise<void> {
  await db.deleteFrom('sessions').where('uid', '=', uid).execute();
}

/** Signs someone out everywhere. @param except uid of a session to keep @returns how many ended */
export async function endSessionsOfUser(
  db: Kysely<Tables>,
  userId: string,
  except = '',
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('sessions')
    .where('user_id', '=', userId)
    .where('uid', '<>', except)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

export async function countSessions(
  db: Kysely<Tables>,
  userId: string,
  now: Date,
): Promise<number> {
  const { count } = await db
    .selectFrom('sessions')
    .select((select) => select.fn.countAll<string>().as('count'))
    .where('user_id', '=', userId)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Removes at most `limit` expired sessions. @returns how many; fewer than `limit` means done */
export async function purgeSessions(db: Kysely<Tables>, now: Date, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('sessions')
    .where('id', 'in', (select) =>
      select.selectFrom('sessions').select('id').where('expires_at', '<=', now).limit(limit),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
