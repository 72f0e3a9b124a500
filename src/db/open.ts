import type { Database, DatabaseDeps, StorageOptions } from './database.ts';
import { openPGlite } from './pglite.ts';
import { openPostgres } from './postgres.ts';

/**
 * Opens the configured database; the caller migrates and closes it.
 *
 * @throws DatabaseStartError with what to do, or the driver's error when it cannot be reached
 */
export function openDatabase(options: StorageOptions, deps: DatabaseDeps = {}): Promise<Database> {
  return options.driver === 'pglite' ? openPGlite(options.path, deps) : openPostgres(options, deps);
}
