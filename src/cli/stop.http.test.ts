import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { createPlace, freePort, localServer, ready } from './process.testing.ts';

const root = new URL('../../', import.meta.url).pathname;

vi.setConfig({ testTimeout: 180_000 });

const body = 'grant_type=nothing';
const head = `POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`;

/** A request whose last byte is still to come, on a connection that is kept alive. */
async function begin(port: number): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  socket.on('error', () => undefined);
  const answer = once(socket, 'close').then(() => Buffer.concat(parts).toString());
  socket.write(head + body.slice(0, -1));
  return { socket, answer };
}

async function server() {
  const place = createPlace();
  const port = await freePort();
  place.write('config.yaml', localServer(port, await freePort()));
  const process = place.start(['serve', '--config', 'config.yaml']);
  await ready(`http://127.0.0.1:${port}`, process);
  return { place, port, process };
}

it('SIGTERM: requests in flight are answered, then the process ends with 0 without waiting longer', async () => {
  const { place, port, process } = await server();
  await using _place = place;
  const requests = await Promise.all(Array.from({ length: 100 }, () => begin(port)));
  await new Promise((resolve) => setTimeout(resolve, 500)); // until it has read all of them
  process.child.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow(); // takes nothing new

  const finished = performance.now();
  for (const { socket } of requests) socket.write(body.slice(-1));
  const answers = await Promise.all(requests.map(({ answer }) => answer));
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 40[01] .*"trace_id"/s);
  const { code, stdout } = await process.ended;
  expect(code).toBe(0);
  expect(stdout).toContain('"msg":"stopped"');
  expect(performance.now() - finished).toBeLessThan(2500); // shutdown_wait is 3 s
});

it('SIGTERM: a client that never finishes is cut off after shutdown_wait, and the process ends with 0', async () => {
  const { place, port, process } = await server();
  await using _place = place;
  await begin(port);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const asked = performance.now();
  process.child.kill('SIGTERM');
  expect((await process.ended).code).toBe(0);
  const waited = performance.now() - asked;
  expect(waited).toBeGreaterThan(2900);
  expect(waited).toBeLessThan(10_000);
});

it('SIGTERM to npm, which started it, ends the server too', async () => {
  await using place = createPlace();
  const port = await freePort();
  const database = `storage: { pglite: { path: "${join(place.directory, 'db')}" } }`;
  place.write('config.yaml', localServer(port, await freePort(), database));
  const file = join(place.directory, 'config.yaml');
  const npm = spawn('npm', ['start', '--', '--config', file], { cwd: root, stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}/livez`;
  const answers = () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(answers, { timeout: 60_000, interval: 200 }).toBe(true);
  npm.kill('SIGTERM');
  await expect.poll(answers, { timeout: 15_000, interval: 200 }).toBe(false);
});
