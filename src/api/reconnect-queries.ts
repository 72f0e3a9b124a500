import type { Insertable, Kysely } from 'kysely';
import type { ReconnectLinksTable, Tables } from '../db/index.ts';

/** A link that would work now, whoever opens it. */
export interface UsableLink {
  id: string;
  client_id: string;
  workspace_id: string;
  resource: string;
  user_id: string | null;
  label: string | null;
}

interface LinkKey {
  secretHash: string;
  now: Date;
}

/**
 * Keeps the workspace until the end of the transaction, and lets nobody else make a link for it at the same
 * moment.
 *
 * @returns whether there is such a workspace
 */
export async function lockWorkspace(trx: Kysely<Tables>, id: string): Promise<boolean> {
  const row = await trx
    .selectFrom('workspaces')
    .select('id')
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** When the links were made that a client asked for since then, oldest first. */
export async function linksSince(
  db: Kysely<Tables>,
  { workspaceId, clientId, since }: { workspaceId: string; clientId: string; since: Date },
): Promise<Date[]> {
  const rows = await db
    .selectFrom('reconnect_links')
    .select('created_at')
    .where('workspace_id', '=', workspaceId)
    .where('client_id', '=', clientId)
    .where('created_at', '>', since)
    .orderBy('created_at')
    .execute();
  return rows.map(({ created_at }) => created_at);
}

export async function insertReconnectLink(
  db: Kysely<Tables>,
  row: Insertable<ReconnectLinksTable>,
): Promise<void> {
  await db.insertInto('reconnect_links').values(row).execute();
}

/** Looks at a link; only {@link claimReconnectLink} uses it. */
export function findReconnectLink(
  db: Kysely<Tables>,
  { secretHash, now }: LinkKey,
): Promise<UsableLink | undefined> {
  return db
    .selectFrom('reconnect_links')
    .select(['id', 'client_id', 'workspace_id', 'resource', 'user_id', 'label'])
    .where('secret_hash', '=', secretHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
}

/** Uses a link up, once. @returns false when it was used, has expired or is gone */
export async function claimReconnectLink(
  trx: Kysely<Tables>,
  { secretHash, now }: LinkKey,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('reconnect_links')
    .set({ used_at: now })
    .where('secret_hash', '=', secretHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Makes every link worthless. */
export async function endAllReconnectLinks(db: Kysely<Tables>): Promise<void> {
  await db.deleteFrom('reconnect_links').execute();
}

/** Removes what expired before then. @returns how many */
export async function purgeReconnectLinks(
  db: Kysely<Tables>,
  expiredBefore: Date,
  limit: number,
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('reconnect_links')
    .where('id', 'in', (from) =>
      from
        .selectFrom('reconnect_links')
        .select('id')
        .where('expires_at', '<=', expiredBefore)
        .orderBy('expires_at')
        .limit(limit),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
