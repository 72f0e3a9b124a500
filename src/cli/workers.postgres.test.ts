import { readdirSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { createTestDatabase } from '../db/postgres.testing.ts';
import { createPlace, freePort, ready } from './process.testing.ts';

/** `server.workers` above 1, and how a process leaves behind a load balancer. */

const key = 'a-key-of-sixteen-characters';

async function serve(settings: string) {
  const place = createPlace();
  const [port, adminPort] = [await freePort(), await freePort()];
  place.write(
    'config.yaml',
    `server: { issuer: "http://localhost:${port}", address: "127.0.0.1:${port}", ${settings} }
admin: { address: "127.0.0.1:${adminPort}", api_key: ${key} }
storage: { driver: postgres, postgres: { dsn: "${await createTestDatabase('workers')}", max_conns: 4 } }
`,
  );
  const process = place.start(['serve', '--config', 'config.yaml']);
  const url = `http://127.0.0.1:${port}`;
  await ready(url, process);
  return { place, process, url, admin: `http://127.0.0.1:${adminPort}` };
}

/** Process ids of the workers, as Linux knows them. */
function childrenOf(parent: number | undefined): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === `${parent}`
        );
      } catch {
        return false; // it has ended meanwhile
      }
    })
    .map(Number);
}

async function requestsCounted(admin: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  const text = await (await fetch(`${admin}/metrics`, { headers })).text();
  const lines = text
    .split('\n')
    .filter((line) => /request_duration_seconds_count.*device_authorization/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

test('three workers serve one address, are replaced when they end, count together, and end with 0', async () => {
  const { place, process, url, admin } = await serve('workers: 3');
  await using _place = place;
  await vi.waitFor(() => expect(childrenOf(process.child.pid)).toHaveLength(3), 20_000);
  for (let request = 0; request < 30; request += 1) {
    const answer = await fetch(`${url}/oauth/device_authorization`, {
      method: 'POST',
      headers: { connection: 'close' },
    });
    expect(answer.status).toBeLessThan(500);
  }
  await vi.waitFor(async () => expect(await requestsCounted(admin)).toBe(30), 10_000);

  const [victim = 0] = childrenOf(process.child.pid);
  globalThis.process.kill(victim, 'SIGKILL');
  await vi.waitFor(() => {
    const workers = childrenOf(process.child.pid);
    expect(workers).toHaveLength(3);
    expect(workers).not.toContain(victim);
  }, 20_000);
  expect((await fetch(`${url}/health`)).status).toBe(200);

  process.child.kill('SIGTERM');
  const { code, stdout } = await process.ended;
  expect(code).toBe(0);
  expect(stdout.match(/"msg":"stopped"/g)).toHaveLength(4);
});

test('what cannot start says so once, and the exit code is not 0', async () => {
  const place = createPlace();
  await using _place = place;
  const dsn = 'postgres://nobody:wrong@127.0.0.1:1/none';
  place.write(
    'config.yaml',
    `server: { workers: 2, address: "127.0.0.1:${await freePort()}" }
admin: { enabled: false }
storage: { driver: postgres, postgres: { dsn: "${dsn}" } }\n`,
  );
  const { code, stderr } = await place.run(['serve', '--config', 'config.yaml']);
  expect(code).toBe(1);
  expect(stderr.match(/the database cannot be reached/g)).toHaveLength(1);
});

test('at shutdown health says 503 for drain_wait while requests are still answered', async () => {
  const { place, process, url } = await serve('drain_wait: 2s');
  await using _place = place;
  process.child.kill('SIGTERM');
  await vi.waitFor(async () => {
    const answer = await fetch(`${url}/health`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ reason: 'stopping' });
  });
  expect((await fetch(`${url}/.well-known/jwks.json`)).status).toBe(200);
  expect((await process.ended).code).toBe(0);
});
