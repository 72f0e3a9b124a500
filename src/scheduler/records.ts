import type { Selectable } from 'kysely';
import { type Database, type JobRunsTable, statement } from '../db/index.ts';

/** The last run of a job, whichever replica did it. */
export interface JobRecord {
  readonly name: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | undefined;
  readonly succeededAt: Date | undefined;
  /** Of the last run. */
  readonly rows: number | undefined;
  readonly rowsTotal: number;
  /** Failed runs in a row. */
  readonly failures: number;
  readonly error: string | undefined;
  readonly runningOn: string | undefined;
  readonly progress: string | undefined;
}

/** $1 name, $2 now, $3 replica, $4 latest begin of a run that makes another one due */
const claim = statement(
  'claim_job',
  `INSERT INTO job_runs AS j (name, started_at, running_on) VALUES ($1, $2, $3)
   ON CONFLICT (name) DO UPDATE SET started_at = $2, running_on = $3, finished_at = NULL, progress = NULL
     WHERE j.started_at <= $4 OR j.started_at > $2 RETURNING 1 AS due`,
);

/** $1 name, $2 now, $3 rows, $4 error */
const finish = statement(
  'finish_job',
  `UPDATE job_runs SET finished_at = $2, rows = $3::bigint, error = $4::text, running_on = NULL, progress = NULL,
          rows_total = rows_total + coalesce($3::bigint, 0),
          succeeded_at = CASE WHEN $4::text IS NULL THEN $2 ELSE succeeded_at END,
          failures = CASE WHEN $4::text IS NULL THEN 0 ELSE failures + 1 END
    WHERE name = $1`,
);

const advance = statement('advance_job', 'UPDATE job_runs SET progress = $2 WHERE name = $1');

/** Longest text of an error that is kept, in characters. */
const longestError = 300;

/** The table of jobs: who runs what, and how it ended. */
export function createRecords(db: Database) {
  return {
    /**
     * Begins a run where one is due. Call it under the lock of the job.
     *
     * @param dueBefore a run that began later makes another one not due yet
     */
    async begin(name: string, at: Date, replica: string, dueBefore: Date): Promise<boolean> {
      const rows = await db.run(claim, [name, at, replica, dueBefore]);
      return rows.length > 0;
    },
    async end(name: string, at: Date, outcome: { rows?: number | undefined; error?: string }) {
      const error = outcome.error?.slice(0, longestError) ?? null;
      await db.run(finish, [name, at, outcome.rows ?? null, error]);
    },
    async advance(name: string, text: string): Promise<void> {
      await db.run(advance, [name, text.slice(0, longestError)]);
    },
    async all(): Promise<JobRecord[]> {
      const rows = await db.kysely.selectFrom('job_runs').selectAll().execute();
      return rows.map(recordOf);
    },
  };
}

function recordOf(row: Selectable<JobRunsTable>): JobRecord {
  return {
    name: row.name,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
    succeededAt: row.succeeded_at ?? undefined,
    rows: row.rows === null ? undefined : Number(row.rows),
    rowsTotal: Number(row.rows_total),
    failures: row.failures,
    error: row.error ?? undefined,
    runningOn: row.running_on ?? undefined,
    progress: row.progress ?? undefined,
  };
}
