/**
 * Storage: one SQL dialect (Postgres) on an embedded engine or a server, its tables, migrations, locks,
 * and prepared statements for the hot path. Rooms query the tables they own; nobody else does.
 */
export type { Database, DatabaseDeps, QueryReport, StorageOptions } from './database.ts';
export { refuseHeldDirectory } from './directory-lock.ts';
export { DatabaseStartError, isUnavailable } from './errors.ts';
export { migrate, pendingMigrations } from './migrate.ts';
export { openDatabase } from './open.ts';
export { hashId, type Statement, statement } from './statement.ts';
export type * from './tables.ts';
