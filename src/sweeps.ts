import type { Sweep } from './admin/index.ts';
import type { Config } from './config/index.ts';
import { jobsOf } from './jobs.ts';
import type { Rooms } from './rooms.ts';
import { lockOf } from './scheduler/index.ts';

/** Milliseconds of one run: much less than what a listener allows for an answer (`server.write_timeout`). */
const longest = 10_000;

/** The clean-up jobs, to be run now. */
export function sweepsOf(rooms: Rooms, config: Config): Sweep[] {
  const { db, now } = rooms;
  return jobsOf(rooms, config)
    .filter((job) => job.sweeps)
    .map((job) => ({
      name: job.name,
      title: job.title,
      run() {
        const signal = AbortSignal.timeout(longest);
        const run = { at: now(), signal, progress: async () => {} };
        return db.tryLock(lockOf(job), async () => {
          const rows = (await job.run(run)) ?? 0;
          return { rows, done: !signal.aborted || rows === 0 };
        });
      },
    }));
}
