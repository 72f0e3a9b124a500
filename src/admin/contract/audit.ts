import { z } from 'zod';
import { byId, exact, pageOf, paging, plain, route, search, time } from './route.ts';

/** One event of the audit log. */
export const auditEvent = z.strictObject({
  id: z.string().describe('Its time in microseconds, a hyphen and its number'),
  at: time,
  type: z.string().describe('A type of docs/audit-events.md, where its `detail` is described too'),
  actor_kind: z.string().describe('`user`, `client`, `admin`, `system` or `cli`'),
  actor_id: z.string().nullable(),
  client_id: z.string().nullable(),
  user_id: z.string().nullable().describe('Whom it concerns, who need not have done it'),
  username: z.string().nullable().describe('E-mail address of that person, while there is one'),
  resource: z.string().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  trace_id: z.string().nullable().describe('Shared by all that happened in one request'),
  detail: z.record(z.string(), z.json()),
  sealed: z.boolean().describe('Whether it is in the hash chain yet, which takes seconds'),
});

const seal = z.strictObject({
  seq: z.int().describe('Its place in the chain; the first event is 1'),
  block: z.int().describe('Number of the block that it was sealed with'),
  sealed_at: time,
  digest: z.string().describe('SHA-256 of its canonical form, in hex'),
  signed_at: time.nullable().describe('When a checkpoint covered it; null while none does'),
});

const auditEventWithSeal = auditEvent.extend({ seal: seal.nullable() });

const types = z
  .string()
  .regex(/^[a-z0-9_]{1,100}(,[a-z0-9_]{1,100}){0,49}$/)
  .transform((value) => value.split(','))
  .optional()
  .describe('One type, or several separated by commas');

const span = {
  from: time.optional().describe('The earliest time'),
  to: time.optional().describe('The time before which'),
};

const filters = {
  type: types,
  actor_kind: z.enum(['user', 'client', 'admin', 'system', 'cli']).optional(),
  actor_id: exact,
  client_id: exact,
  user_id: exact,
  resource: exact,
  trace_id: exact,
  ip: exact,
};

/** What the last look through the chain found, or how far the running one is. */
export const verification = z.strictObject({
  status: z
    .enum(['never', 'running', 'ok', 'broken', 'failed'])
    .describe('`failed`: it could not be finished, see `message`. It says nothing of the log.'),
  started_at: time.nullable(),
  finished_at: time.nullable(),
  events: z.int().describe('Sealed events that were compared with the chain so far'),
  total: z.int().describe('Sealed events that there are to compare'),
  checkpoints: z.int().describe('Checkpoints whose signature was verified'),
  signed_until: z.int().nullable().describe('`seq` of the last event that a checkpoint covers'),
  unsealed: z.int().describe('Events that are not in the chain yet; 10,000 at most are counted'),
  unsealed_since: time.nullable().describe('Time of the oldest of them'),
  broken: z
    .strictObject({
      kind: z
        .enum(['changed', 'missing', 'inserted', 'reordered', 'block', 'checkpoint'])
        .describe('`block` and `checkpoint`: the chain itself was changed or cut'),
      seq: z.int().nullable(),
      event_id: z.string().nullable(),
      block: z.int().nullable(),
      message: z.string(),
    })
    .nullable()
    .describe('The first thing that is not as it was sealed'),
  head: z
    .strictObject({ block: z.int(), seq: z.int(), hash: z.string() })
    .nullable()
    .describe('The end of the chain: keep it elsewhere, and a log cut short is found by it'),
  dropped_before: z
    .string()
    .nullable()
    .describe('Months of the log before it are gone by retention'),
  message: z.string().nullable(),
});

/** An event that the receiver of the audit webhook did not take. */
export const deadLetter = z.strictObject({
  id: z.string(),
  event_id: z.string(),
  event_at: time,
  type: z.string(),
  reason: z.string().describe('What the receiver answered last'),
  attempts: z.int(),
  failed_at: time,
});

/** What happened: an append-only log, sealed into a signed hash chain. */
export const audit = {
  list: route({
    ...plain,
    name: 'audit.list',
    method: 'GET',
    path: '/admin/api/audit',
    permission: 'viewer',
    summary: 'List what happened, newest first',
    query: z.strictObject({
      ...paging,
      ...search('trace_id (three characters or more), client_id, user_id or e-mail address'),
      sort: z.enum(['-at', 'at']).default('-at'),
      ...filters,
      ...span,
    }),
    answer: pageOf(auditEvent),
  }),
  export: route({
    ...plain,
    name: 'audit.export',
    method: 'GET',
    path: '/admin/api/audit/export',
    permission: 'viewer',
    summary: 'Download what happened, oldest first, as NDJSON or CSV',
    query: z.strictObject({
      format: z.enum(['ndjson', 'csv']).default('ndjson'),
      ...filters,
      ...span,
    }),
    answer: z.string(),
    media: ['application/x-ndjson', 'text/csv'],
  }),
  tail: route({
    ...plain,
    name: 'audit.tail',
    method: 'GET',
    path: '/admin/api/audit/tail',
    permission: 'viewer',
    summary:
      'Follow what happens (Server-Sent Events): `event: audit` with one event as `data`, and its place as `id`',
    query: z.strictObject({ ...filters }),
    answer: z.string(),
    media: ['text/event-stream'],
  }),
  verification: route({
    ...plain,
    name: 'audit.verification',
    method: 'GET',
    path: '/admin/api/audit/verify',
    permission: 'viewer',
    summary: 'What the last check of the hash chain found, or how far the running one is',
    answer: verification,
  }),
  verify: route({
    ...plain,
    name: 'audit.verify',
    method: 'POST',
    path: '/admin/api/audit/verify',
    permission: 'operator',
    summary: 'Check the hash chain, unless a check is running; ask for the result with GET',
    body: z.strictObject({
      from: time
        .optional()
        .describe('Begin at the last checkpoint before it instead of at the beginning'),
      head: z
        .strictObject({ seq: z.int().min(1), hash: z.string().regex(/^[0-9a-f]{64}$/) })
        .optional()
        .describe('A head that an earlier check found: the chain must still hold it'),
    }),
    answer: verification,
  }),
  deadLetters: route({
    ...plain,
    name: 'audit.dead-letters',
    method: 'GET',
    path: '/admin/api/audit/dead-letters',
    permission: 'viewer',
    summary: 'List the events that the audit webhook could not deliver, newest first',
    query: z.strictObject({ ...paging, sort: z.enum(['-failed_at']).default('-failed_at') }),
    answer: pageOf(deadLetter),
  }),
  retry: route({
    ...plain,
    name: 'audit.retry',
    method: 'POST',
    path: '/admin/api/audit/dead-letters/{id}/retry',
    permission: 'operator',
    summary: 'Send a dead letter once more, now; when it is taken it leaves the list',
    params: byId,
    answer: z.strictObject({
      delivered: z.boolean(),
      reason: z.string().nullable().describe('Why it was not taken'),
    }),
  }),
  get: route({
    ...plain,
    name: 'audit.get',
    method: 'GET',
    path: '/admin/api/audit/{id}',
    permission: 'viewer',
    summary: 'One event with its place in the hash chain',
    params: byId,
    answer: auditEventWithSeal,
  }),
};

export const auditSchemas = {
  AuditEvent: auditEvent,
  AuditEventWithSeal: auditEventWithSeal,
  AuditVerification: verification,
  AuditDeadLetter: deadLetter,
};
