import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';

const main = new URL('../main.ts', import.meta.url).pathname;
/** Longest time that a process may take to get ready or to end, in milliseconds. */
const patience = 90_000;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  /** From start to end. */
  milliseconds: number;
}

interface Options {
  /** Standard input; nothing when left out. */
  input?: string;
  env?: Record<string, string>;
  uid?: number;
}

/** A directory of its own: where the commands run, and where `config.yaml` and the data are. */
export interface Place {
  directory: string;
  write(file: string, text: string): void;
  start(args: readonly string[], options?: Options): Running;
  /** Runs a command to its end. */
  run(args: readonly string[], options?: Options): Promise<Ended>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
}

/**
 * Starts real processes of the command line; what still runs at the end is killed.
 *
 * @param database `migrated`: an embedded database with the current schema and no rows is there already, which
 *   spares the first process the making of one
 */
export function createPlace({ database }: { database?: 'migrated' } = {}): Place {
  const directory = mkdtempSync(join(tmpdir(), 'authserver-cli-'));
  const running = new Set<ChildProcess>();
  chmodSync(directory, 0o755);
  if (database === 'migrated') {
    mkdirSync(join(directory, 'data'), { mode: 0o700 });
    cpSync(inject('database'), join(directory, 'data/authserver'), { recursive: true });
  }

  function start(args: readonly string[], { input, env, uid }: Options = {}): Running {
    const started = performance.now();
    const child = spawn(process.execPath, [main, ...args], {
      cwd: directory,
      env: { ...process.env, ...env },
      stdio: 'pipe',
      ...(uid !== undefined && { uid, gid: uid }),
    });
    running.add(child);
    const stdout: string[] = [];
    const stderr: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (part: string) => stdout.push(part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => stderr.push(part));
    child.stdin.on('error', () => undefined); // it may end before it reads
    child.stdin.end(input ?? '');
    const late = setTimeout(() => child.kill('SIGKILL'), patience);
    const ended = once(child, 'close').then(([code]) => {
      clearTimeout(late);
      running.delete(child);
      const milliseconds = performance.now() - started;
      return { code, stdout: stdout.join(''), stderr: stderr.join(''), milliseconds };
    });
    return { child, ended };
  }

  return {
    directory,
    write: (file, text) => writeFileSync(join(directory, file), text),
    start,
    run: (args, options) => start(args, options).ended,
    async [Symbol.asyncDispose]() {
      const ends = [...running].map((child) => once(child, 'close'));
      for (const child of running) child.kill('SIGKILL');
      await Promise.all(ends);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Waits until a server answers. @throws when it ends before */
export async function ready(url: string, { ended }: Running): Promise<void> {
  let over: Ended | undefined;
  void ended.then((end) => {
    over = end;
  });
  const deadline = performance.now() + patience;
  while (performance.now() < deadline) {
    if (over) throw new Error(`the server ended with ${over.code}: ${over.stdout}${over.stderr}`);
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} did not get ready`);
}

/** YAML of a server on this computer, on the embedded database in `data/`. */
export function localServer(port: number, adminPort: number, more = ''): string {
  return `
server: { issuer: "http://localhost:${port}", address: "127.0.0.1:${port}", shutdown_wait: 3s }
admin: { address: "127.0.0.1:${adminPort}" }
${more}`;
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
