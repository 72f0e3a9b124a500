import { inject } from 'vitest';
import type { Database, DatabaseDeps } from './database.ts';
import { migrate } from './migrate.ts';
import { openDatabase } from './open.ts';
import { openPGlite } from './pglite.ts';
import { createTestDatabase } from './postgres.testing.ts';
import { schemaSnapshot } from './snapshot.testing.ts';

/**
 * A fresh database with the current schema, for one test file: embedded and in memory, or on the real
 * Postgres of the run where there is one.
 */
export async function testDatabase(deps: DatabaseDeps = {}): Promise<Database> {
  const postgres: string | undefined = inject('postgres');
  const database = postgres === undefined ? await embedded(deps) : await onPostgres(deps);
  await migrate(database);
  return database;
}

function embedded(deps: DatabaseDeps): Promise<Database> {
  return openPGlite('memory', deps, { contents: schemaSnapshot() });
}

async function onPostgres(deps: DatabaseDeps): Promise<Database> {
  const dsn = await createTestDatabase('test');
  const timeouts = { statementTimeout: 20_000, connectTimeout: 10_000 };
  return openDatabase({ driver: 'postgres', dsn, maxConnections: 5, ...timeouts }, deps);
}
