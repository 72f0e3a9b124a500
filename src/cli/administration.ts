import type { AdminClient, LocalKey } from '../admin/index.ts';
import type { Config } from '../config/index.ts';
import type { Rooms } from '../rooms.ts';
import { type ConfigOption, load } from './load.ts';
import { dataDirectory } from './local-key.ts';
import { operator } from './operator.ts';
import { withRooms } from './storage.ts';

/** Milliseconds within which a server that runs says so. */
const patience = 5000;

/**
 * Does work by the admin API: that of the server that runs on this data directory, else, on the open
 * database, in this process. What happens is the same, and so is the audit log.
 *
 * @throws ConfigError, DatabaseStartError, KeysStartError; what the calls throw
 */
export async function withAdmin<T>(
  options: ConfigOption,
  work: (admin: AdminClient, config: Config) => Promise<T>,
): Promise<T> {
  const { config } = load(options);
  const running = await findServer(config);
  if (running) return work(running, config);
  return withRooms(options, async (rooms) => work(await inProcess(rooms, config), config));
}

/** @returns undefined where none runs, as after one was killed and left its key */
async function findServer(config: Config): Promise<AdminClient | undefined> {
  const { createAdminClient, readLocalKey, systemUserHeader } = await import('../admin/index.ts');
  const local = readLocalKey(dataDirectory(config));
  if (!local || !isOurs(local, config)) return undefined;
  const { actor } = operator(new Date());
  const client = (fetch?: typeof globalThis.fetch) =>
    createAdminClient({
      ...{ origin: local.url, apiKey: local.key, ...(fetch && { fetch }) },
      headers: { [systemUserHeader]: encodeURIComponent(actor.id ?? '') },
    });
  const { session } = await import('../admin/contract/index.ts');
  const hurried = client((url, init) =>
    fetch(url, { ...init, signal: AbortSignal.timeout(patience) }),
  );
  try {
    await hurried.call(session.get);
    return client();
  } catch {
    return undefined;
  }
}

/** Two servers with databases of their own may share a directory, and the later one its key. */
function isOurs({ issuer }: LocalKey, { server }: Config): boolean {
  return issuer === undefined || issuer === server.issuer;
}

async function inProcess(rooms: Rooms, config: Config): Promise<AdminClient> {
  const { createLocalAdmin } = await import('../admin/index.ts');
  const { createScheduler } = await import('../scheduler/index.ts');
  const { jobsOf } = await import('../jobs.ts');
  const { sweepsOf } = await import('../sweeps.ts');
  const { db, now, log, replica, secrets } = rooms;
  const scheduler = createScheduler({ db, now, log, replica: replica.id }, jobsOf(rooms, config));
  const { actor } = operator(now());
  return createLocalAdmin(
    {
      ...{ ...rooms, scheduler, sweeps: sweepsOf(rooms, config) },
      auditMeta: () => ({ at: now() }),
    },
    { issuer: config.server.issuer, cookieSecret: secrets.sessionSecret },
    actor,
  );
}

/** What a call answers; undefined where there is no such row. */
export async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 404) return undefined;
    throw error;
  }
}

/** Every row of a list, at once. */
export async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const row of rows) found.push(row);
  return found;
}
