import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const binaries = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

/** A home of its own for a command-line client, with a browser that only notes what it opens. */
export type ClientHome = {
  directory: string;
  env: Record<string, string>;
  /** The next URL that a client opened in the browser. Each is answered once. */
  nextOpenedUrl(patience?: number): Promise<URL>;
  /** Runs a program of this project's node_modules here. */
  run(name: string, args: readonly string[], env?: Record<string, string>): RunningCommand;
  /** What `remove` shall end first. */
  beforeRemove(end: () => Promise<unknown>): void;
  remove(): Promise<void>;
};

const browserScript = `#!/bin/sh
for last; do :; done
printf '%s\\n' "$last" >> "$OPENED_URLS"
`;

export async function createClientHome(): Promise<ClientHome> {
  const directory = await mkdtemp(join(tmpdir(), 'authserver-client-'));
  const programs = join(directory, 'bin');
  const opened = join(directory, 'opened');
  await mkdir(programs);
  await writeFile(opened, '');
  for (const name of ['xdg-open', 'open', 'www-browser', 'x-www-browser']) {
    await writeFile(join(programs, name), browserScript);
    await chmod(join(programs, name), 0o755);
  }
  let read = 0;

  async function nextOpenedUrl(patience = 60_000): Promise<URL> {
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      const url = (await readFile(opened, 'utf8')).split('\n').filter(Boolean)[read];
      if (url !== undefined) {
        read += 1;
        return new URL(url);
      }
      await wait(50);
    }
    throw new Error(`The client opened no browser within ${patience} ms.`);
  }

  const env = {
    PATH: `${programs}:${binaries}:${process.env.PATH ?? ''}`,
    HOME: directory,
    BROWSER: join(programs, 'xdg-open'),
    OPENED_URLS: opened,
    NO_COLOR: '1',
    CI: 'true',
  };
  const endings: (() => Promise<unknown>)[] = [];

  function run(name: string, args: readonly string[], more: Record<string, string> = {}) {
    const command = runCommand(name, args, { ...env, ...more });
    endings.push(() => command.exit(0));
    return command;
  }

  async function remove(): Promise<void> {
    await Promise.all(endings.map((end) => end()));
    await rm(directory, { recursive: true, force: true });
  }

  const beforeRemove: ClientHome['beforeRemove'] = (end) => endings.push(end);
  return { directory, env, nextOpenedUrl, run, beforeRemove, remove };
}

export type RunningCommand = {
  stdout(): string;
  stderr(): string;
  /** Exit code; the command is killed after `patience` ms. */
  exit(patience?: number): Promise<number | null>;
};

/** The command never outlives the test process. */
function runCommand(
  name: string,
  args: readonly string[],
  env: Record<string, string>,
): RunningCommand {
  const child: ChildProcess = spawn(join(binaries, name), args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: string[] = [];
  const stderr: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk) => stdout.push(chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk) => stderr.push(chunk));
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = once(child, 'close').then(() => {
    process.off('exit', killWithUs);
    return child.exitCode;
  });

  async function exit(patience = 60_000): Promise<number | null> {
    const timer = setTimeout(() => child.kill('SIGKILL'), patience);
    const code = await ended;
    clearTimeout(timer);
    return code;
  }

  return { stdout: () => stdout.join(''), stderr: () => stderr.join(''), exit };
}

/**
 * Brings the answer of the server to the port on which the client waits for it, as a browser would.
 * Throws unless the client's own page says that all is well.
 */
export async function deliverCallback(redirect: URL): Promise<void> {
  const response = await fetch(redirect, { signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`The client's callback answered ${response.status}: ${text}`);
}
