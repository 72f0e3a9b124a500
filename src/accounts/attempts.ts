import { type Kysely, type RawBuilder, sql } from 'kysely';
import { hashId, type Tables } from '../db/index.ts';
import type { AttemptLimits, Counter } from './policy.ts';

/** Which rows of login_attempts a sign-in counts against. */
export interface AttemptKeys {
  address: string;
  account: string;
}

/** Accounts are keyed by a hash: a password typed into the wrong field is not kept in clear. */
export function attemptKeys(emailKey: string, bucket: string): AttemptKeys {
  return { address: `address:${bucket}`, account: `account:${hashId(emailKey)}` };
}

/**
 * Counts an attempt before it is verified, as if it had failed, against the address and then the account.
 * Counting first makes parallel guesses on any number of replicas share one limit; {@link forgive} gives
 * the attempt back when the password was right. The address goes first everywhere, so that no two deadlock.
 *
 * @returns no `account` when the address has had its attempts: those lock nobody else's account
 */
export async function claimAttempt(
  db: Kysely<Tables>,
  claim: { keys: AttemptKeys; limits: AttemptLimits; windowEndsAt: Date; now: Date },
): Promise<{ address: Counter; account: Counter | undefined }> {
  const { keys, limits, windowEndsAt, now } = claim;
  const first = sql`VALUES (${keys.address}::text, 1, ${windowEndsAt}::timestamptz)`;
  const second = sql`SELECT ${keys.account}::text, 1, ${windowEndsAt}::timestamptz FROM address
    WHERE failures <= ${limits.address}::int`;
  const { rows } = await sql<Counter & { what: 'address' | 'account' }>`
    WITH address AS (${counted(first, limits.address, now)}),
      account AS (${counted(second, limits.account, now)})
    SELECT 'address' AS what, ${counter} FROM address
    UNION ALL SELECT 'account', ${counter} FROM account`.execute(db);
  const address = rows.find((row) => row.what === 'address');
  if (!address) throw new Error('the attempt was not counted');
  return { address, account: rows.find((row) => row.what === 'account') };
}

/**
 * Counts one attempt against one counter, before it is verified.
 *
 * @param claim `admitted`: how many attempts it admits within a window
 */
export async function claimCounter(
  db: Kysely<Tables>,
  claim: { key: string; admitted: number; windowEndsAt: Date; now: Date },
): Promise<Counter> {
  const { key, admitted, windowEndsAt, now } = claim;
  const one = sql`VALUES (${key}::text, 1, ${windowEndsAt}::timestamptz)`;
  const { rows } = await sql<Counter>`
    WITH one AS (${counted(one, admitted, now)}) SELECT ${counter} FROM one`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('the attempt was not counted');
  return row;
}

const counter = sql`failures, window_ends_at AS "windowEndsAt", locked_until AS "lockedUntil"`;

/** Starts anew when the lock, or without one the window, has ended; counts one beyond the admitted and no more. */
function counted(source: RawBuilder<unknown>, admitted: number, now: Date): RawBuilder<unknown> {
  const over = sql`coalesce(c.locked_until, c.window_ends_at) <= ${now}::timestamptz`;
  return sql`
    INSERT INTO login_attempts AS c (key, failures, window_ends_at) ${source}
    ON CONFLICT (key) DO UPDATE SET
      failures = CASE WHEN ${over} THEN 1 ELSE least(c.failures, ${admitted}::int) + 1 END,
      window_ends_at = CASE WHEN ${over} THEN excluded.window_ends_at ELSE c.window_ends_at END,
      locked_until = CASE WHEN ${over} THEN NULL ELSE c.locked_until END
    RETURNING failures, window_ends_at, locked_until`;
}

/** Locks a counter that has had its attempts. @returns false when it has not, or is locked already */
export async function lockCounter(
  db: Kysely<Tables>,
  { key, admitted, until }: { key: string; admitted: number; until: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('login_attempts')
    .set({ locked_until: until })
    .where('key', '=', key)
    .where('failures', '>=', admitted)
    .where('locked_until', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Takes back the one attempt that turned out right; the address's other failures stay counted. */
export async function forgiveAddress(
  db: Kysely<Tables>,
  { key, admitted }: { key: string; admitted: number },
): Promise<void> {
  await db
    .updateTable('login_attempts')
    .set({
      failures: sql`greatest(failures - 1, 0)`,
      locked_until: sql`CASE WHEN failures > ${admitted}::int THEN locked_until END`,
    })
    .where('key', '=', key)
    .execute();
}

export async function forgetAccountFailures(db: Kysely<Tables>, key: string): Promise<void> {
  await db.deleteFrom('login_attempts').where('key', '=', key).execute();
}

/** Until when a counter refuses everybody. @returns undefined when it does not */
export async function lockedUntil(
  db: Kysely<Tables>,
  { key, now }: { key: string; now: Date },
): Promise<Date | undefined> {
  const row = await db
    .selectFrom('login_attempts')
    .select('locked_until')
    .where('key', '=', key)
    .where('locked_until', '>', now)
    .executeTakeFirst();
  return row?.locked_until ?? undefined;
}

/** Removes counters that can no longer refuse anybody. @returns how many */
export async function purgeAttempts(db: Kysely<Tables>, now: Date): Promise<bigint> {
  const { numDeletedRows } = await db
    .deleteFrom('login_attempts')
    .where('window_ends_at', '<=', now)
    .where((row) => row.or([row('locked_until', 'is', null), row('locked_until', '<=', now)]))
    .executeTakeFirst();
  return numDeletedRows;
}
