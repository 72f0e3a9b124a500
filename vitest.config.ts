import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Processes that tests start need not compile the same sources again and again. */
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node-compile') };

/**
 * unit: pure, no I/O. http: over HTTP against createApp on the embedded database; http-postgres: the files of
 * the RFCs and grants again, on a real Postgres.
 * postgres: what must hold on a real Postgres and across processes. e2e: real clients, real browser.
 * One project after the other, whatever the number of cores. The first three share the modules that they load: rooms keep no state of their own.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          env,
          sequence: { groupOrder: 0 },
          isolate: false,
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          include: ['src/**/*.test.ts'],
          exclude: ['src/**/*.http.test.ts', 'src/**/*.postgres.test.ts'],
          globalSetup: ['src/db/snapshot.testing.ts'],
        },
      },
      {
        test: {
          name: 'http',
          env,
          sequence: { groupOrder: 1 },
          isolate: false,
          include: ['src/**/*.http.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          globalSetup: ['src/db/snapshot.testing.ts'],
        },
      },
      {
        test: {
          name: 'http-postgres',
          env,
          sequence: { groupOrder: 2 },
          isolate: false,
          include: [
            'src/provider/rfc*.http.test.ts',
            'src/provider/client-credentials.http.test.ts',
            'src/provider/custom-claims.http.test.ts',
            'src/provider/id-jag.http.test.ts',
            'src/provider/personal-access-tokens.http.test.ts',
            'src/provider/workspaces*.http.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          globalSetup: ['src/db/postgres.testing.ts'],
        },
      },
      {
        test: {
          name: 'postgres',
          env,
          sequence: { groupOrder: 3 },
          include: ['src/**/*.postgres.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          maxWorkers: 1, // one server for all: a transaction of one file would hold up the sealing of another
          globalSetup: ['src/db/postgres.testing.ts'],
        },
      },
      {
        test: {
          name: 'e2e',
          env,
          sequence: { groupOrder: 4 },
          include: ['e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
