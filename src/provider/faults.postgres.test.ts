import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../db/index.ts';
import { startPostgres } from '../db/postgres.testing.ts';
import { refresh, type Tokens, tokens } from './flow.testing.ts';
import { startServer, type TestServer } from './server.testing.ts';

let postgres: Awaited<ReturnType<typeof startPostgres>>;
let server: TestServer;

beforeAll(async () => {
  postgres = await startPostgres();
  const db: Database = await openDatabase(
    {
      driver: 'postgres',
      dsn: postgres.url,
      maxConnections: 4,
      statementTimeout: 2000,
      connectTimeout: 1000,
    },
    { onError: () => {} },
  );
  server = await startServer({ db });
});
afterAll(async () => {
  await server.close();
  await postgres.remove();
});

async function timed<T>(work: Promise<T>): Promise<{ result: T; milliseconds: number }> {
  const started = performance.now();
  const result = await work;
  return { result, milliseconds: performance.now() - started };
}

test('while Postgres is down the server MUST answer 503 with Retry-After, stay alive, and recover by itself', async () => {
  const before = await tokens(server);
  await postgres.stop();

  const { result: refused, milliseconds } = await timed(refresh(server, before.refresh_token));
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await refused.json()).toMatchObject({ error: 'temporarily_unavailable' });
  expect(milliseconds).toBeLessThan(5000);

  const readiness = await timed(fetch(`${server.url}/health`));
  expect(readiness.result.status).toBe(503);
  expect(await readiness.result.json()).toMatchObject({ reason: 'database' });
  expect(readiness.milliseconds).toBeLessThan(3000);
  expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  expect((await fetch(`${server.url}/.well-known/jwks.json`)).status).toBe(200);
  expect((await fetch(`${server.url}/.well-known/oauth-authorization-server`)).status).toBe(200);

  await postgres.start();
  await expect
    .poll(async () => (await fetch(`${server.url}/health`)).status, { timeout: 5000 })
    .toBe(200);
  const retried = await refresh(server, before.refresh_token);
  expect(retried.status).toBe(200);
  const after: Tokens = JSON.parse(await retried.text());
  expect((await refresh(server, after.refresh_token)).status).toBe(200);
});
