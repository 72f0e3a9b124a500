import { readdirSync } from 'node:fs';
import { type Migration, type MigrationResultSet, Migrator } from 'kysely/migration';
import type { Database } from './database.ts';
import { DatabaseStartError } from './errors.ts';

const folder = new URL('../../migrations/', import.meta.url);

/**
 * Brings the schema up to date; safe when several replicas start at once, since all of it happens in
 * one transaction under an advisory lock.
 *
 * @returns the names of the migrations that were run
 * @throws DatabaseStartError when one fails or the database is newer than this program
 */
export async function migrate(database: Pick<Database, 'kysely' | 'withLock'>): Promise<string[]> {
  return database.withLock('migrate', async () =>
    migrated(await migrator(database).migrateToLatest()),
  );
}

/** Brings an empty database to the schema of an older version, for a backup from then. */
export async function migrateTo(
  database: Pick<Database, 'kysely' | 'withLock'>,
  name: string,
): Promise<string[]> {
  return database.withLock('migrate', async () =>
    migrated(await migrator(database).migrateTo(name)),
  );
}

/** Names of all migrations of this version, in order. */
export async function knownMigrations(): Promise<string[]> {
  return Object.keys(await readMigrations()).toSorted();
}

function migrated({ error, results }: MigrationResultSet): string[] {
  if (error) {
    const text = `the database could not be migrated: ${reason(error)}`;
    throw new DatabaseStartError(text, { cause: error });
  }
  return (results ?? [])
    .filter((result) => result.status === 'Success')
    .map((result) => result.migrationName);
}

/** Names of the migrations that have not been run yet. */
export async function pendingMigrations(database: Database): Promise<string[]> {
  const all = await migrator(database).getMigrations();
  return all.filter((migration) => !migration.executedAt).map((migration) => migration.name);
}

function migrator(database: Pick<Database, 'kysely'>): Migrator {
  return new Migrator({ db: database.kysely, provider: { getMigrations: readMigrations } });
}

async function readMigrations(): Promise<Record<string, Migration>> {
  const files = readdirSync(folder).filter((file) => /^\d{4}_[\w-]+\.[jt]s$/.test(file));
  const entries = files.map(async (file): Promise<[string, Migration]> => {
    const module: Migration = await import(new URL(file, folder).href);
    return [file.replace(/\.[jt]s$/, ''), module];
  });
  return Object.fromEntries(await Promise.all(entries));
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
