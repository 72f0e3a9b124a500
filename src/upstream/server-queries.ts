import { type Insertable, type Kysely, sql } from 'kysely';
import { likePrefix, type McpServersTable, type Tables } from '../db/index.ts';
import { cutPage, type Position, pageCursor } from '../http/index.ts';
import { type McpServer, type ServerRow, toServer } from './server.ts';
import { mostServers } from './server-policy.ts';

/** By which of its three names. */
export type ServerName = { id: number } | { uuid: string } | { publicId: string };

const largestInteger = 2 ** 31 - 1;

/** Everything but the picture, which only its own address reads. */
const columns = [
  'id',
  'uuid',
  'public_id',
  'workspace_id',
  'name',
  'url',
  'auth_type',
  'state',
  'enabled',
  'api_key_sealed',
  'header_names',
  'headers_sealed',
  'oauth_client_id',
  'oauth_client_secret_sealed',
  'oauth_token_endpoint',
  'oauth_authorization_endpoint',
  'oauth_scopes',
  'connector_id',
  'connector_config',
  'gateway_clients',
  'icon_version',
  'icon_tried_at',
  'created_by',
  'created_at',
  'updated_at',
] as const;

/** A row without its picture. */
export type StoredServer = Omit<ServerRow, 'icon_png'>;

/** One server, in one read of a unique index. */
export function findServer(
  db: Kysely<Tables>,
  which: ServerName,
): Promise<StoredServer | undefined> {
  return byName(db, which).executeTakeFirst();
}

/** The same, locked until the end of the transaction. */
export function lockServer(
  trx: Kysely<Tables>,
  which: ServerName,
): Promise<StoredServer | undefined> {
  return byName(trx, which).forUpdate().executeTakeFirst();
}

function byName(db: Kysely<Tables>, which: ServerName) {
  const all = db.selectFrom('mcp_servers').select(columns);
  if ('uuid' in which) return all.where('uuid', '=', which.uuid);
  if ('publicId' in which) return all.where('public_id', '=', which.publicId);
  // No row has an id that the column could not hold, and the database would refuse to compare it.
  const id = which.id > 0 && which.id <= largestInteger ? which.id : 0;
  return all.where('id', '=', id);
}

/** Servers with that very URL in these workspaces. */
export async function findServersByUrl(
  db: Kysely<Tables>,
  { url, workspaceIds }: { url: string; workspaceIds: readonly string[] },
): Promise<McpServer[]> {
  const rows = await db
    .selectFrom('mcp_servers')
    .select(columns)
    .where(sql<boolean>`workspace_id = ANY(${[...workspaceIds]}::text[])`)
    .where('url', '=', url)
    .orderBy('id')
    .execute();
  return rows.map(fromStored);
}

export type ServerSort = 'name' | 'createdAt' | 'updatedAt';

const sortColumns = {
  name: sql<string>`lower(name)`,
  createdAt: sql<Date>`created_at`,
  updatedAt: sql<Date>`updated_at`,
};

/** All servers of a workspace: {@link mostServers} at most. */
export async function serversOf(
  db: Kysely<Tables>,
  { workspaceId, sortBy, sortOrder }: ServersOfQuery,
): Promise<McpServer[]> {
  const rows = await db
    .selectFrom('mcp_servers')
    .select(columns)
    .where('workspace_id', '=', workspaceId)
    .orderBy(sortColumns[sortBy], sortOrder)
    .orderBy('id', sortOrder)
    .limit(mostServers)
    .execute();
  return rows.map(fromStored);
}

export interface ServersOfQuery {
  workspaceId: string;
  sortBy: ServerSort;
  sortOrder: 'asc' | 'desc';
}

export interface ServerQuery {
  /** Case-insensitive prefix of id, name or URL. */
  q?: string | undefined;
  workspaceId?: string | undefined;
  state?: McpServer['state'] | undefined;
  authType?: McpServer['authType'] | undefined;
  enabled?: boolean | undefined;
  /** Only those of these workspaces. */
  workspaceIds?: readonly string[] | undefined;
  sort?: '-created_at' | 'created_at' | undefined;
  cursor?: string | undefined;
  /** 1 to 200. */
  limit: number;
}

