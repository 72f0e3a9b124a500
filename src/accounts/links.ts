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

/** @returns how many */
export async function purgeLinks(db: Kysely<Tables>, now: Date): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('one_time_links')
    .where('expires_at', '<=', now)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
