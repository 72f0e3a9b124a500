import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../db/index.ts';
import {
  type Block,
  type ChainPlace,
  selectBlock,
  selectLastBlock,
  tryChainLock,
} from './chain-queries.ts';
import { signCheckpoint } from './checkpoint.ts';
import { insertCheckpoint, selectLastCheckpoint } from './checkpoint-queries.ts';
import { recordAudit } from './log.ts';
import { monthOfPartition } from './policy.ts';
import { headStatement, type SealDeps, statementOf } from './seal.ts';

type Db = Kysely<Tables>;

/** A monthly partition that is over. */
interface Month {
  name: string;
  from: Date;
  to: Date;
}

/**
 * Drops whole months of events that are older than a time, where all of them are sealed and signed; a new
 * checkpoint says from where the chain goes on. What is not sealed is never dropped.
 *
 * @param before events before it are old enough
 * @returns the partitions that were dropped
 * @throws the driver's `lock_not_available` when the table stays busy for two seconds: try again later
 */
export async function dropOldEvents(deps: SealDeps, before: Date): Promise<string[]> {
  const { db, now } = deps;
  const old = await oldMonths(db, before);
  if (old.length === 0) return [];
  return db.kysely.transaction().execute(async (trx) => {
    await sql`SET LOCAL lock_timeout = '2s'`.execute(trx);
    if (!(await tryChainLock(trx))) return [];
    const last = await selectLastBlock(trx);
    const checkpoint = await selectLastCheckpoint(trx);
    if (!last || !checkpoint) return [];
    const stated = await statementOf(checkpoint, deps.keys, true);
    const sealedUntil = { txn: last.lastTxn, id: last.lastId };
    const months = await leading(trx, old, sealedUntil);
    const floor = months.at(-1)?.to;
    if (!floor) return [];
    for (const { name } of months) await sql`DROP TABLE ${sql.table(name)}`.execute(trx);
    const base = await baseOf(trx, floor, last, stated.base);
    await insertCheckpoint(
      trx,
      await signCheckpoint(deps.keys, {
        ...headStatement(last, stated, now()),
        floor: floor.toISOString(),
        ...(base && { base }),
      }),
    );
    const events = base ? base.seq - (stated.base?.seq ?? 0) : 0;
    if (base) await deleteBlocks(trx, BigInt(base.block));
    const partitions = months.map(({ name }) => name);
    const detail = { partitions, before: floor, events };
    await recordAudit(
      trx,
      { type: 'audit_events_dropped', actor: { kind: 'system' }, detail },
      { at: now() },
    );
    return partitions;
  });
}

async function oldMonths({ kysely }: Pick<Database, 'kysely'>, before: Date): Promise<Month[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'audit_events'::regclass ORDER BY c.relname`.execute(kysely);
  return rows
    .flatMap(({ name }) => monthOfPartition(name) ?? [])
    .filter(({ to }) => to.getTime() <= before.getTime())
    .sort((a, b) => a.from.getTime() - b.from.getTime());
}

/** The months before the first that holds an event which is not sealed. */
async function leading(trx: Db, months: readonly Month[], until: ChainPlace): Promise<Month[]> {
  const whole: Month[] = [];
  for (const month of months) {
    const { rows } = await sql`SELECT 1 FROM ${sql.table(month.name)}
      WHERE (txn, id) > (${until.txn}::bigint, ${until.id}::bigint) LIMIT 1`.execute(trx);
    if (rows.length > 0) break;
    whole.push(month);
  }
  return whole;
}

/** The last block of which, and of all before it, nothing is left; the end of the chain always stays. */
async function baseOf(
  trx: Db,
  floor: Date,
  last: Block,
  known: { block: number; seq: number; hash: string; txn: string; id: string } | undefined,
) {
  const { rows } = await sql<{ number: string | null }>`
    SELECT min(number) AS number FROM audit_blocks WHERE latest_at >= ${floor}::timestamptz`.execute(
    trx,
  );
  const number = BigInt(rows[0]?.number ?? last.number) - 1n;
  const block = number > 0n ? await selectBlock(trx, number) : undefined;
  if (!block) return known;
  return {
    block: Number(block.number),
    seq: Number(block.firstSeq) + block.events - 1,
    hash: Buffer.from(block.hash).toString('hex'),
    txn: `${block.lastTxn}`,
    id: `${block.lastId}`,
  };
}

/** Nothing asks for them any more; checkpoints that spoke of them went with them. */
async function deleteBlocks(trx: Db, until: bigint): Promise<void> {
  await trx.deleteFrom('audit_checkpoints').where('block', '<=', `${until}`).execute();
  await trx.deleteFrom('audit_blocks').where('number', '<=', `${until}`).execute();
}
