/**
 * Work that the clock starts: each job at most once per interval over all replicas, under an advisory lock,
 * with a record of its last run. jobs.ts lists the jobs, app.ts starts them.
 */
export { inBatches, type Job, lockOf, type Run } from './job.ts';
export type { JobState } from './policy.ts';
export { createReplica, type Replica, type ReplicaRow } from './replica.ts';
export { createScheduler, type RunReport, type Scheduler } from './scheduler.ts';
