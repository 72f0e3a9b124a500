import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config/index.ts';
import { localUrl } from './ownership.ts';

/** Where `admin.key` is kept: beside the embedded database and the generated secrets. */
export function dataDirectory({ storage }: Config): string {
  return dirname(storage.pglite.path);
}

/**
 * The key with which commands on this computer reach the server that is about to run: made by its first
 * process, read by its workers.
 *
 * @returns `remove`, to be called when the server has stopped
 */
export async function localKey(
  config: Config,
  { log, isWorker }: { log: Logger; isWorker: boolean },
): Promise<{ key?: string | undefined; remove(): void }> {
  const none = { remove() {} };
  if (!config.admin.enabled) return none;
  const { makeLocalKey, readLocalKey } = await import('../admin/index.ts');
  const directory = dataDirectory(config);
  if (isWorker) return { key: readLocalKey(directory)?.key, ...none };
  try {
    return makeLocalKey(directory, localUrl(config.admin.address), config.server.issuer);
  } catch (err) {
    log.warn({ err }, 'no key for commands on this computer: the data directory is not writable');
    return none;
  }
}
