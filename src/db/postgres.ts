import { Kysely, type LogEvent, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database, DatabaseDeps, StorageOptions } from './database.ts';
import { DatabaseStartError } from './errors.ts';
import { createListener } from './postgres-listener.ts';
import { createLockSession, withAdvisoryLock } from './postgres-locks.ts';
import type { Tables } from './tables.ts';

const oldestServer = 150_000;

/**
 * Opens a pool to a Postgres server.
 *
 * @throws DatabaseStartError when the server is too old
 * @throws the driver's error when it cannot be reached
 */
export async function openPostgres(
  options: Extract<StorageOptions, { driver: 'postgres' }>,
  { onQuery, onError }: DatabaseDeps,
): Promise<Database> {
  const settings: pg.PoolConfig = {
    connectionString: options.dsn,
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectTimeout,
    statement_timeout: options.statementTimeout,
    // The server's own timeout cannot fire when the server hangs: this one is ours.
    query_timeout: options.statementTimeout + 500,
    idle_in_transaction_session_timeout: options.statementTimeout * 4,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'authserver',
  };
  const pool = new pg.Pool(settings);
  pool.on('error', (error) => onError?.(error));
  try {
    await requireVersion(pool);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const listener = createListener(settings, onError);
  const locks = createLockSession(settings);
  const kysely = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    log: (event: LogEvent) =>
      onQuery?.({ name: 'kysely', milliseconds: event.queryDurationMillis }),
  });
  return {
    driver: 'postgres',
    kysely,
    async run<Row extends object>(
      statement: { name: string; text: string },
      values: readonly unknown[],
    ) {
      const started = performance.now();
      const { rows } = await pool.query<Row>({ ...statement, values: [...values] });
      onQuery?.({ name: statement.name, milliseconds: performance.now() - started });
      return rows;
    },
    listen: listener.listen,
    async notify(channel, payload) {
      await pool.query('SELECT pg_notify($1, $2)', [channel, payload]);
    },
    withLock: (name, work) => withAdvisoryLock(settings, name, work),
    tryLock: locks.tryLock,
    async ping() {
      await pool.query('SELECT 1');
    },
    async close() {
      await listener.close();
      await locks.close();
      await kysely.destroy();
    },
  };
}

async function requireVersion(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ server_version_num: string }>('SHOW server_version_num');
  const version = Number(rows[0]?.server_version_num);
  if (version < oldestServer) {
    throw new DatabaseStartError(
      `Postgres ${Math.floor(version / 10_000)} is too old: use Postgres ${oldestServer / 10_000} or newer`,
    );
  }
}
