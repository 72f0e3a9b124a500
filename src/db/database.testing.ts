import type { Database, DatabaseDeps } from './database.ts';
import { migrate } from './migrate.ts';
import { openPGlite } from './pglite.ts';

/** A fresh embedded database in memory with the current schema, for one test file. */
export async function testDatabase(deps: DatabaseDeps = {}): Promise<Database> {
  const database = await openPGlite('memory', deps);
  await migrate(database);
  return database;
}
