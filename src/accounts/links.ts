import type { Insertable, Kysely } from 'kysely';
import type { OneTimeLinksTable, Tables } from '../db/index.ts';

export interface LinkClaim {
  tokenHash: string;
  purpose: string;
  now: Date;
}

export async function insertLink(
  db: Kysely<Tables>,
  row: Insertable<OneTimeLinksTable>,
): Promise<void> {
  await db.insertInto('one_time_links').values(row).execute();
}

/** Whether the link could be used now; only {@link claimLink} uses it. */
export async function isLinkUsable(db: Kysely<Tables>, link: LinkClaim): Promise<boolean> {
  const row = await db
    .selectFrom('one_time_links')
    .select('purpose')
    .where('token_hash', '=', link.tokenHash)
    .where('purpose', '=', link.purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', link.now)
    .executeTakeFirst();
  return row !== undefined;
}

/** Uses a link up, once. @returns false when it was used, has expired or never existed */
export async function claimLink(db: Kysely<Tables>, link: LinkClaim): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('one_time_links')
    .set({ used_at: link.now })
    .where('token_hash', '=', link.tokenHash)
    .where('purpose', '=', link.purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', link.now)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** What a link that sets a password is for. */
export type PasswordLinkPurpose = 'invite' | 'reset';

export interface PasswordLink {
  purpose: string;
  userId: string;
}

const passwordPurposes: readonly PasswordLinkPurpose[] = ['invite', 'reset'];

/** Whose password a link could set now; only {@link claimPasswordLink} uses it. */
export function findPasswordLink(
  db: Kysely<Tables>,
  { tokenHash, now }: Omit<LinkClaim, 'purpose'>,
): Promise<PasswordLink | undefined> {
  return db
    .selectFrom('one_time_links')
    .innerJoin('users', 'users.id', 'one_time_links.subject')
    .select(['purpose', 'users.id as userId'])
    .where('token_hash', '=', tokenHash)
    .where('purpose', 'in', passwordPurposes)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .where('users.status', '=', 'active')
    .executeTakeFirst();
}

/** Uses such a link up, once. @returns undefined when it was used, has expired or never existed */
export async function claimPasswordLink(
  db: Kysely<Tables>,
  { tokenHash, now }: Omit<LinkClaim, 'purpose'>,
): Promise<PasswordLink | undefined> {
  const row = await db
    .updateTable('one_time_links')
    .set({ used_at: now })
    .where('token_hash', '=', tokenHash)
    .where('purpose', 'in', passwordPurposes)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['purpose', 'subject'])
    .executeTakeFirst();
  return row?.subject ? { purpose: row.purpose, userId: row.subject } : undefined;
}

/** Ends every link that would set the password of somebody. */
export async function removeLinksOf(db: Kysely<Tables>, userId: string): Promise<void> {
  await db
    .deleteFrom('one_time_links')
    .where('subject', '=', userId)
    .where('purpose', 'in', passwordPurposes)
    .execute();
}

/** Uses a link up, once. @returns its subject; undefined when it was used, has expired or never existed */
export async function takeLinkSubject(
  db: Kysely<Tables>,
  link: LinkClaim,
): Promise<string | undefined> {
  const row = await db
    .updateTable('one_time_links')
    .set({ used_at: link.now })
    .where('token_hash', '=', link.tokenHash)
    .where('purpose', '=', link.purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', link.now)
    .returning('subject')
    .executeTakeFirst();
  return row?.subject ?? undefined;
}

/** @returns how many */
export async function purgeLinks(db: Kysely<Tables>, now: Date): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('one_time_links')
    .where('expires_at', '<=', now)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
