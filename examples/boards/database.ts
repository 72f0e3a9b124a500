import { mkdir } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { Pool } from 'pg';
import { schema } from './schema.ts';

/** As much of a database as this server needs. */
export type BoardsDatabase = {
  query<Row>(statement: string, values: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
};

/**
 * Opens the boards' own database and makes their tables where they are missing.
 * @param location `postgres://…`, a directory for the embedded database (one process at a time), or `memory`
 * @param onError told about idle connections that Postgres closed
 */
export async function openBoardsDatabase(
  location: string,
  onError: (error: unknown) => void,
): Promise<BoardsDatabase> {
  if (/^postgres(ql)?:\/\//.test(location)) return openPostgres(location, onError);
  return openEmbedded(location);
}

async function openPostgres(
  connectionString: string,
  onError: (error: unknown) => void,
): Promise<BoardsDatabase> {
  const pool = new Pool({ connectionString, max: 5, statement_timeout: 5_000 });
  pool.on('error', onError);
  // One implicit transaction: replicas that start together make the tables one after the other.
  await pool.query(`select pg_advisory_xact_lock(hashtext('boards schema'));\n${schema}`);
  return {
    // The driver does not know what a statement answers; whoever wrote the statement does.
    query: async <Row>(statement: string, values: readonly unknown[]) =>
      (await pool.query<Row & object>(statement, [...values])).rows,
    close: () => pool.end(),
  };
}

async function openEmbedded(directory: string): Promise<BoardsDatabase> {
  if (directory !== 'memory') await mkdir(directory, { recursive: true, mode: 0o700 });
  const engine = await PGlite.create(directory === 'memory' ? 'memory://' : directory);
  await engine.exec(schema);
  return {
    query: async <Row>(statement: string, values: readonly unknown[]) =>
      (await engine.query<Row>(statement, [...values])).rows,
    close: () => engine.close(),
  };
}
