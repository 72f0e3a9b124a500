import { type Kysely, sql } from 'kysely';

/** Jobs and their last runs, hourly counts for the charts, who was active, and the replicas. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // One row a job; who runs it holds an advisory lock too, so that a dead replica blocks nobody.
  `CREATE TABLE job_runs (
    name text PRIMARY KEY,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    succeeded_at timestamptz,
    rows bigint,
    rows_total bigint NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    error text,
    running_on text,
    progress text
  )`,

  // What the charts read. A few dozen rows an hour, whatever the traffic.
  `CREATE TABLE stats_hourly (
    hour timestamptz NOT NULL,
    metric text NOT NULL,
    label text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (hour, metric, label)
  )`,

  // When each client and person was last active: who is new in an hour or a day follows from it, and one
  // row each is all that is kept.
  `CREATE TABLE stats_active (
    kind text NOT NULL CHECK (kind IN ('client', 'person')),
    id text NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (kind, id)
  )`,
  'CREATE INDEX stats_active_last ON stats_active (kind, last_at)',

  // Processes that serve this database; each renews its row while it runs.
  `CREATE TABLE replicas (
    id text PRIMARY KEY,
    version text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
  )`,
];
