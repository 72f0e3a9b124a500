import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

export type ServerConfig = {
  server: { issuer: string; address: string };
  [section: string]: unknown;
};

export type ServerProcess = {
  issuer: string;
  pid: number;
  /** What it printed so far, standard output and standard error together. */
  output(): string;
  /** SIGTERM, then waits; answers the exit code. Kills it after `patience` ms (15 s). */
  stop(patience?: number): Promise<number | null>;
  /** Settles when the process ends by itself. */
  ended: Promise<number | null>;
};

export type ServerOptions = {
  config: ServerConfig;
  /** Where the configuration file is written. */
  directory: string;
  /** PEM file of an authority that the server shall trust for client metadata documents. */
  trustedAuthority?: string;
  /** How long it may take to be ready, ms. */
  deadline?: number;
};

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/**
 * Starts `authserver serve` as a child process and waits until `/health` says 200.
 * Throws with the last lines that it printed when it ends early or is late.
 */
export async function startServerProcess(options: ServerOptions): Promise<ServerProcess> {
  const { config, directory, trustedAuthority, deadline = 120_000 } = options;
  const file = join(directory, 'authserver.yaml');
  await writeFile(file, stringify(config), { mode: 0o600 });

  const child = spawn(process.execPath, [main, 'serve', '--config', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(trustedAuthority && { NODE_EXTRA_CA_CERTS: trustedAuthority }) },
  });
  const running = watch(child, config.server.issuer);
  await untilReady(running, child, deadline);
  return running;
}

function watch(child: ChildProcess, issuer: string): ServerProcess {
  const chunks: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (chunk) => chunks.push(chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk) => chunks.push(chunk));
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = once(child, 'close').then(() => {
    process.off('exit', killWithUs);
    return child.exitCode;
  });

  async function stop(patience = 15_000): Promise<number | null> {
    const timer = setTimeout(() => child.kill('SIGKILL'), patience);
    child.kill('SIGTERM');
    const code = await ended;
    clearTimeout(timer);
    return code;
  }

  return { issuer, pid: child.pid ?? 0, output: () => chunks.join(''), stop, ended };
}

async function untilReady(server: ServerProcess, child: ChildProcess, patience: number) {
  const deadline = Date.now() + patience;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      await server.ended;
      throw new Error(`The server ended with code ${child.exitCode}:\n${lastLines(server)}`);
    }
    if (await isReady(server.issuer)) return;
    await wait(50);
  }
  await server.stop(1_000);
  throw new Error(`The server was not ready within ${patience} ms:\n${lastLines(server)}`);
}

async function isReady(issuer: string): Promise<boolean> {
  try {
    const response = await fetch(`${issuer}/health`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

function lastLines(server: ServerProcess): string {
  return server.output().trimEnd().split('\n').slice(-25).join('\n');
}
