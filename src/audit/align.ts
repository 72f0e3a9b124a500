import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';

/**
 * Makes the order of sealing go on where it was in another database: one that rows were restored into counts
 * its transactions anew, and new events would come before those that are sealed. Call it before anything is
 * recorded there, in the transaction of the restore if there is one; otherwise it does nothing.
 *
 * @returns whether it had to
 */
export async function alignAuditOrder(trx: Kysely<Tables>): Promise<boolean> {
  const { rows } = await sql<{ offset: string }>`
    SELECT last + 1 AS offset FROM (
      SELECT greatest((SELECT max(txn) FROM audit_events), (SELECT max(last_txn) FROM audit_blocks)) AS last
    ) AS known WHERE last >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + audit_txn_offset()`.execute(
    trx,
  );
  const [row] = rows;
  if (!row) return false;
  await sql`CREATE OR REPLACE FUNCTION audit_txn_offset() RETURNS bigint LANGUAGE sql IMMUTABLE
    AS ${sql.lit(`SELECT ${BigInt(row.offset)}::bigint`)}`.execute(trx);
  return true;
}
