import { type Kysely, sql } from 'kysely';
import type { BackupEnd, BackupHead, BackupLine, BackupRows } from './backup.ts';
import { tablesInOrder } from './backup.ts';
import type { Database } from './database.ts';
import { DatabaseStartError } from './errors.ts';
import { knownMigrations, migrate, migrateTo } from './migrate.ts';
import type { Tables } from './tables.ts';

/** What a restore has written: rows by table. */
export type Restored = Readonly<Record<string, number>>;

export interface RestoreSteps {
  /** Runs before rows of a table are written, in the same transaction. */
  prepare: (trx: Kysely<Tables>, rows: BackupRows) => Promise<void>;
  /** Runs once all rows are there and the schema is up to date. */
  settle: (trx: Kysely<Tables>) => Promise<void>;
}

/**
 * Writes a backup into an empty database, in one transaction, and brings the schema up to date afterwards: a backup of
 * an older version is read as what it was.
 *
 * @throws DatabaseStartError when the database is not empty, or the backup is cut off, damaged or of a newer version
 */
export async function restoreLines(
  db: Database,
  head: BackupHead,
  lines: AsyncIterable<BackupLine>,
  { prepare, settle }: RestoreSteps,
): Promise<Restored> {
  await refuseNewer(head);
  await refuseFilled(db);
  const newest = head.migrations.at(-1) ?? '';
  const isCurrent = newest === (await knownMigrations()).at(-1);
  await migrateTo(db, newest);
  const restored = await db.kysely.transaction().execute(async (trx) => {
    await sql`SET LOCAL statement_timeout = 0`.execute(trx);
    await emptyTables(trx); // what migrations have put there is in the backup too
    const rows = await writeAll(trx, lines, prepare);
    await setSequences(trx);
    if (isCurrent) await settle(trx); // a killed process leaves all of it or nothing
    return rows;
  });
  if (isCurrent) return restored;
  await migrate(db);
  await db.kysely.transaction().execute(settle);
  return restored;
}

async function refuseNewer({ migrations }: BackupHead): Promise<void> {
  const known = await knownMigrations();
  const unknown = migrations.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new DatabaseStartError(
    `the backup was made by a newer version (migration ${unknown}). Restore it with that version`,
  );
}

/** Nothing is ever overwritten. */
async function refuseFilled({ kysely }: Database): Promise<void> {
  const { rows } = await sql<{ found: string | null }>`
    SELECT to_regclass('users')::text AS found`.execute(kysely);
  if (rows[0]?.found == null) return;
  const taken = await sql<{ taken: boolean }>`
    SELECT EXISTS (SELECT FROM users) OR EXISTS (SELECT FROM clients) OR EXISTS (SELECT FROM audit_events)
      AS taken`.execute(kysely);
  if (!taken.rows[0]?.taken) return;
  throw new DatabaseStartError(
    'the database is not empty, and a restore overwrites nothing. Point storage at an empty one',
  );
}

async function emptyTables(trx: Kysely<Tables>): Promise<void> {
  for (const table of (await tablesInOrder(trx)).toReversed()) {
    if (table !== 'audit_events') await sql`DELETE FROM ${sql.table(table)}`.execute(trx);
  }
}

async function writeAll(
  trx: Kysely<Tables>,
  lines: AsyncIterable<BackupLine>,
  prepare: RestoreSteps['prepare'],
): Promise<Record<string, number>> {
  const known = new Set(await tablesInOrder(trx));
  const written: Record<string, number> = {};
  let end: BackupEnd | undefined;
  for await (const line of lines) {
    if ('end' in line) end = line;
    else if ('table' in line) {
      if (!known.has(line.table)) throw damaged(`it has an unknown table ${line.table}`);
      await prepare(trx, line);
      await write(trx, line);
      written[line.table] = (written[line.table] ?? 0) + line.rows.length;
    }
  }
  if (!end) throw damaged('its end is missing');
  for (const [table, count] of Object.entries(end.rows)) {
    if ((written[table] ?? 0) !== count) throw damaged(`rows of ${table} are missing`);
  }
  return { ...end.rows };
}

function damaged(what: string): DatabaseStartError {
  return new DatabaseStartError(`the backup is not whole: ${what}. Nothing was restored`);
}

/** Columns of the table that the rows have; one that is gone from the rows keeps its default. */
async function write(trx: Kysely<Tables>, { table, rows }: BackupRows): Promise<void> {
  const { rows: columns } = await sql<{ name: string }>`
    SELECT attname::text AS name FROM pg_attribute
     WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`.execute(
    trx,
  );
  const list = sql.join(columns.map(({ name }) => sql.ref(name)));
  await sql`INSERT INTO ${sql.table(table)} (${list}) OVERRIDING SYSTEM VALUE
    SELECT ${list} FROM jsonb_populate_recordset(NULL::${sql.table(table)}, ${JSON.stringify(rows)}::jsonb)`.execute(
    trx,
  );
}

/** Sequences go on behind the highest value that is in use. */
async function setSequences(trx: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ sequence: string; table: string; column: string }>`
    SELECT s.relname::text AS sequence, t.relname::text AS table, a.attname::text AS column
      FROM pg_class s
      JOIN pg_depend d ON d.refobjid = s.oid AND d.classid = 'pg_attrdef'::regclass
      JOIN pg_attrdef f ON f.oid = d.objid
      JOIN pg_class t ON t.oid = f.adrelid AND NOT t.relispartition
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = f.adnum
     WHERE s.relkind = 'S' AND s.relnamespace = current_schema()::regnamespace`.execute(trx);
  for (const { sequence, table, column } of rows) {
    await sql`SELECT setval(${sequence}::regclass,
      (SELECT coalesce(max(${sql.ref(column)}), 0) + 1 FROM ${sql.table(table)}), false)`.execute(
      trx,
    );
  }
}
