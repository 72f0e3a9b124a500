import type { Kysely } from 'kysely';
import type { Statement } from './statement.ts';
import type { Tables } from './tables.ts';

/** What a query took, for metrics and for the benchmark's count of round trips. */
export interface QueryReport {
  name: string;
  milliseconds: number;
}

/** One Postgres dialect on two engines: a pool to a server, or the embedded one in this process. */
export interface Database {
  readonly driver: 'pglite' | 'postgres';
  /** For everything but the hot path. Inside `transaction().execute(trx => …)` use only `trx`. */
  readonly kysely: Kysely<Tables>;
  /** Runs a named statement in one round trip, outside any transaction. */
  run<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /**
   * Calls `handler` for each NOTIFY on the channel, and with an empty payload after a lost
   * connection came back, since messages may have been missed.
   */
  listen(channel: string, handler: (payload: string) => void): Promise<() => Promise<void>>;
  notify(channel: string, payload: string): Promise<void>;
  /** Runs `work` while no other replica runs work under the same name. */
  withLock<T>(name: string, work: () => Promise<T>): Promise<T>;
  /**
   * Runs `work` unless some work under the same name runs already, here or on another replica. These are
   * other names than those of {@link Database.withLock}.
   *
   * @returns undefined where it did not run
   */
  tryLock<T>(name: string, work: () => Promise<T>): Promise<T | undefined>;
  /** Resolves when the database answers, rejects when it does not. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Settings of `storage` in the configuration, in the units the drivers want. */
export type StorageOptions =
  | { driver: 'pglite'; path: string | 'memory' }
  | {
      driver: 'postgres';
      dsn: string;
      maxConnections: number;
      /** Milliseconds. */
      statementTimeout: number;
      /** Milliseconds. */
      connectTimeout: number;
    };

export interface DatabaseDeps {
  onQuery?: (report: QueryReport) => void;
  /** A background connection failed; the pool has already dropped it. */
  onError?: (error: Error) => void;
}
