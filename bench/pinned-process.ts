import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Where things run: the server alone on one core, driver and Postgres on another. */
export interface Cores {
  pinned: boolean;
  count: number;
}

/** Moves this process, and with it the Postgres that it will start, to the second core if it can. */
export function pinDriver(): Cores {
  const count = availableParallelism();
  const command = ['-a', '-c', '-p', '1', String(process.pid)];
  const pinned = count > 1 && spawnSync('taskset', command, { stdio: 'ignore' }).status === 0;
  return { pinned, count };
}

export interface ServerProcess {
  /** Seconds of processor time used so far, in user and kernel mode; undefined where unknown. */
  cpuSeconds(): number | undefined;
  /** Resident memory in MiB; undefined where unknown. */
  residentMemory(): number | undefined;
  /** Fails with the end of the log when the process has ended. */
  checkAlive(): void;
  stop(): Promise<void>;
}

const patience = 10_000; // milliseconds that a server may take to stop

/** Starts a Node program on the first core; what it prints goes to a file. */
export function startServer(args: string[], { pinned }: Cores, logFile: string): ServerProcess {
  const log = openSync(logFile, 'a');
  const command = [process.execPath, ...args];
  const [program = '', ...rest] = pinned ? ['taskset', '-c', '0', ...command] : command;
  const child = spawn(program, rest, { stdio: ['ignore', log, log], env: environment() });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill); // nothing outlives the benchmark
  return {
    cpuSeconds: () => cpuSeconds(child),
    residentMemory: () => residentMemory(child),
    checkAlive() {
      if (!ended(child)) return;
      throw new Error(`server ended:\n${readFileSync(logFile, 'utf8').slice(-3000)}`);
    },
    async stop() {
      process.off('exit', kill);
      if (ended(child)) return;
      const gone = once(child, 'exit');
      const late = setTimeout(kill, patience);
      child.kill('SIGTERM');
      await gone;
      clearTimeout(late);
    },
  };
}

/** Settings of whoever runs the benchmark must not change what is measured. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, NODE_ENV: 'production' };
}

function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

const ticksPerSecond = 100; // USER_HZ, the same on every Linux

function cpuSeconds({ pid }: ChildProcess): number | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function residentMemory({ pid }: ChildProcess): number | undefined {
  const kibibytes = /VmRSS:\s+(\d+)/.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // not Linux, or the process has just ended
  }
}
