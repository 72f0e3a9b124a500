import type { Command } from 'commander';
import type { Config } from '../config/index.ts';
import type { Rooms } from '../rooms.ts';
import { type ConfigOption, configured } from './load.ts';
import { fields, type JsonOption, jsonFlag, note, print, printJson } from './output.ts';
import { withRooms } from './storage.ts';

/** `authserver purge`: the clean-up jobs of a running server, once and now. */
export function purgeCommand(): Command {
  return configured('purge', 'remove what has expired; a running server does it by itself')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const removed = await withRooms(options, purge);
      if (options.json) printJson(removed);
      else print(`Rows removed:\n${fields(removed)}`);
    });
}

/** One step after the other, in small batches; what each does is told on standard error. */
async function purge(rooms: Rooms, config: Config): Promise<Record<string, number>> {
  const { jobsOf } = await import('../jobs.ts');
  const { lockOf } = await import('../scheduler/index.ts');
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const removed: Record<string, number> = {};
  for (const job of jobsOf(rooms, config)) {
    if (!job.sweeps || stopped.signal.aborted) continue;
    note(`${job.title} …`);
    const progress = seldom((text) => note(`  ${text}`));
    const run = { at: rooms.now(), signal: stopped.signal, progress };
    const gone = await rooms.db.tryLock(lockOf(job), async () => (await job.run(run)) ?? 0);
    if (gone === undefined) note('  a running server does it at this moment');
    else removed[job.name] = gone;
  }
  process.off('SIGINT', stop).off('SIGTERM', stop);
  return removed;
}

/** A line every two seconds at most. */
function seldom(write: (text: string) => void) {
  let next = Date.now() + 2000;
  return async (text: string) => {
    if (Date.now() < next) return;
    next = Date.now() + 2000;
    write(text);
  };
}
