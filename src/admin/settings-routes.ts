import type { z } from 'zod';
import type { Clients } from '../clients/index.ts';
import { describeSettings, fileDigest, type LoadedConfig, type Setting } from '../config/index.ts';
import { type Database, type DatabaseState, inspectDatabase, inspectDisk } from '../db/index.ts';
import type { Resources } from '../resources/index.ts';
import type { JobState, Replica, Scheduler } from '../scheduler/index.ts';
import { settings as contract } from './contract/index.ts';
import type { jobState, setting } from './contract/settings.ts';
import { healthProblems, usedPercent } from './health-policy.ts';
import { fulfil, type ServedRoute } from './served-route.ts';

export interface SettingsDeps {
  db: Database;
  /** What this process runs with. */
  configuration: Pick<LoadedConfig, 'config' | 'sources' | 'file'>;
  scheduler: Pick<Scheduler, 'states'>;
  replica: Pick<Replica, 'all' | 'id' | 'startedAt' | 'version'>;
  clients: Pick<Clients, 'cacheState'>;
  resources: Pick<Resources, 'all'>;
  now: () => Date;
}

/** The configuration in effect, and how the server does. */
export function settingsRoutes(deps: SettingsDeps): ServedRoute[] {
  const { configuration, replica } = deps;
  return [
    fulfil(contract.list, async () => ({
      file: configuration.file?.path ?? null,
      loaded_at: replica.startedAt.toISOString(),
      restart_needed: isFileChanged(configuration),
      items: describeSettings(configuration).map(toWire),
    })),

    fulfil(contract.health, async () => {
      const database = await inspectDatabase(deps.db);
      const disk = await diskOf(configuration);
      const jobs = await deps.scheduler.states();
      const problems = healthProblems({ database, disk, jobs });
      return {
        status: problems[0]?.severity ?? ('ok' as const),
        problems,
        at: deps.now().toISOString(),
        version: replica.version,
        node: process.versions.node,
        issuer: configuration.config.server.issuer,
        started_at: replica.startedAt.toISOString(),
        memory_bytes: process.memoryUsage.rss(),
        database: {
          ...databaseToWire(database),
          disk: disk
            ? {
                path: disk.path,
                size_bytes: disk.sizeBytes,
                free_bytes: disk.freeBytes,
                used_percent: usedPercent(disk),
              }
            : null,
        },
        jobs: jobs.map(jobToWire),
        caches: cachesOf(deps),
        replicas: (await replica.all()).map((row) => ({
          id: row.id,
          this: row.id === replica.id,
          version: row.version,
          started_at: row.startedAt.toISOString(),
          seen_at: row.seenAt.toISOString(),
        })),
      };
    }),
  ];
}

/** Whether the file says something else than what this process runs with. */
export function isFileChanged({ file }: Pick<LoadedConfig, 'file'>): boolean {
  return file !== undefined && fileDigest(file.path) !== file.digest;
}

/** The disk of the embedded database. */
export async function diskOf({ config: { storage } }: Pick<LoadedConfig, 'config'>) {
  return storage.driver === 'pglite' ? inspectDisk(storage.pglite.path) : undefined;
}

function toWire({ name, where, ...rest }: Setting): z.input<typeof setting> {
  const section = name.split(/[.[]/, 1)[0] ?? name;
  return { id: name, section, ...rest, where: where ?? null, restart: true };
}

function databaseToWire({ driver, version, ...state }: DatabaseState) {
  const { applied, latest, pending } = state.migrations;
  return {
    ...{ driver, version },
    latency_ms: state.latencyMs,
    size_bytes: state.sizeBytes,
    tables: state.tables.map(({ name, sizeBytes, rows }) => ({
      ...{ id: name, size_bytes: sizeBytes, rows },
    })),
    migrations: { applied, latest: latest ?? null, pending },
  };
}

function jobToWire(job: JobState): z.input<typeof jobState> {
  return {
    id: job.name,
    title: job.title,
    interval: job.interval,
    status: job.status,
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.finishedAt?.toISOString() ?? null,
    succeeded_at: job.succeededAt?.toISOString() ?? null,
    rows: job.rows ?? null,
    rows_total: job.rowsTotal,
    error: job.error ?? null,
    failures: job.failures,
    running_on: job.runningOn ?? null,
    progress: job.progress ?? null,
  };
}

function cachesOf({ clients, resources }: SettingsDeps) {
  const { size, limit, hits, misses } = clients.cacheState();
  const known = { size: resources.all().length, limit: null, hits: null, misses: null };
  return [
    { id: 'clients', title: 'Clients that were read before', size, limit, hits, misses },
    { id: 'resources', title: 'Resources, all of them in memory', ...known },
  ];
}
