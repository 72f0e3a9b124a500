import type { Job } from './job.ts';
import type { JobRecord } from './records.ts';

/** A job and its last run, whichever replica did it. */
export interface JobState extends Partial<Omit<JobRecord, 'name' | 'rowsTotal' | 'failures'>> {
  readonly name: string;
  readonly title: string;
  /** Seconds. */
  readonly interval: number;
  readonly status: 'ok' | 'running' | 'failing' | 'late' | 'never';
  readonly rowsTotal: number;
  readonly failures: number;
}

/** Timers of replicas are not exact, so a run counts as due a little early; in milliseconds. */
const mostEarly = 60_000;
/** A job that has not succeeded for so many intervals is late, but never before the second. */
const lateAfter = 3;
const neverLateBefore = 120_000;
/** A run that takes longer has most likely died with its replica. */
const longestRun = 3_600_000;

/** A job is due when its last run began before this. */
export function isDueBefore({ interval }: Pick<Job, 'interval'>, now: Date): Date {
  const whole = interval * 1000;
  return new Date(now.getTime() - whole + Math.min(whole / 10, mostEarly));
}

/** How a job does, from its last run. */
export function stateOf(
  { name, title, interval }: Pick<Job, 'name' | 'title' | 'interval'>,
  record: JobRecord | undefined,
  now: Date,
): JobState {
  const job = { name, title, interval };
  if (!record) return { ...job, status: 'never', rowsTotal: 0, failures: 0 };
  return { ...record, ...job, status: statusOf(record, interval, now) };
}

function statusOf(record: JobRecord, interval: number, now: Date): JobState['status'] {
  if (record.failures > 0) return 'failing';
  const begun = now.getTime() - record.startedAt.getTime();
  if (record.runningOn !== undefined && begun < longestRun) return 'running';
  const patience = Math.max(interval * 1000 * lateAfter, neverLateBefore);
  const last = record.succeededAt ?? record.startedAt;
  if (now.getTime() - last.getTime() > patience) return 'late';
  return 'ok';
}

/** The record of a job after one more run, where no table keeps it. */
export function afterRun(
  name: string,
  before: JobRecord | undefined,
  run: { startedAt: Date; at: Date; rows?: number | undefined; error?: string },
): JobRecord {
  const { startedAt, at, rows, error } = run;
  return {
    ...{ name, startedAt, finishedAt: at, rows, error },
    succeededAt: error === undefined ? at : before?.succeededAt,
    rowsTotal: (before?.rowsTotal ?? 0) + (rows ?? 0),
    failures: error === undefined ? 0 : (before?.failures ?? 0) + 1,
    runningOn: undefined,
    progress: undefined,
  };
}
