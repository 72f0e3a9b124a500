import { z } from 'zod';
import { plain, route, time } from './route.ts';

/** One value of the configuration in effect. */
export const setting = z.strictObject({
  id: z.string().describe('Its name, such as `tokens.access_ttl` or `clients[0].client_id`'),
  section: z.string().describe('The part of the name before the first dot'),
  value: z.json().describe('As the file would say it, durations with units; `***` for a secret'),
  secret: z.boolean(),
  source: z.enum(['default', 'file', 'environment']),
  where: z.string().nullable().describe('`FILE:LINE` or the name of the variable'),
  default: z.json().describe('Null where there is none'),
  description: z.string(),
  restart: z.boolean().describe('Whether a change of it takes a restart'),
});

const settingsAnswer = z.strictObject({
  file: z.string().nullable().describe('Null without a configuration file'),
  loaded_at: time,
  restart_needed: z.boolean().describe('The file has changed since this process read it'),
  items: z.array(setting).describe('All of them, in the order of docs/configuration.md'),
});

export const jobState = z.strictObject({
  id: z.string().describe('Its name'),
  title: z.string().describe('What it does'),
  interval: z.number().describe('Seconds'),
  status: z.enum(['ok', 'running', 'failing', 'late', 'never']),
  started_at: time.nullable(),
  finished_at: time.nullable(),
  succeeded_at: time.nullable(),
  rows: z.int().nullable().describe('What the last run changed or removed'),
  rows_total: z.int().describe('The same of all runs'),
  error: z.string().nullable().describe('Of the last run, where it failed; the log says more'),
  failures: z.int().describe('How many runs in a row failed'),
  running_on: z.string().nullable().describe('The replica that runs it now'),
  progress: z.string().nullable(),
});

const cache = z.strictObject({
  id: z.string(),
  title: z.string(),
  size: z.int(),
  limit: z.int().nullable(),
  hits: z.int().nullable().describe('Since the start of this replica'),
  misses: z.int().nullable(),
});

const disk = z.strictObject({
  path: z.string(),
  size_bytes: z.int(),
  free_bytes: z.int(),
  used_percent: z.number(),
});

const database = z.strictObject({
  driver: z.enum(['pglite', 'postgres']),
  version: z.string(),
  latency_ms: z.number().describe('One round trip, just now'),
  size_bytes: z.int(),
  tables: z
    .array(z.strictObject({ id: z.string(), size_bytes: z.int(), rows: z.int() }))
    .describe('Largest first, with indexes; rows as the engine estimates them'),
  migrations: z.strictObject({
    applied: z.int(),
    latest: z.string().nullable(),
    pending: z.array(z.string()),
  }),
  disk: disk.nullable().describe('Where the embedded database lies; null for a server'),
});

const replica = z.strictObject({
  id: z.string(),
  this: z.boolean().describe('The one that answers'),
  version: z.string(),
  started_at: time,
  seen_at: time,
});

const problem = z.strictObject({
  severity: z.enum(['warning', 'critical']),
  what: z.string().describe('`database`, `disk`, `job <name>` or `migrations`'),
  detail: z.string().describe('What is wrong and what to do'),
});

const healthAnswer = z.strictObject({
  status: z.enum(['ok', 'warning', 'critical']),
  problems: z.array(problem),
  at: time,
  version: z.string(),
  node: z.string(),
  issuer: z.string(),
  started_at: time,
  memory_bytes: z.int(),
  database,
  jobs: z.array(jobState),
  caches: z.array(cache),
  replicas: z.array(replica),
});

/** The configuration in effect and the state of the server. Settings are changed in the file. */
export const settings = {
  list: route({
    ...plain,
    name: 'settings.list',
    method: 'GET',
    path: '/admin/api/settings',
    permission: 'viewer',
    summary: 'The configuration in effect, where each value comes from; secrets are masked',
    answer: settingsAnswer,
  }),
  health: route({
    ...plain,
    name: 'settings.health',
    method: 'GET',
    path: '/admin/api/settings/health',
    permission: 'viewer',
    summary: 'Database, jobs, caches, disk and replicas',
    answer: healthAnswer,
  }),
};

export const settingsSchemas = {
  Setting: setting,
  Settings: settingsAnswer,
  Health: healthAnswer,
  Job: jobState,
};
