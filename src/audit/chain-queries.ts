import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';
import type { CanonicalEvent } from './canonical.ts';

/** An event with its place in the order of sealing. */
export interface ChainedEvent extends CanonicalEvent {
  txn: bigint;
}

/** A place in the order of sealing. */
export interface ChainPlace {
  txn: bigint;
  id: bigint;
}

export interface Block {
  number: bigint;
  firstSeq: bigint;
  events: number;
  lastTxn: bigint;
  lastId: bigint;
  latestAt: Date;
  entries: Uint8Array;
  previousHash: Uint8Array;
  hash: Uint8Array;
  sealedAt: Date;
}

type Db = Kysely<Tables>;

/** Before everything that can be in the table. */
export const beginning: ChainPlace = { txn: -(2n ** 63n), id: -(2n ** 63n) };

const rawColumns = sql`id, (extract(epoch FROM at) * 1000000)::bigint AS micros, type, actor_kind, actor_id,
  client_id, user_id, resource, ip, user_agent, trace_id, detail, txn`;

interface RawEvent {
  id: string;
  micros: string;
  type: string;
  actor_kind: string;
  actor_id: string | null;
  client_id: string | null;
  user_id: string | null;
  resource: string | null;
  ip: string | null;
  user_agent: string | null;
  trace_id: string | null;
  detail: unknown;
  txn: string;
}

function chained(row: RawEvent): ChainedEvent {
  return {
    number: BigInt(row.id),
    micros: BigInt(row.micros),
    type: row.type,
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    clientId: row.client_id,
    userId: row.user_id,
    resource: row.resource,
    ip: row.ip,
    userAgent: row.user_agent,
    traceId: row.trace_id,
    detail: row.detail,
    txn: BigInt(row.txn),
  };
}

/** Transactions before this one have ended, one way or the other: nothing can appear among them any more. */
export const settled = sql`pg_snapshot_xmin(pg_current_snapshot())::text::bigint + audit_txn_offset()`;

/** The next events that can be sealed, in order. */
export async function selectSettled(
  db: Db,
  after: ChainPlace,
  limit: number,
): Promise<ChainedEvent[]> {
  const { rows } = await sql<RawEvent>`
    SELECT ${rawColumns} FROM audit_events
     WHERE (txn, id) > (${after.txn}::bigint, ${after.id}::bigint) AND txn < ${settled}
     ORDER BY txn, id LIMIT ${limit}`.execute(db);
  return rows.map(chained);
}

/** Events between two places of the order, without the first place and with the last. */
export async function selectBetween(
  db: Db,
  after: ChainPlace,
  until: ChainPlace,
  limit: number,
): Promise<ChainedEvent[]> {
  const { rows } = await sql<RawEvent>`
    SELECT ${rawColumns} FROM audit_events
     WHERE (txn, id) > (${after.txn}::bigint, ${after.id}::bigint)
       AND (txn, id) <= (${until.txn}::bigint, ${until.id}::bigint)
     ORDER BY txn, id LIMIT ${limit}`.execute(db);
  return rows.map(chained);
}

/** An event at or before a place, where retention left none of this time or later. */
export async function selectLeftover(
  db: Db,
  until: ChainPlace,
  floor: Date,
): Promise<{ number: bigint; micros: bigint } | undefined> {
  const { rows } = await sql<RawEvent>`
    SELECT ${rawColumns} FROM audit_events
     WHERE (txn, id) <= (${until.txn}::bigint, ${until.id}::bigint) AND at >= ${floor}
     ORDER BY txn, id LIMIT 1`.execute(db);
  return rows.map(chained)[0];
}

/** Events after a place, settled or not: how many (10,000 at most) and since when. */
export async function selectUnsealed(
  db: Db,
  after: ChainPlace,
): Promise<{ count: number; since: Date | undefined }> {
  const { rows } = await sql<{ count: string; since: Date | null }>`
    SELECT count(*) AS count, min(at) AS since FROM (
      SELECT at FROM audit_events WHERE (txn, id) > (${after.txn}::bigint, ${after.id}::bigint)
       ORDER BY txn, id LIMIT 10000) AS tail`.execute(db);
  return { count: Number(rows[0]?.count ?? 0), since: rows[0]?.since ?? undefined };
}

