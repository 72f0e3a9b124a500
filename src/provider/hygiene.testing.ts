import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type RequestListener, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect } from 'vitest';
import { createApp } from '../app.ts';
import { loadConfig } from '../config/index.ts';
import { testDatabase } from '../db/database.testing.ts';
import { createLimitedServer } from '../http/index.ts';
import type { TestServer } from './server.testing.ts';

/** Milliseconds that an answer may take on a busy test machine. */
export const patience = 2000;
export const urlencoded = { 'content-type': 'application/x-www-form-urlencoded' };

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface Sent {
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** A request as it is, without what fetch forbids, corrects or normalises. */
export function send(
  on: { url: string },
  method: string,
  path: string,
  { headers = {}, body }: Sent = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { port } = new URL(on.url);
  const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, async (answer) => {
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

/**
 * Sends, and holds the answer to what every answer must be whatever was sent: no 5xx, quick, nothing
 * told of our insides, no code, no redirect to a stranger.
 */
export async function harmless(
  on: { url: string },
  method: string,
  path: string,
  sent: Sent = {},
): Promise<Answer> {
  const started = performance.now();
  const answer = await send(on, method, path, sent);
  const what = `${method} ${path.slice(0, 200)} → ${answer.status} ${answer.text.slice(0, 500)}`;
  expect(performance.now() - started, what).toBeLessThan(patience);
  expect(answer.status, what).toBeLessThan(500);
  expect(answer.headers.server, what).toBeUndefined();
  expect(answer.headers['x-powered-by'], what).toBeUndefined();
  expect(answer.headers['x-content-type-options'], what).toBe('nosniff');
  expect(answer.text, what).not.toMatch(
    /node_modules|\.ts:\d|at \w+ \(|SELECT |22021|pglite|node:/i,
  );
  expect(String(answer.headers.location ?? ''), what).not.toMatch(/evil|[?&#]code=/);
  return answer;
}

/** How many rows of each kind there are that only a success may add to. */
export async function rows({ db }: TestServer): Promise<Record<string, number>> {
  const tables = ['clients', 'grants', 'families', 'issuances', 'users'] as const;
  const counts = tables.map(async (table) => {
    const found = await db.kysely
      .selectFrom(table)
      .select(({ fn }) => fn.countAll().as('n'))
      .execute();
    return [table, Number(found[0]?.n)];
  });
  return Object.fromEntries(await Promise.all(counts));
}

/** The handler on the same kind of server as `authserver serve` uses. */
export async function serve(handler: RequestListener) {
  const limits = { readTimeout: 30, writeTimeout: 30, idleTimeout: 120 };
  const own = createLimitedServer(handler, { limits, log: pino({ level: 'silent' }) });
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  const address = own.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://localhost:${port}`,
    async [Symbol.asyncDispose]() {
      own.closeAllConnections();
      await new Promise((resolve) => own.close(resolve));
    },
  };
}

/** The server as it runs behind a proxy that ends TLS. */
export async function httpsApp() {
  const directory = mkdtempSync(join(tmpdir(), 'authserver-test-'));
  const file = join(directory, 'config.yaml');
  writeFileSync(
    file,
    `
server: { issuer: "https://auth.example.test" }
storage: { pglite: { path: "${join(directory, 'db')}", accept_risk: true } }
session: { secret: "${randomBytes(32).toString('base64')}" }
data_encryption: { key: "${randomBytes(32).toString('base64')}" }
`,
  );
  const { config } = loadConfig({ file, env: {}, cwd: directory });
  const app = await createApp(config, { log: pino({ level: 'silent' }), db: await testDatabase() });
  const listening = await serve(app.public.callback());
  return {
    url: listening.url,
    async [Symbol.asyncDispose]() {
      await listening[Symbol.asyncDispose]();
      await app.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Writes bytes and reads what comes until the server closes, at most `patience`. */
export function raw(
  bytes: string,
  { url }: { url: string },
): Promise<{ text: string; closed: boolean }> {
  const { promise, resolve } = Promise.withResolvers<{ text: string; closed: boolean }>();
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
    socket.write(bytes, 'latin1'),
  );
  let text = '';
  const timer = setTimeout(() => {
    socket.destroy();
    resolve({ text, closed: false });
  }, patience);
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('end', () => {
    clearTimeout(timer);
    socket.end();
    resolve({ text, closed: true });
  });
  return promise;
}
