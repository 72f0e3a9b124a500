import type { Config } from '../config/index.ts';
import type { Rooms } from '../rooms.ts';
import { type ConfigOption, load } from './load.ts';

/**
 * Does work on the rooms over the configured database, and closes it. What is heavy is loaded only once
 * it is known that the work can be done, so that a refusal comes at once.
 *
 * @throws ConfigError, DatabaseStartError (naming the pid where a running server holds it), KeysStartError
 */
export async function withRooms<T>(
  options: ConfigOption,
  work: (rooms: Rooms, config: Config) => Promise<T>,
): Promise<T> {
  const { config } = load(options);
  await refuseHeld(config);
  const { openRooms } = await import('../rooms.ts');
  const { createLogger } = await import('../http/index.ts');
  const log = createLogger({ level: 'warn', format: 'pretty' }, process.stderr);
  const rooms = await openRooms(config, { log });
  try {
    return await work(rooms, config);
  } finally {
    await rooms.close();
  }
}

/** @throws DatabaseStartError when another process holds the embedded database */
export async function refuseHeld({ storage }: Config): Promise<void> {
  if (storage.driver !== 'pglite') return;
  const { refuseHeldDirectory } = await import('../db/index.ts');
  refuseHeldDirectory(storage.pglite.path);
}
