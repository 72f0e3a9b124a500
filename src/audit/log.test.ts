import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { ensureAuditPartitions, recordAudit } from './index.ts';

let db: Database;
beforeAll(async () => {
  db = await testDatabase();
}, 60_000);
afterAll(() => db.close());

function login(at: Date, traceId: string) {
  return recordAudit(
    db.kysely,
    {
      type: 'user_login',
      actor: { kind: 'user', id: 'usr_1' },
      userId: 'usr_1',
      detail: { method: 'password' },
    },
    { at, ip: '192.0.2.1', userAgent: 'test', traceId },
  );
}

async function partitionOf(traceId: string): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`
    SELECT tableoid::regclass::text AS name FROM audit_events WHERE trace_id = ${traceId}`.execute(
    db.kysely,
  );
  expect(rows).toHaveLength(1);
  return rows[0]?.name;
}

test('an event is one row with its actor, subject, origin and structured detail', async () => {
  await login(new Date('2020-05-05T00:00:00Z'), 'trace-row');
  const row = await db.kysely
    .selectFrom('audit_events')
    .selectAll()
    .where('trace_id', '=', 'trace-row')
    .executeTakeFirstOrThrow();
  expect(row).toMatchObject({
    at: new Date('2020-05-05T00:00:00Z'),
    type: 'user_login',
    actor_kind: 'user',
    actor_id: 'usr_1',
    user_id: 'usr_1',
    client_id: null,
    ip: '192.0.2.1',
    user_agent: 'test',
    detail: { method: 'password' },
  });
});

test('NUL and lone surrogates in what a client sent MUST NOT make the insert fail', async () => {
  await recordAudit(
    db.kysely,
    {
      type: 'client_registered',
      actor: { kind: 'client', id: 'a\0b\ud800' },
      clientId: 'a\0b\ud800',
      detail: { kind: 'dcr', client_name: 'x\0y\udfff', redirect_uris: ['\0'] },
    },
    { at: new Date('2020-05-06T00:00:00Z'), userAgent: '\0agent\ud83d', traceId: 'trace-nul' },
  );
  const row = await db.kysely
    .selectFrom('audit_events')
    .selectAll()
    .where('trace_id', '=', 'trace-nul')
    .executeTakeFirstOrThrow();
  expect(row.client_id).toBe('ab\ufffd');
  expect(row.user_agent).toBe('agent\ufffd');
  expect(row.detail).toEqual({ kind: 'dcr', client_name: 'xy\ufffd', redirect_uris: [''] });
});

test('partitions of this and the next month are made once, whoever else is making them', async () => {
  const december = new Date('2031-12-31T23:59:59.999Z');
  const made = await Promise.all([1, 2, 3].map(() => ensureAuditPartitions(db.kysely, december)));
  expect(made.flat()).toEqual(['audit_events_2031_12', 'audit_events_2032_01']);
  expect(await ensureAuditPartitions(db.kysely, december)).toEqual([]);
  await login(december, 'trace-december');
  await login(new Date('2032-01-01T00:00:00Z'), 'trace-january');
  expect(await partitionOf('trace-december')).toBe('audit_events_2031_12');
  expect(await partitionOf('trace-january')).toBe('audit_events_2032_01');
});

test('rows that were written before their partition existed move into it and stay append-only', async () => {
  await login(new Date('2033-03-15T12:00:00Z'), 'trace-stray');
  await login(new Date('2033-06-15T12:00:00Z'), 'trace-other-month');
  expect(await partitionOf('trace-stray')).toBe('audit_events_default');
  await ensureAuditPartitions(db.kysely, new Date('2033-03-20T00:00:00Z'));
  expect(await partitionOf('trace-stray')).toBe('audit_events_2033_03');
  expect(await partitionOf('trace-other-month')).toBe('audit_events_default');
  for (const table of ['audit_events', 'audit_events_2033_03', 'audit_events_default']) {
    await expect(
      sql`UPDATE ${sql.table(table)} SET type = 'x'`.execute(db.kysely),
      table,
    ).rejects.toThrow('append-only');
  }
});