/** The last place of the order that is settled: what a new follower has not missed yet. */
export async function selectSettledEnd(db: Db): Promise<ChainPlace> {
  const { rows } = await sql<{ txn: string; id: string }>`
    SELECT txn, id FROM audit_events WHERE txn < ${settled}
     ORDER BY txn DESC, id DESC LIMIT 1`.execute(db);
  const [row] = rows;
  return row ? { txn: BigInt(row.txn), id: BigInt(row.id) } : beginning;
}

/**
 * One sealer at a time, on whatever replica.
 *
 * @returns false where another one is at work
 */
export async function tryChainLock(trx: Db): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    SELECT pg_try_advisory_xact_lock(hashtextextended('authserver:audit_chain', 0)) AS locked`.execute(
    trx,
  );
  return rows[0]?.locked === true;
}

const blockColumns = [
  'number',
  'first_seq',
  'events',
  'last_txn',
  'last_id',
  'latest_at',
  'entries',
  'previous_hash',
  'hash',
  'sealed_at',
] as const;

function blocks(db: Db) {
  return db.selectFrom('audit_blocks').select(blockColumns);
}

type RawBlock = Awaited<ReturnType<ReturnType<typeof blocks>['executeTakeFirstOrThrow']>>;

function toBlock(row: RawBlock): Block {
  return {
    number: BigInt(row.number),
    firstSeq: BigInt(row.first_seq),
    events: row.events,
    lastTxn: BigInt(row.last_txn),
    lastId: BigInt(row.last_id),
    latestAt: row.latest_at,
    entries: row.entries,
    previousHash: row.previous_hash,
    hash: row.hash,
    sealedAt: row.sealed_at,
  };
}

export async function selectLastBlock(db: Db): Promise<Block | undefined> {
  const row = await blocks(db).orderBy('number', 'desc').limit(1).executeTakeFirst();
  return row && toBlock(row);
}

export async function selectBlock(db: Db, number: bigint): Promise<Block | undefined> {
  const row = await blocks(db).where('number', '=', `${number}`).executeTakeFirst();
  return row && toBlock(row);
}

/** Blocks after a number, in order. */
export async function selectBlocksAfter(db: Db, number: bigint, limit: number): Promise<Block[]> {
  const rows = await blocks(db)
    .where('number', '>', `${number}`)
    .orderBy('number')
    .limit(limit)
    .execute();
  return rows.map(toBlock);
}

/** The block that an event of this place is in, if it is sealed. */
export async function selectBlockOf(db: Db, place: ChainPlace): Promise<Block | undefined> {
  const row = await blocks(db)
    .where(sql<boolean>`(last_txn, last_id) >= (${place.txn}::bigint, ${place.id}::bigint)`)
    .orderBy('last_txn')
    .orderBy('last_id')
    .limit(1)
    .executeTakeFirst();
  return row && toBlock(row);
}

/** The block that holds the event of this place in the chain. */
export async function selectBlockAt(db: Db, seq: bigint): Promise<Block | undefined> {
  const row = await blocks(db)
    .where('first_seq', '<=', `${seq}`)
    .orderBy('first_seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && toBlock(row);
}

export async function insertBlock(trx: Db, block: Block): Promise<void> {
  await trx
    .insertInto('audit_blocks')
    .values({
      number: `${block.number}`,
      first_seq: `${block.firstSeq}`,
      events: block.events,
      last_txn: `${block.lastTxn}`,
      last_id: `${block.lastId}`,
      latest_at: block.latestAt,
      entries: Buffer.from(block.entries),
      previous_hash: Buffer.from(block.previousHash),
      hash: Buffer.from(block.hash),
      sealed_at: block.sealedAt,
    })
    .execute();
}
