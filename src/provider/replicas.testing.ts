import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Longest time that a process may take to get ready, in milliseconds. */
const patience = 60_000;

export interface Replicas {
  /** The issuer that they share; the first one listens there. */
  issuer: string;
  urls: [string, string];
  stop(): Promise<void>;
}

/** Two server processes with one issuer, one database and the same secrets, as behind a load balancer. */
export async function startReplicas(dsn: string, yaml: string): Promise<Replicas> {
  const directory = mkdtempSync(join(tmpdir(), 'authserver-replicas-'));
  const ports = [await freePort(), await freePort()] as const;
  const issuer = `http://localhost:${ports[0]}`;
  const shared = `
storage: { driver: postgres, postgres: { dsn: "${dsn}", max_conns: 8 } }
session: { secret: ${randomBytes(32).toString('hex')} }
data_encryption: { key: "${randomBytes(32).toString('base64')}" }
rate_limit: { enabled: false }
admin: { enabled: false }
observability: { logging: { level: error } }
${yaml}`;
  const processes = ports.map((port) => {
    const file = join(directory, `${port}.yaml`);
    writeFileSync(file, `server: { issuer: "${issuer}", address: "127.0.0.1:${port}" }${shared}`);
    const main = new URL('../main.ts', import.meta.url).pathname;
    const stdio = ['ignore', 'inherit', 'inherit'] as const;
    return spawn(process.execPath, [main, 'serve', '--config', file], { stdio: [...stdio] });
  });
  const stop = async () => {
    await Promise.all(processes.map(end));
    rmSync(directory, { recursive: true, force: true });
  };
  const urls: [string, string] = [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`];
  try {
    await Promise.all(urls.map(ready));
  } catch (error) {
    await stop();
    throw error;
  }
  return { issuer, urls, stop };
}

async function ready(url: string): Promise<void> {
  const deadline = performance.now() + patience;
  while (performance.now() < deadline) {
    const status = await fetch(`${url}/health`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not get ready`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(late);
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const probe = createServer();
  probe.once('error', reject);
  probe.listen(0, '127.0.0.1', () => {
    const address = probe.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    probe.close(() => resolve(port));
  });
  return promise;
}
