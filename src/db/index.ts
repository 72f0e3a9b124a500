/**
 * Storage: one SQL dialect (Postgres) on an embedded engine or a server, its tables, migrations, locks,
 * and prepared statements for the hot path. Rooms query the tables they own; nobody else does.
 */
export { type BackupHead, type BackupLine, backupLines, keyCheck } from './backup.ts';
export type { Database, DatabaseDeps, QueryReport, StorageOptions } from './database.ts';
export { refuseHeldDirectory } from './directory-lock.ts';
export { DatabaseStartError, isUnavailable } from './errors.ts';
export { type DatabaseState, type DiskState, inspectDatabase, inspectDisk } from './inspect.ts';
export { likePrefix } from './like-prefix.ts';
export { migrate, pendingMigrations } from './migrate.ts';
export { openDatabase } from './open.ts';
export { type RestoreSteps, restoreLines } from './restore.ts';
export { hashId, type Statement, statement } from './statement.ts';
export type * from './tables.ts';
export type * from './tables-administrators.ts';
export type * from './tables-audit.ts';
export type { FlowsTable, StoredFlowStep } from './tables-flows.ts';
export type * from './tables-identity-providers.ts';
export type * from './tables-mcp-servers.ts';
export type * from './tables-operations.ts';
export type * from './tables-reconnect-links.ts';
export type * from './tables-statistics.ts';
export type * from './tables-upstream.ts';
export type * from './tables-workspace-credentials.ts';
export type * from './tables-workspace-invitations.ts';
export type * from './tables-workspaces.ts';
export { vacuum } from './vacuum.ts';
