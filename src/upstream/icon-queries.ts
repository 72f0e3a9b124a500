import type { Insertable, Kysely } from 'kysely';
import type { McpServersTable, Tables } from '../db/index.ts';
import type { McpServer } from './server.ts';

/** Its picture, as long as it is at that URL. */
export async function updateIcon(
  db: Kysely<Tables>,
  { id, url }: Pick<McpServer, 'id' | 'url'>,
  set: Pick<Insertable<McpServersTable>, 'icon_png' | 'icon_version' | 'icon_tried_at'>,
): Promise<void> {
  await db
    .updateTable('mcp_servers')
    .set(set)
    .where('id', '=', id)
    .where('url', '=', url)
    .execute();
}

/** The picture of a server, PNG in base64, as long as it is that version. */
export async function findIcon(
  db: Kysely<Tables>,
  { id, version }: { id: number; version: string },
): Promise<string | undefined> {
  const row = await db
    .selectFrom('mcp_servers')
    .select('icon_png')
    .where('id', '=', id)
    .where('icon_version', '=', version)
    .executeTakeFirst();
  return row?.icon_png ?? undefined;
}
