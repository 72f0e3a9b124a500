import type { ColumnType } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type OptionalTime = ColumnType<Date | null, Date | null | undefined, Date | null>;
type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>;
/** A bigint, read as text. */
type Count = ColumnType<string, number | undefined, number>;

export interface JobRunsTable {
  name: string;
  started_at: Time;
  finished_at: OptionalTime;
  succeeded_at: OptionalTime;
  /** Of the last run. */
  rows: ColumnType<string | null, number | null | undefined, number | null>;
  rows_total: Count;
  /** Runs in a row. */
  failures: ColumnType<number, number | undefined, number>;
  error: Optional<string>;
  running_on: Optional<string>;
  progress: Optional<string>;
}

export interface StatsHourlyTable {
  hour: Time;
  metric: string;
  label: string;
  count: Count;
}

export interface StatsActiveTable {
  kind: 'client' | 'person';
  id: string;
  last_at: Time;
}

export interface ReplicasTable {
  id: string;
  version: string;
  started_at: Time;
  seen_at: Time;
}
