import type { Command } from 'commander';
import type { Config } from '../config/index.ts';
import type { Rooms } from '../rooms.ts';
import { type ConfigOption, configured } from './load.ts';
import { fields, type JsonOption, jsonFlag, print, printJson } from './output.ts';
import { withRooms } from './storage.ts';

const batch = 1000;

/** `authserver purge`: what a running server does every ten minutes, once and now. */
export function purgeCommand(): Command {
  return configured('purge', 'remove what has expired; a running server does it by itself')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const gone = await withRooms(options, purge);
      if (options.json) printJson(gone);
      else print(`Removed:\n${fields(gone)}`);
    });
}

/** In batches, so that no lock is held for long. */
async function purge({ tokens, accounts, clients, now }: Rooms, { oauth }: Config) {
  const at = now();
  await tokens.sweep.closeOverlaps(new Date(at.getTime() - oauth.refresh_overlap * 1000));
  let expired = 0;
  for (let gone = 1; gone > 0; expired += gone) gone = await tokens.sweep.removeExpired(at, batch);
  let sessions = 0;
  for (let gone = batch; gone === batch; sessions += gone) gone = await accounts.purge(batch);
  const reaped = await clients.reap();
  return {
    token_rows: expired,
    sessions,
    clients: reaped.clients,
    client_documents: reaped.documents,
  };
}
