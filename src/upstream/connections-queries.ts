import type { Insertable, Kysely, Selectable } from 'kysely';
import type { Tables, UpstreamAuthorizationsTable, UpstreamConnectionsTable } from '../db/index.ts';

export type ConnectionRow = Selectable<UpstreamConnectionsTable>;

export interface ConnectionKey {
  serverId: number;
  userId: string;
}

export function findConnection(
  db: Kysely<Tables>,
  { serverId, userId }: ConnectionKey,
): Promise<ConnectionRow | undefined> {
  return db
    .selectFrom('upstream_connections')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
}

/** Writes one, over the one that was there. */
export async function putConnection(
  trx: Kysely<Tables>,
  row: Insertable<UpstreamConnectionsTable>,
): Promise<void> {
  const { server_id, user_id, ...rest } = row;
  await trx
    .insertInto('upstream_connections')
    .values(row)
    .onConflict((conflict) => conflict.columns(['server_id', 'user_id']).doUpdateSet(rest))
    .execute();
}

/** How a person stands to some servers. */
export function findStatuses(
  db: Kysely<Tables>,
  { serverIds, userId }: { serverIds: readonly number[]; userId: string },
) {
  return db
    .selectFrom('upstream_connections')
    .select(['server_id', 'kind', 'status', 'expires_at', 'access_sealed', 'refresh_sealed'])
    .where('user_id', '=', userId)
    .where('server_id', 'in', serverIds.length > 0 ? [...serverIds] : [0])
    .execute();
}

/** Everybody who has connected to a server, by e-mail address; at most 1000. */
export function findMembers(db: Kysely<Tables>, serverId: number) {
  return db
    .selectFrom('upstream_connections as c')
    .innerJoin('users as u', 'u.id', 'c.user_id')
    .select([
      'c.user_id',
      'u.email',
      'u.name',
      'c.status',
      'c.scopes',
      'c.connected_at',
      'c.last_used_at',
      'c.expires_at',
    ])
    .where('c.server_id', '=', serverId)
    .orderBy('u.email')
    .limit(1000)
    .execute();
}

/** Notes a use, at most once a minute. */
export async function touchConnection(
  db: Kysely<Tables>,
  { id, at }: { id: string; at: Date },
): Promise<void> {
  await db
    .updateTable('upstream_connections')
    .set({ last_used_at: at })
    .where('id', '=', id)
    .execute();
}

/**
 * Takes the lease of a connection's refresh, unless somebody holds it, or has refreshed it meanwhile.
 *
 * @param seen the sealed refresh token that is about to be used
 * @returns whether this process refreshes
 */
export async function takeLease(
  db: Kysely<Tables>,
  lease: { id: string; seen: string; holder: string; now: Date; until: Date },
): Promise<boolean> {
  const row = await db
    .updateTable('upstream_connections')
    .set({ lease: lease.holder, lease_until: lease.until })
    .where('id', '=', lease.id)
    .where('refresh_sealed', '=', lease.seen)
    .where('status', '=', 'connected')
    .where((where) => where.or([where('lease', 'is', null), where('lease_until', '<=', lease.now)]))
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Ends the holder's lease with what came of it. @returns false where the connection is another one by now */
export async function settleLease(
  trx: Kysely<Tables>,
  { id, holder }: { id: string; holder: string },
  set: Partial<
    Pick<
      Insertable<UpstreamConnectionsTable>,
      | 'access_sealed'
      | 'refresh_sealed'
      | 'scopes'
      | 'expires_at'
      | 'refreshed_at'
      | 'status'
      | 'problem'
    >
  >,
): Promise<boolean> {
  const row = await trx
    .updateTable('upstream_connections')
    .set({ ...set, lease: null, lease_until: null })
    .where('id', '=', id)
    .where('lease', '=', holder)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertAuthorization(
  db: Kysely<Tables>,
  row: Insertable<UpstreamAuthorizationsTable>,
): Promise<void> {
  await db.insertInto('upstream_authorizations').values(row).execute();
}

export type PendingAuthorization = Selectable<UpstreamAuthorizationsTable>;

/** Takes one by its state, once, whatever comes of it: whoever brings a state back has used it up. */
export function takeAuthorization(
  db: Kysely<Tables>,
  stateHash: string,
): Promise<PendingAuthorization | undefined> {
  return db
    .deleteFrom('upstream_authorizations')
    .where('state_hash', '=', stateHash)
    .returningAll()
    .executeTakeFirst();
}

interface ConnectLink {
  tokenHash: string;
  serverId: number;
  userId: string;
  now: Date;
  expiresAt: Date;
}

export async function insertLink(db: Kysely<Tables>, link: ConnectLink): Promise<void> {
  await db
    .insertInto('upstream_connect_links')
    .values({
      token_hash: link.tokenHash,
      server_id: link.serverId,
      user_id: link.userId,
      created_at: link.now,
      expires_at: link.expiresAt,
    })
    .execute();
}

export function findLink(db: Kysely<Tables>, { tokenHash, now }: { tokenHash: string; now: Date }) {
  return db
    .selectFrom('upstream_connect_links')
    .select(['server_id', 'user_id'])
    .where('token_hash', '=', tokenHash)
    .where('expires_at', '>', now)
    .executeTakeFirst();
}

/** Uses a link up. @returns undefined where it was used, is too old, or is another one's */
export function takeLink(
  db: Kysely<Tables>,
  { tokenHash, userId, now }: { tokenHash: string; userId: string; now: Date },
) {
  return db
    .deleteFrom('upstream_connect_links')
    .where('token_hash', '=', tokenHash)
    .where('user_id', '=', userId)
    .where('expires_at', '>', now)
    .returning('server_id')
    .executeTakeFirst();
}

/** Removes what nobody came back for. @returns how many rows */
export async function purgePending(db: Kysely<Tables>, now: Date): Promise<number> {
  let removed = 0;
  for (const table of ['upstream_authorizations', 'upstream_connect_links'] as const) {
    const rows = await db
      .deleteFrom(table)
      .where('expires_at', '<=', now)
      .returning('server_id')
      .execute();
    removed += rows.length;
  }
  return removed;
}
