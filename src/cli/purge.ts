import type { Command } from 'commander';
import { maintenance } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { withAdmin } from './administration.ts';
import { type ConfigOption, configured } from './load.ts';
import { fields, type JsonOption, jsonFlag, note, print, printJson } from './output.ts';

/** `authserver purge`: the clean-up jobs of a running server, once and now. */
export function purgeCommand(): Command {
  return configured('purge', 'remove what has expired; a running server does it by itself')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const removed = await withAdmin(options, purge);
      if (options.json) printJson(removed);
      else print(`Rows removed:\n${fields(removed)}`);
    });
}

/** One step after the other; each is told on standard error. */
async function purge(admin: AdminClient): Promise<Record<string, number>> {
  const removed: Record<string, number> = {};
  const { items } = await admin.call(maintenance.sweeps);
  for (const { id, title } of items) {
    note(`${title} …`);
    const rows = await sweep(admin, id);
    if (rows === undefined) note('  a running server does it at this moment');
    else removed[id] = rows;
  }
  return removed;
}

/** @returns rows removed; undefined where somebody else does it */
async function sweep(admin: AdminClient, id: string): Promise<number | undefined> {
  let removed: number | undefined;
  for (;;) {
    const { rows, done } = await admin.call(maintenance.sweep, { params: { id } });
    if (rows !== null) removed = (removed ?? 0) + rows;
    if (done) return removed;
    note(`  ${removed} rows so far`);
  }
}
