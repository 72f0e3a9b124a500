import type { DatabaseState, DiskState } from '../db/index.ts';
import type { JobState } from '../scheduler/index.ts';

export interface HealthProblem {
  severity: 'warning' | 'critical';
  what: string;
  detail: string;
}

/** Percent. */
const diskLimits = { warning: 90, critical: 97 };
/** Milliseconds. */
const slowRoundTrip = 250;
/** Runs in a row. */
const criticalFailures = 5;

/** Percent with one digit. */
export function usedPercent({ sizeBytes, freeBytes }: DiskState): number {
  if (sizeBytes === 0) return 0;
  return Math.round((1 - freeBytes / sizeBytes) * 1000) / 10;
}

/** What is wrong with the server, the worst first. */
export function healthProblems(state: {
  database: DatabaseState;
  disk: DiskState | undefined;
  jobs: readonly JobState[];
}): HealthProblem[] {
  const problems = [
    ...databaseProblems(state.database),
    ...diskProblems(state.disk),
    ...state.jobs.flatMap(jobProblems),
  ];
  return problems.toSorted((a, b) => rank(b) - rank(a));
}

export function diskProblems(disk: DiskState | undefined): HealthProblem[] {
  if (!disk) return [];
  const used = usedPercent(disk);
  if (used < diskLimits.warning) return [];
  const severity = used < diskLimits.critical ? 'warning' : 'critical';
  const detail = `${used} % of the disk of ${disk.path} is used. Free space or move storage.pglite.path before it is full: then nothing can be issued.`;
  return [{ severity, what: 'disk', detail }];
}

export function jobProblems({ name, title, status, ...job }: JobState): HealthProblem[] {
  const what = `job ${name}`;
  if (status === 'failing') {
    const severity = job.failures < criticalFailures ? 'warning' : 'critical';
    const detail = `“${title}” failed ${times(job.failures)}: ${job.error ?? 'no reason is known'}. It runs again by itself; the log has the whole error.`;
    return [{ severity, what, detail }];
  }
  if (status !== 'late') return [];
  const last = job.succeededAt?.toISOString() ?? 'never';
  const detail = `“${title}” should run every ${job.interval} s, and last succeeded ${last}. See whether a replica is running and its log.`;
  return [{ severity: 'warning', what, detail }];
}

function databaseProblems({ latencyMs, migrations }: DatabaseState): HealthProblem[] {
  const problems: HealthProblem[] = [];
  if (latencyMs > slowRoundTrip) {
    const detail = `One round trip took ${latencyMs} ms. Look at the load of the database and the network in between.`;
    problems.push({ severity: 'warning', what: 'database', detail });
  }
  if (migrations.pending.length > 0) {
    const detail = `The database lacks ${migrations.pending.join(', ')}. Restart the server or run authserver migrate.`;
    problems.push({ severity: 'critical', what: 'migrations', detail });
  }
  return problems;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times in a row`;
}

function rank({ severity }: HealthProblem): number {
  return severity === 'critical' ? 1 : 0;
}
