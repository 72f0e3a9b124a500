import type { BaseLogger } from 'pino';
import type { Database } from '../db/index.ts';
import { type Job, lockOf, type Run } from './job.ts';
import { afterRun, isDueBefore, type JobState, stateOf } from './policy.ts';
import { createRecords, type JobRecord } from './records.ts';

export interface SchedulerDeps {
  readonly db: Database;
  readonly now: () => Date;
  readonly log: Pick<BaseLogger, 'info' | 'error'>;
  /** Names this process in the record of a job. */
  readonly replica: string;
  /** Hears of every run that took place here. */
  readonly onRun?: (report: RunReport) => void;
}

export interface RunReport {
  readonly job: string;
  readonly outcome: 'succeeded' | 'failed';
  readonly at: Date;
  readonly seconds: number;
  readonly rows: number;
}

export type Scheduler = ReturnType<typeof createScheduler>;

/** All in milliseconds. */
const firstLook = 30_000;
const longestLook = 10 * 60_000;
/** Jobs that come more often than this do not wait for the long ones, which run one after the other. */
const impatient = 60_000;
/** How often progress is written. */
const progressEvery = 1000;

/**
 * Runs jobs by the clock: each at most once per interval over all replicas, by the one that gets its lock,
 * and never while it still runs. One that fails is recorded, and runs again when it is due.
 */
export function createScheduler(deps: SchedulerDeps, jobs: readonly Job[]) {
  const { db, now, log, replica, onRun } = deps;
  const records = createRecords(db);
  const stop = new AbortController();
  const running = new Map<string, Promise<void>>();
  /** Of the jobs that run everywhere: what became of them in this process. */
  const own = new Map<string, JobRecord>();
  const timers: NodeJS.Timeout[] = [];
  let patient: Promise<void> = Promise.resolve();

  /** Runs it if it is due and nobody else does. Never rejects. */
  function look(job: Job): Promise<void> {
    const before = running.get(job.name);
    if (before) return before;
    const isPatient = !job.everywhere && job.interval * 1000 >= impatient;
    const turn = isPatient ? patient : Promise.resolve();
    const run = turn
      .then(() => (stop.signal.aborted ? undefined : attempt(job)))
      .catch((err) => log.error({ err, job: job.name }, 'a job could not be started'))
      .finally(() => running.delete(job.name));
    running.set(job.name, run);
    if (isPatient) patient = run;
    return run;
  }

  async function attempt(job: Job): Promise<void> {
    if (job.everywhere) {
      const startedAt = now();
      const outcome = await execute(job, async () => {});
      own.set(
        job.name,
        afterRun(job.name, own.get(job.name), { startedAt, at: now(), ...outcome }),
      );
      return;
    }
    await db.tryLock(lockOf(job), async () => {
      const at = now();
      if (!(await records.begin(job.name, at, replica, isDueBefore(job, at)))) return;
      const outcome = await execute(
        job,
        seldom((text) => records.advance(job.name, text)),
      );
      await records.end(job.name, now(), outcome);
    });
  }

  async function execute(job: Job, progress: Run['progress']) {
    const started = performance.now();
    const at = now();
    const report = (outcome: RunReport['outcome'], rows = 0) => {
      const seconds = (performance.now() - started) / 1000;
      onRun?.({ job: job.name, outcome, at, seconds, rows });
    };
    try {
      const rows = await job.run({ at, signal: stop.signal, progress });
      report('succeeded', rows);
      return { rows };
    } catch (err) {
      log.error({ err, job: job.name }, 'a job failed; it will run again');
      report('failed');
      return { error: err instanceof Error ? err.message : String(err) };
    }
  }

  return {
    start(): void {
      for (const job of jobs) {
        const every = Math.min(job.interval * 1000, longestLook);
        const first = setTimeout(
          () => {
            void look(job);
            timers.push(setInterval(() => void look(job), every).unref());
          },
          Math.min(every, firstLook),
        );
        timers.push(first.unref());
      }
    },
    /** Runs every job that is due, one after the other, as the clock would. */
    async runDue(): Promise<void> {
      for (const job of jobs) await look(job);
    },
    /** What each job did last: on whichever replica, or here where it runs on every one. */
    async states(): Promise<JobState[]> {
      const known = new Map((await records.all()).map((record) => [record.name, record]));
      return jobs.map((job) => {
        const record = job.everywhere ? own.get(job.name) : known.get(job.name);
        return stateOf(job, record, now());
      });
    },
    /** Begins nothing any more and waits for what runs, which ends after its batch. */
    async stop(): Promise<void> {
      stop.abort();
      for (const timer of timers) clearInterval(timer);
      await Promise.all(running.values());
    },
  };
}

/** Drops calls that come soon after another. */
function seldom(write: (text: string) => Promise<void>): Run['progress'] {
  let next = 0;
  return async (text) => {
    if (performance.now() < next) return;
    next = performance.now() + progressEvery;
    await write(text);
  };
}
