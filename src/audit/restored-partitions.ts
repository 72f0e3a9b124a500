import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../db/index.ts';
import { monthsAhead } from './policy.ts';

const dated = z.object({ at: z.string() });

/**
 * Makes the monthly partitions that restored rows belong to, before they are written: retention drops whole months,
 * and what lies in the default partition belongs to none.
 */
export async function ensureAuditPartitionsFor(
  trx: Kysely<Tables>,
  rows: readonly unknown[],
): Promise<void> {
  const starts = new Set(rows.map((row) => dated.parse(row).at.slice(0, 7)));
  for (const month of starts) {
    const [partition] = monthsAhead(new Date(`${month}-01T00:00:00Z`));
    if (!partition) continue;
    await sql`CREATE TABLE IF NOT EXISTS ${sql.table(partition.name)} PARTITION OF audit_events
      FOR VALUES FROM (${sql.lit(partition.from)}) TO (${sql.lit(partition.to)})`.execute(trx);
  }
}
