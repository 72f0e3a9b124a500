import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';

/** First line of a backup. */
export interface BackupHead {
  format: 'authserver-backup';
  version: 1;
  created_at: string;
  /** The migrations that had been run. */
  migrations: string[];
  /** Opens only under the data-encryption key that seals the secrets in the rows. */
  key_check: string;
}

/** Last line: without it a backup is not whole. */
export interface BackupEnd {
  end: true;
  rows: Record<string, number>;
}

/** Rows of one table, in the order in which they can be written back. */
export interface BackupRows {
  table: string;
  rows: unknown[];
}

export type BackupLine = BackupRows | BackupEnd;

/** What is sealed into the head, and under what. */
export const keyCheck = 'authserver backup';

const batch = 500;
/** Not in a backup: what migrations count themselves by, and what a trigger derives from other rows. */
const bookkeeping = ['kysely_migration', 'kysely_migration_lock', 'client_hosts'];

/**
 * Everything in the database as of one moment, while it is in use: one transaction that sees one snapshot. On the
 * embedded database other work waits until the last line was taken; on Postgres nobody waits.
 * Does NOT hold the data-encryption key: secrets are in it as they are in the database, sealed.
 */
export async function* backupLines(
  { kysely }: Pick<Database, 'kysely'>,
  head: Pick<BackupHead, 'created_at' | 'key_check'>,
): AsyncGenerator<BackupHead | BackupLine> {
  const trx = await kysely
    .startTransaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute();
  try {
    const migrations = await migrationsIn(trx);
    yield { format: 'authserver-backup', version: 1, ...head, migrations };
    const rows: Record<string, number> = {};
    for (const table of await tablesInOrder(trx)) {
      rows[table] = 0;
      for await (const page of pagesOf(trx, table)) {
        rows[table] += page.length;
        yield { table, rows: page };
      }
    }
    yield { end: true, rows };
  } finally {
    await trx.rollback().execute();
  }
}

async function migrationsIn(db: Kysely<Tables>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT name FROM kysely_migration ORDER BY name`.execute(db);
  return rows.map(({ name }) => name);
}

async function* pagesOf(db: Kysely<Tables>, table: string): AsyncGenerator<unknown[]> {
  await sql`DECLARE backup NO SCROLL CURSOR FOR SELECT to_jsonb(t) AS row FROM ${sql.table(table)} t`.execute(
    db,
  );
  for (;;) {
    const { rows } = await sql<{ row: unknown }>`FETCH ${sql.lit(batch)} FROM backup`.execute(db);
    if (rows.length === 0) break;
    yield rows.map(({ row }) => row);
  }
  await sql`CLOSE backup`.execute(db);
}

/** Every table, those that others refer to first; a partitioned one counts as one. */
export async function tablesInOrder(db: Kysely<Tables>): Promise<string[]> {
  const { rows } = await sql<{ name: string; needs: string[] }>`
    SELECT c.relname::text AS name,
           coalesce(array_agg(DISTINCT r.relname::text)
             FILTER (WHERE r.relname IS NOT NULL AND r.oid <> c.oid), '{}') AS needs
      FROM pg_class c
      LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'
      LEFT JOIN pg_class r ON r.oid = k.confrelid
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
       AND NOT c.relispartition AND c.relname <> ALL(${bookkeeping})
     GROUP BY c.relname ORDER BY c.relname`.execute(db);
  const ordered: string[] = [];
  const waiting = new Map(rows.map(({ name, needs }) => [name, needs]));
  while (waiting.size > 0) {
    const free = [...waiting].find(([, needs]) => needs.every((name) => !waiting.has(name)));
    if (!free) throw new Error(`tables refer to each other: ${[...waiting.keys()]}`);
    ordered.push(free[0]);
    waiting.delete(free[0]);
  }
  return ordered;
}
