import { type Insertable, type Kysely, type Selectable, sql, type Updateable } from 'kysely';
import type { Tables, UsersTable } from '../db/index.ts';

export type UserRow = Omit<Selectable<UsersTable>, 'email_key' | 'updated_at'>;

export const userColumns = [
  'id',
  'email',
  'name',
  'password_hash',
  'role',
  'groups',
  'status',
  'source',
  'created_at',
  'last_login_at',
] as const;

export function findUser(db: Kysely<Tables>, id: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').select(userColumns).where('id', '=', id).executeTakeFirst();
}

export function findUserByEmailKey(db: Kysely<Tables>, key: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').select(userColumns).where('email_key', '=', key).executeTakeFirst();
}

/** One page, by e-mail. */
export function listUsers(
  db: Kysely<Tables>,
  { limit, after = '' }: { limit: number; after?: string | undefined },
): Promise<(UserRow & { email_key: string })[]> {
  return db
    .selectFrom('users')
    .select([...userColumns, 'email_key'])
    .where('email_key', '>', after)
    .orderBy('email_key')
    .limit(limit)
    .execute();
}

/** Accounts that the configuration made and that are not among `keys`. */
export function listUndeclaredUsers(
  db: Kysely<Tables>,
  keys: readonly string[],
): Promise<{ email: string }[]> {
  return db
    .selectFrom('users')
    .select('email')
    .where('source', '=', 'config')
    .where(sql<boolean>`email_key <> ALL(${[...keys]}::text[])`)
    .orderBy('email_key')
    .execute();
}

/** @returns undefined when the e-mail address is taken */
export function insertUser(
  db: Kysely<Tables>,
  row: Insertable<UsersTable>,
): Promise<UserRow | undefined> {
  return db
    .insertInto('users')
    .values(row)
    .onConflict((conflict) => conflict.column('email_key').doNothing())
    .returning(userColumns)
    .executeTakeFirst();
}

/** @returns undefined when there is no such account */
export function updateUser(
  db: Kysely<Tables>,
  id: string,
  change: Updateable<UsersTable> & { updated_at: Date },
): Promise<UserRow | undefined> {
  return db
    .updateTable('users')
    .set(change)
    .where('id', '=', id)
    .returning(userColumns)
    .executeTakeFirst();
}

/** @returns undefined when the account already has that status, or does not exist */
export function updateUserStatus(
  db: Kysely<Tables>,
  { id, status, now }: { id: string; status: UserRow['status']; now: Date },
): Promise<UserRow | undefined> {
  return db
    .updateTable('users')
    .set({ status, updated_at: now })
    .where('id', '=', id)
    .where('status', '<>', status)
    .returning(userColumns)
    .executeTakeFirst();
}

/** @returns undefined when the account was disabled or its password changed since it was verified */
export function markSignedIn(
  db: Kysely<Tables>,
  { id, passwordHash, now }: { id: string; passwordHash: string; now: Date },
): Promise<UserRow | undefined> {
  return db
    .updateTable('users')
    .set({ last_login_at: now })
    .where('id', '=', id)
    .where('status', '=', 'active')
    .where('password_hash', '=', passwordHash)
    .returning(userColumns)
    .executeTakeFirst();
}

/** @returns undefined when the account is disabled */
export function markSignedInElsewhere(
  db: Kysely<Tables>,
  { id, now }: { id: string; now: Date },
): Promise<UserRow | undefined> {
  return db
    .updateTable('users')
    .set({ last_login_at: now })
    .where('id', '=', id)
    .where('status', '=', 'active')
    .returning(userColumns)
    .executeTakeFirst();
}

export async function countActiveOwners(db: Kysely<Tables>): Promise<number> {
  const { count } = await db
    .selectFrom('users')
    .select((select) => select.fn.countAll<string>().as('count'))
    .where('role', '=', 'owner')
    .where('status', '=', 'active')
    .executeTakeFirstOrThrow();
  return Number(count);
}

/**
 * Until the end of the transaction nobody else makes or unmakes an owner. Attack: two at once, each
 * seeing the other (BF08: two first owners; or two last owners who disable each other).
 */
export async function lockOwners(trx: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('authserver:owners', 0))`.execute(trx);
}
