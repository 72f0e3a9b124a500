import { chmodSync, mkdirSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import {
  type DatabaseConnection,
  type Driver,
  Kysely,
  type LogEvent,
  PGliteDialect,
  PGliteDriver,
} from 'kysely';
import type { Database, DatabaseDeps } from './database.ts';
import { lockDirectory } from './directory-lock.ts';
import { createMutex } from './mutex.ts';
import type { Tables } from './tables.ts';

const bigintOid = 20;

/**
 * Opens the embedded database. It survives a killed process, not a power cut (PGlite runs without fsync).
 *
 * @param path a directory (made on first start and locked), or `memory` for tests
 * @param options `contents`: a dump of the engine to begin with, for tests
 * @throws DatabaseStartError when another process holds the directory
 */
export async function openPGlite(
  path: string,
  deps: DatabaseDeps,
  { contents }: { contents?: Blob | undefined } = {},
): Promise<Database> {
  const inMemory = path === 'memory';
  if (!inMemory) makePrivate(path);
  const unlock = inMemory ? () => {} : lockDirectory(path);
  try {
    const engine = await PGlite.create({
      dataDir: inMemory ? 'memory://' : path,
      ...(contents ? { loadDataDir: contents } : {}),
      parsers: { [bigintOid]: (value: string) => value }, // as pg does: no silent loss of digits
    });
    return database(engine, unlock, deps);
  } catch (error) {
    unlock();
    throw error;
  }
}

/** The engine writes world-readable files: the directory itself keeps others out. */
function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
}

function database(engine: PGlite, unlock: () => void, { onQuery }: DatabaseDeps): Database {
  const locks = new Map<string, ReturnType<typeof createMutex>>();
  const held = new Set<string>();
  const kysely = new Kysely<Tables>({
    dialect: new SerialPGliteDialect(engine),
    log: (event: LogEvent) =>
      onQuery?.({ name: 'kysely', milliseconds: event.queryDurationMillis }),
  });
  return {
    driver: 'pglite',
    kysely,
    async run<Row extends object>(
      statement: { name: string; text: string },
      values: readonly unknown[],
    ) {
      const started = performance.now();
      const { rows } = await engine.query<Row>(statement.text, [...values]);
      onQuery?.({ name: statement.name, milliseconds: performance.now() - started });
      return rows;
    },
    async listen(channel, handler) {
      const stop = await engine.listen(channel, handler);
      return () => stop();
    },
    async notify(channel, payload) {
      await engine.query('SELECT pg_notify($1, $2)', [channel, payload]);
    },
    async withLock(name, work) {
      const lock = locks.get(name) ?? createMutex();
      locks.set(name, lock);
      const release = await lock.acquire();
      try {
        return await work();
      } finally {
        release();
      }
    },
    async tryLock(name, work) {
      if (held.has(name)) return undefined;
      held.add(name);
      try {
        return await work();
      } finally {
        held.delete(name);
      }
    },
    async ping() {
      await engine.query('SELECT 1');
    },
    async close() {
      await kysely.destroy();
      unlock();
    },
  };
}

/** Kysely's dialect hands out one connection without a lock, so a stray query would join an open transaction. */
class SerialPGliteDialect extends PGliteDialect {
  readonly #engine: PGlite;

  constructor(engine: PGlite) {
    super({ pglite: engine });
    this.#engine = engine;
  }

  override createDriver(): Driver {
    return new SerialPGliteDriver({ pglite: this.#engine });
  }
}

class SerialPGliteDriver extends PGliteDriver {
  readonly #mutex = createMutex();
  #release: (() => void) | undefined;

  override async acquireConnection(): Promise<DatabaseConnection> {
    const release = await this.#mutex.acquire();
    this.#release = release;
    return super.acquireConnection();
  }

  override async releaseConnection(): Promise<void> {
    this.#release?.();
  }
}
