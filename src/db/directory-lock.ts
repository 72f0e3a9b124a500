import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { DatabaseStartError } from './errors.ts';

interface Holder {
  pid: number;
  /** Kernel start time of that process, so that a reused pid is not taken for the holder. */
  started: string;
  /** Host and process namespace: pids of another container mean nothing here. */
  namespace: string;
}

/** The holder touches its lock this often, in milliseconds; from elsewhere it is dead after `patience`. */
const heartbeat = 5000;
const patience = 30_000;

/**
 * Takes the lock of an embedded database directory. PGlite itself takes none, and two processes on
 * one directory silently lose data.
 *
 * @param path the database directory; the lock is the file `<path>.lock` beside it
 * @returns a function that releases the lock
 * @throws DatabaseStartError naming the pid of the live holder; a dead holder's lock is taken over
 */
export function lockDirectory(path: string): () => void {
  const lock = `${path}.lock`;
  mkdirSync(dirname(lock), { recursive: true });
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (claim(lock)) return hold(lock);
    const holder = readHolder(lock);
    if (holder && isAlive(holder, lock)) throw inUse(path, holder);
    discardStale(lock, holder);
  }
  throw new DatabaseStartError(`cannot lock ${path}: another process keeps taking ${lock}`);
}

/**
 * Says at once whether another process holds an embedded database, before anything costly is done.
 * Takes no lock: {@link lockDirectory} decides.
 *
 * @throws DatabaseStartError naming the pid of the live holder
 */
export function refuseHeldDirectory(path: string): void {
  const holder = readHolder(`${path}.lock`);
  if (holder && isAlive(holder, `${path}.lock`)) throw inUse(path, holder);
}

/** Shows processes in other containers that the holder is alive. @returns the release */
function hold(lock: string): () => void {
  const beat = setInterval(() => {
    const now = new Date();
    utimesSync(lock, now, now);
  }, heartbeat);
  beat.unref();
  return () => {
    clearInterval(beat);
    release(lock);
  };
}

function claim(lock: string): boolean {
  const mine = `${lock}.${process.pid}`;
  const { started } = processStatus(process.pid);
  const holder: Holder = { pid: process.pid, started, namespace: namespace() };
  writeFileSync(mine, JSON.stringify(holder));
  try {
    linkSync(mine, lock); // atomic: fails when somebody holds the name
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Moves a dead holder's lock away; if a live one slipped in meanwhile, puts it back. */
function discardStale(lock: string, stale: Holder | undefined): void {
  const aside = `${lock}.stale.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved && moved.pid !== stale?.pid && isAlive(moved, aside)) renameSync(aside, lock);
  else rmSync(aside, { force: true });
}

function release(lock: string): void {
  if (readHolder(lock)?.pid === process.pid) rmSync(lock, { force: true });
}

function readHolder(lock: string): Holder | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(lock, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const pid = 'pid' in parsed ? Number(parsed.pid) : Number.NaN;
    const started = 'started' in parsed ? String(parsed.started) : '';
    const namespace = 'namespace' in parsed ? String(parsed.namespace) : '';
    return Number.isInteger(pid) ? { pid, started, namespace } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder, lock: string): boolean {
  if (holder.namespace && holder.namespace !== namespace())
    return Date.now() - touchedAt(lock) < patience;
  // A container restarts with the same pid: a lock under our own pid that we do not hold is stale.
  if (holder.pid === process.pid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return isCode(error, 'EPERM');
  }
  const { state, started } = processStatus(holder.pid);
  // Killed, but nobody has collected it: in a container whose first process does not, it stays so.
  if (state === 'Z' || state === 'X') return false;
  return started === '' || holder.started === '' || started === holder.started;
}

function namespace(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

function touchedAt(lock: string): number {
  try {
    return statSync(lock).mtimeMs;
  } catch {
    return 0;
  }
}

/** Fields 3 and 22 of /proc/PID/stat (proc(5)), empty where there is no /proc. */
function processStatus(pid: number): { state: string; started: string } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return { state: '', started: '' };
  }
}

function inUse(path: string, holder: Holder): DatabaseStartError {
  return new DatabaseStartError(
    `the embedded database in ${path} is in use by process ${holder.pid}${elsewhere(holder)}. ` +
      'Stop that process, give this one another storage.pglite.path, or use Postgres to run several.',
  );
}

function elsewhere(holder: Holder): string {
  const [host] = holder.namespace.split(' ');
  return !host || holder.namespace === namespace() ? '' : ` on ${host}`;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