/**
 * One page, newest first.
 *
 * @throws OAuthError invalid_request where the cursor is not ours
 */
export async function listServers(
  db: Kysely<Tables>,
  query: ServerQuery,
): Promise<{ items: McpServer[]; next_cursor?: string }> {
  const { workspaceId, sort = '-created_at', limit } = query;
  const cursors = pageCursor(`mcp-servers ${workspaceId ?? ''} ${sort}`);
  const after = query.cursor === undefined ? undefined : cursors.read(query.cursor);
  const ascending = sort === 'created_at';
  const direction = ascending ? 'asc' : 'desc';
  const rows = await filtered(db, query)
    .$if(after !== undefined, (page) =>
      page.where((where) =>
        where(
          where.refTuple('created_at', 'public_id'),
          ascending ? '>' : '<',
          where.tuple(after?.at ?? new Date(0), after?.id ?? ''),
        ),
      ),
    )
    .orderBy('created_at', direction)
    .orderBy('public_id', direction)
    .limit(limit + 1)
    .execute();
  const { items, next } = cutPage(rows, limit, placeOf);
  return { items: items.map(fromStored), ...(next && { next_cursor: cursors.write(next) }) };
}

function filtered(db: Kysely<Tables>, query: ServerQuery) {
  const { q, workspaceId, workspaceIds, state, authType, enabled } = query;
  return db
    .selectFrom('mcp_servers')
    .select(columns)
    .$if(q !== undefined, (page) => page.where(beginsWith(q ?? '')))
    .$if(workspaceId !== undefined, (page) => page.where('workspace_id', '=', workspaceId ?? ''))
    .$if(workspaceIds !== undefined, (page) =>
      page.where(sql<boolean>`workspace_id = ANY(${[...(workspaceIds ?? [])]}::text[])`),
    )
    .$if(state !== undefined, (page) => page.where('state', '=', state ?? 'READY'))
    .$if(authType !== undefined, (page) => page.where('auth_type', '=', authType ?? 'none'))
    .$if(enabled !== undefined, (page) => page.where('enabled', '=', enabled ?? true));
}

/** What an index on `text_pattern_ops` answers. */
function beginsWith(q: string) {
  const pattern = likePrefix(q);
  return sql<boolean>`(lower(public_id) LIKE ${pattern} OR lower(name) LIKE ${pattern} OR lower(url) LIKE ${pattern})`;
}

function placeOf({ created_at: at, public_id: id }: StoredServer): Position {
  return { at, id };
}

/** @returns undefined where the workspace has as many as it may */
export async function insertServer(
  trx: Kysely<Tables>,
  row: Insertable<McpServersTable>,
): Promise<StoredServer | undefined> {
  // One after the other: many at once would not see each other.
  await trx
    .selectFrom('workspaces')
    .select('id')
    .where('id', '=', row.workspace_id)
    .forNoKeyUpdate()
    .execute();
  const { total } = await trx
    .selectFrom('mcp_servers')
    .select(sql<number>`count(*)::int`.as('total'))
    .where('workspace_id', '=', row.workspace_id)
    .executeTakeFirstOrThrow();
  if (total >= mostServers) return undefined;
  return trx.insertInto('mcp_servers').values(row).returning(columns).executeTakeFirst();
}

/** The new row. */
export function updateServer(
  trx: Kysely<Tables>,
  id: number,
  set: Partial<Omit<Insertable<McpServersTable>, 'uuid' | 'public_id' | 'workspace_id'>>,
): Promise<StoredServer | undefined> {
  return trx
    .updateTable('mcp_servers')
    .set(set)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirst();
}

export async function deleteServer(trx: Kysely<Tables>, id: number): Promise<void> {
  await trx.deleteFrom('mcp_servers').where('id', '=', id).execute();
}

export function fromStored(row: StoredServer): McpServer {
  return toServer({ ...row, icon_png: null });
}
