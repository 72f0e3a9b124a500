import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect } from 'kysely';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { migrate } from './migrate.ts';
import type { Tables } from './tables.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** File with an embedded database that has the current schema. */
    snapshot: string;
    /** Directory of such a database, for processes. */
    database: string;
  }
}

/** Vitest global set-up: makes the schema once, so that no test file waits for it. */
export default async function setup(project: TestProject): Promise<() => void> {
  const directory = mkdtempSync(join(tmpdir(), 'authserver-snapshot-'));
  const engine = await PGlite.create({ dataDir: 'memory://' });
  const kysely = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: engine }) });
  await migrate({ kysely, withLock: (_name, work) => work() });
  const dump = await engine.dumpDataDir('none');
  await engine.close();
  const file = join(directory, 'schema.tar');
  writeFileSync(file, Buffer.from(await dump.arrayBuffer()));
  project.provide('snapshot', file);
  const dataDir = join(directory, 'database');
  await (await PGlite.create({ dataDir, loadDataDir: dump })).close();
  project.provide('database', dataDir);
  return () => rmSync(directory, { recursive: true, force: true });
}

/** The database that the set-up made, to begin with. */
export function schemaSnapshot(): Blob | undefined {
  const file: string | undefined = inject('snapshot');
  return file === undefined ? undefined : new Blob([readFileSync(file)]);
}
