import { type Insertable, type Kysely, sql } from 'kysely';
import { type ClientsTable, type Database, hashId, statement, type Tables } from '../db/index.ts';
import { type ClientRow, clientColumns } from './rows.ts';

type Db = Kysely<Tables>;

const findStatement = statement(
  'find_client',
  `SELECT ${clientColumns.join(', ')} FROM clients WHERE client_id = $1`,
);

/** One round trip; the hot path. */
export async function findClient(db: Database, clientId: string): Promise<ClientRow | undefined> {
  const [row] = await db.run<ClientRow>(findStatement, [clientId]);
  return row;
}

/** Reads and holds a client until the transaction ends, so that two changes do not cross. */
export function lockClient(trx: Db, clientId: string): Promise<ClientRow | undefined> {
  return trx
    .selectFrom('clients')
    .select(clientColumns)
    .where('client_id', '=', clientId)
    .forUpdate()
    .executeTakeFirst();
}

/** The self-registered client that a registration access token belongs to, if it is this one (RFC 7592). */
export function lockManagedClient(
  trx: Db,
  clientId: string,
  registrationToken: string,
): Promise<ClientRow | undefined> {
  return trx
    .selectFrom('clients')
    .select(clientColumns)
    .where('client_id', '=', clientId)
    .where('registration_token_hash', '=', hashId(registrationToken))
    .where('kind', '=', 'dcr')
    .forUpdate()
    .executeTakeFirst();
}

/** @returns whether it was new; an existing row is left alone */
export async function insertClient(trx: Db, row: Insertable<ClientsTable>): Promise<boolean> {
  const inserted = await trx
    .insertInto('clients')
    .values(row)
    .onConflict((conflict) => conflict.column('client_id').doNothing())
    .returning('client_id')
    .executeTakeFirst();
  return inserted !== undefined;
}

export type ClientChange = Partial<
  Pick<
    Insertable<ClientsTable>,
    | 'client_name'
    | 'metadata'
    | 'secret_hashes'
    | 'old_secret_until'
    | 'resources'
    | 'scope'
    | 'rules'
    | 'status'
    | 'document_host'
    | 'document_fetched_at'
    | 'document_expires_at'
    | 'document_etag'
  >
> & { updated_at: Date };

export async function updateClient(trx: Db, clientId: string, change: ClientChange): Promise<void> {
  await trx.updateTable('clients').set(change).where('client_id', '=', clientId).execute();
}

export async function deleteClient(trx: Db, clientId: string): Promise<void> {
  await trx.deleteFrom('clients').where('client_id', '=', clientId).execute();
}

/** Clients that one address has registered since a time and that nobody has used yet, up to `atMost`. */
export async function countUnusedFrom(
  trx: Db,
  address: string,
  since: Date,
  atMost: number,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM (
      SELECT 1 FROM clients
       WHERE kind = 'dcr' AND registered_from = ${address} AND created_at > ${since}
         AND last_used_at IS NULL
       LIMIT ${atMost}) AS recent`.execute(trx);
  return rows[0]?.count ?? 0;
}

/** Claims an initial access token: one conditional write, so that it registers one client (RFC 7591 §3). */
export async function claimInitialAccessToken(trx: Db, token: string, now: Date): Promise<boolean> {
  const claimed = await trx
    .updateTable('one_time_links')
    .set({ used_at: now })
    .where('token_hash', '=', hashId(token))
    .where('purpose', '=', 'initial_access_token')
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('token_hash')
    .executeTakeFirst();
  return claimed !== undefined;
}

export async function insertInitialAccessToken(
  db: Db,
  token: { hash: string; expiresAt: Date; now: Date },
): Promise<void> {
  await db
    .insertInto('one_time_links')
    .values({
      token_hash: token.hash,
      purpose: 'initial_access_token',
      expires_at: token.expiresAt,
      created_at: token.now,
    })
    .execute();
}

const findFailureStatement = statement(
  'find_document_failure',
  'SELECT reason FROM client_document_failures WHERE client_id_hash = $1 AND retry_after > $2',
);

/** Why a document could not be had lately, on any replica. */
export async function findFailure(
  db: Database,
  clientId: string,
  now: Date,
): Promise<string | undefined> {
  const [row] = await db.run<{ reason: string }>(findFailureStatement, [hashId(clientId), now]);
  return row?.reason;
}

export async function recordFailure(
  db: Db,
  failure: { clientId: string; host: string; reason: string; retryAfter: Date },
): Promise<void> {
  const { host, reason, retryAfter } = failure;
  await db
    .insertInto('client_document_failures')
    .values({ client_id_hash: hashId(failure.clientId), host, reason, retry_after: retryAfter })
    .onConflict((conflict) =>
      conflict.column('client_id_hash').doUpdateSet({ reason, retry_after: retryAfter }),
    )
    .execute();
}

export async function deleteFailure(trx: Db, clientId: string): Promise<void> {
  await trx
    .deleteFrom('client_document_failures')
    .where('client_id_hash', '=', hashId(clientId))
    .execute();
}

/** @returns how many rows went */
export async function deleteExpiredFailures(db: Db, now: Date): Promise<number> {
  const result = await db
    .deleteFrom('client_document_failures')
    .where('retry_after', '<', now)
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

export type ReapedClient = Pick<
  ClientRow,
  'client_id' | 'client_name' | 'created_at' | 'last_used_at'
>;

/** Removes self-registered clients unused since a time that have no live authorization, oldest first. */
export async function reapUnused(
  trx: Db,
  { unusedSince, now, atMost }: { unusedSince: Date; now: Date; atMost: number },
): Promise<ReapedClient[]> {
  const { rows } = await sql<ReapedClient>`
    DELETE FROM clients WHERE client_id IN (
      SELECT c.client_id FROM clients c
       WHERE c.kind = 'dcr' AND coalesce(c.last_used_at, c.created_at) < ${unusedSince}
         AND NOT EXISTS (SELECT 1 FROM families f
           WHERE f.client_id = c.client_id AND f.revoked_at IS NULL AND f.expires_at > ${now})
       ORDER BY coalesce(c.last_used_at, c.created_at) LIMIT ${atMost}
       FOR UPDATE SKIP LOCKED)
    RETURNING client_id, client_name, created_at, last_used_at`.execute(trx);
  return rows;
}

/** Forgets documents that expired before a time and that nobody ever used: a cache, not a registration. */
export async function evictDocuments(db: Db, expiredBefore: Date, atMost: number): Promise<number> {
  const { rows } = await sql`
    DELETE FROM clients WHERE client_id IN (
      SELECT c.client_id FROM clients c
       WHERE c.kind = 'cimd' AND c.status = 'active' AND c.last_used_at IS NULL
         AND c.document_expires_at < ${expiredBefore}
         AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.client_id = c.client_id)
         AND NOT EXISTS (SELECT 1 FROM families f WHERE f.client_id = c.client_id)
       LIMIT ${atMost})
    RETURNING client_id`.execute(db);
  return rows.length;
}

/** Ids of the clients that the configuration file once declared. */
export async function listDeclared(db: Db): Promise<string[]> {
  const rows = await db
    .selectFrom('clients')
    .select('client_id')
    .where('source', '=', 'config')
    .orderBy('client_id')
    .execute();
  return rows.map((row) => row.client_id);
}
