import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';
import type { AuditEvent, AuditMeta } from './events.ts';
import { monthsAhead, type PartitionMonth } from './policy.ts';
import { auditRow } from './row.ts';

/**
 * Writes one event in one INSERT. Call it inside the transaction of the change that it tells of, so
 * that neither happens without the other.
 */
export async function recordAudit(
  db: Kysely<Tables>,
  event: AuditEvent,
  meta: AuditMeta,
): Promise<void> {
  await db.insertInto('audit_events').values(auditRow(event, meta)).execute();
}

/**
 * Makes the monthly partitions of this and the next month, so that retention can drop whole months.
 * Safe on any number of replicas at once; call it at start and daily. Rows that were written while a
 * month had no partition are moved out of the default one.
 *
 * @returns the names of the partitions that were made
 * @throws the driver's `lock_not_available` when the table stays busy for two seconds: try again later
 */
export async function ensureAuditPartitions(db: Kysely<Tables>, now: Date): Promise<string[]> {
  const months = monthsAhead(now);
  if ((await missing(db, months)).length === 0) return [];
  return db.transaction().execute(async (trx) => {
    await sql`SET LOCAL lock_timeout = '2s'`.execute(trx);
    await sql`SELECT pg_advisory_xact_lock(hashtextextended('authserver:audit_partitions', 0))`.execute(
      trx,
    );
    const wanted = await missing(trx, months);
    for (const month of wanted) await addPartition(trx, month);
    return wanted.map((month) => month.name);
  });
}

async function missing(db: Kysely<Tables>, months: PartitionMonth[]): Promise<PartitionMonth[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'audit_events'::regclass`.execute(db);
  const present = new Set(rows.map((row) => row.name));
  return months.filter((month) => !present.has(month.name));
}

/** ATTACH locks neither readers nor writers of the table, which CREATE … PARTITION OF would. */
async function addPartition(trx: Kysely<Tables>, month: PartitionMonth): Promise<void> {
  const stray = await strayRows(trx, month);
  if (stray) await sql`ALTER TABLE audit_events DETACH PARTITION audit_events_default`.execute(trx);
  const table = sql.table(month.name);
  await sql`CREATE TABLE ${table} (LIKE audit_events INCLUDING DEFAULTS)`.execute(trx);
  if (stray) await moveStrayRows(trx, month);
  await sql`ALTER TABLE audit_events ATTACH PARTITION ${table}
    FOR VALUES FROM (${sql.lit(month.from)}) TO (${sql.lit(month.to)})`.execute(trx);
  if (stray) {
    await sql`ALTER TABLE audit_events ATTACH PARTITION audit_events_default DEFAULT`.execute(trx);
  }
}

async function strayRows(trx: Kysely<Tables>, { from, to }: PartitionMonth): Promise<boolean> {
  const { rows } = await sql<{ stray: boolean }>`
    SELECT EXISTS (SELECT FROM audit_events_default
      WHERE at >= ${from}::timestamptz AND at < ${to}::timestamptz) AS stray`.execute(trx);
  return rows[0]?.stray === true;
}

/** Nothing is lost and nothing is changed: a detached partition has no append-only trigger. */
async function moveStrayRows(trx: Kysely<Tables>, month: PartitionMonth): Promise<void> {
  await sql`WITH moved AS (
      DELETE FROM audit_events_default
      WHERE at >= ${month.from}::timestamptz AND at < ${month.to}::timestamptz RETURNING *)
    INSERT INTO ${sql.table(month.name)} SELECT * FROM moved`.execute(trx);
}
