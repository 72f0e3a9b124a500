import { statfs } from 'node:fs/promises';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { pendingMigrations } from './migrate.ts';

/** The state of a database, for operators. */
export interface DatabaseState {
  readonly driver: Database['driver'];
  readonly version: string;
  /** One round trip, just now. */
  readonly latencyMs: number;
  readonly sizeBytes: number;
  /** The largest ones, with indexes; rows as the engine estimates them. */
  readonly tables: readonly { name: string; sizeBytes: number; rows: number }[];
  readonly migrations: { applied: number; latest: string | undefined; pending: string[] };
}

export interface DiskState {
  readonly path: string;
  readonly sizeBytes: number;
  readonly freeBytes: number;
}

const mostTables = 20;

/** Looks at sizes and versions; reads no row of any table but that of migrations. */
export async function inspectDatabase(db: Database): Promise<DatabaseState> {
  const started = performance.now();
  await db.ping();
  const latencyMs = Math.round((performance.now() - started) * 10) / 10;
  const { kysely, driver } = db;
  const about = await sql<{ version: string; size: string }>`
    SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size`.execute(
    kysely,
  );
  const tables = await sql<{ name: string; size: string; rows: string }>`
    SELECT c.relname AS name, pg_total_relation_size(c.oid) AS size,
           greatest(c.reltuples, 0)::bigint AS rows
      FROM pg_class c
     WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
     ORDER BY 2 DESC, 1 LIMIT ${mostTables}`.execute(kysely);
  const applied = await sql<{ name: string }>`
    SELECT name FROM kysely_migration ORDER BY name`.execute(kysely);
  return {
    ...{ driver, latencyMs },
    version: about.rows[0]?.version ?? 'unknown',
    sizeBytes: Number(about.rows[0]?.size ?? 0),
    tables: tables.rows.map(({ name, size, rows }) => ({
      ...{ name, sizeBytes: Number(size), rows: Number(rows) },
    })),
    migrations: {
      applied: applied.rows.length,
      latest: applied.rows.at(-1)?.name,
      pending: await pendingMigrations(db),
    },
  };
}

/** The disk that a path lies on; undefined where that cannot be known. */
export async function inspectDisk(path: string): Promise<DiskState | undefined> {
  try {
    const { blocks, bavail, bfree, bsize } = await statfs(path);
    // What only root may use counts as used by nobody.
    const usable = blocks - (bfree - bavail);
    return { path, sizeBytes: usable * bsize, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}
