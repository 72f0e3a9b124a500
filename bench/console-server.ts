import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cores, startServer } from './pinned-process.ts';
import { freePort } from './postgres.ts';

const root = join(import.meta.dirname, '..');
const apiKey = 'a-key-of-the-benchmark-only';
const patience = 120_000; // milliseconds

/** Our server on a Postgres, with its admin listener and a key for it. */
export async function startConsole(options: { cores: Cores; directory: string; dsn: string }) {
  const { cores, directory, dsn } = options;
  const [port, adminPort] = [await freePort(), await freePort()];
  const file = join(directory, 'config.yaml');
  writeFileSync(file, yaml({ port, adminPort, dsn, path: join(directory, 'db') }));
  const server = startServer(
    [join(root, 'src/main.ts'), 'serve', '--config', file],
    cores,
    join(directory, 'log'),
  );
  const admin = `http://127.0.0.1:${adminPort}`;
  const until = Date.now() + patience;
  while (!(await answers(`${admin}/livez`))) {
    server.checkAlive();
    if (Date.now() > until) throw new Error('the server did not start in time');
    await sleep(50);
  }
  return {
    stop: () => server.stop(),
    /** Asks for a page of the admin API, to the last byte. */
    async get(path: string): Promise<{ milliseconds: number; rows: number }> {
      const started = performance.now();
      const response = await fetch(`${admin}/admin/api${path}`, {
        headers: { authorization: `Bearer ${apiKey}` },
      });
      const text = await response.text();
      const milliseconds = performance.now() - started;
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
      const { items }: { items?: unknown[] } = JSON.parse(text);
      return { milliseconds, rows: items?.length ?? 1 };
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}

function yaml(options: { port: number; adminPort: number; dsn: string; path: string }): string {
  const { port, adminPort, dsn, path } = options;
  return `
server: { issuer: "http://127.0.0.1:${port}", address: "127.0.0.1:${port}" }
admin: { address: "127.0.0.1:${adminPort}", api_key: ${apiKey} }
rate_limit: { requests_per_second: 1000000, burst: 1000000 }
storage:
  driver: postgres
  pglite: { path: "${path}" }
  postgres: { dsn: "${dsn}" }
resources:
  - slug: bench
    uri: https://mcp-0.example.test/mcp
    display_name: Benchmark
    scopes: [{ name: a }, { name: b }, { name: c }]
`;
}
