import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';

type Db = Kysely<Tables>;
const name = 'webhook';

/** How far deliveries have come, as read by who may send now. */
export interface DeliveryState {
  nextSeq: bigint;
  attempts: number;
  /** Up to this place events are sent one by one. */
  singleUntil: bigint;
}

/** Begins behind what is sealed already: history is for the export. */
export async function beginDelivery(db: Db, nextSeq: bigint, now: Date): Promise<void> {
  await db
    .insertInto('audit_webhook')
    .values({ name, next_seq: `${nextSeq}`, next_attempt_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Becomes or stays the one who sends.
 *
 * @returns undefined where another one sends, or an attempt is not due yet
 */
export async function leaseDelivery(
  db: Db,
  { owner, now, until }: { owner: string; now: Date; until: Date },
): Promise<DeliveryState | undefined> {
  const { rows } = await sql<{ next_seq: string; attempts: number; single_until: string }>`
    UPDATE audit_webhook SET lease_owner = ${owner}, lease_until = ${until}
     WHERE name = ${name} AND next_attempt_at <= ${now}
       AND (lease_owner IS NULL OR lease_owner = ${owner} OR lease_until < ${now})
    RETURNING next_seq, attempts, single_until`.execute(db);
  const [row] = rows;
  if (!row) return undefined;
  return {
    nextSeq: BigInt(row.next_seq),
    attempts: row.attempts,
    singleUntil: BigInt(row.single_until),
  };
}

/** Whether there is a state yet. */
export async function hasDelivery(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom('audit_webhook')
    .select('name')
    .where('name', '=', name)
    .executeTakeFirst();
  return row !== undefined;
}

export async function releaseDelivery(db: Db, owner: string): Promise<void> {
  await db
    .updateTable('audit_webhook')
    .set({ lease_owner: null, lease_until: null })
    .where('name', '=', name)
    .where('lease_owner', '=', owner)
    .execute();
}

export interface DeliveryChange {
  nextSeq: bigint;
  attempts: number;
  nextAttemptAt: Date;
  singleUntil: bigint;
  lastError: string | null;
}

/**
 * Writes what came of an attempt, once: by who still holds the lease and where nobody has gone on.
 *
 * @returns false where somebody else sends now
 */
export async function changeDelivery(
  db: Db,
  { owner, before }: { owner: string; before: bigint },
  change: DeliveryChange,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('audit_webhook')
    .set({
      next_seq: `${change.nextSeq}`,
      attempts: change.attempts,
      next_attempt_at: change.nextAttemptAt,
      single_until: `${change.singleUntil}`,
      last_error: change.lastError,
    })
    .where('name', '=', name)
    .where('lease_owner', '=', owner)
    .where('next_seq', '=', `${before}`)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** An event that was not taken. */
export interface DeadLetter {
  id: string;
  eventId: bigint;
  eventAt: Date;
  type: string;
  reason: string;
  attempts: number;
  failedAt: Date;
}

export async function insertDeadLetters(
  trx: Db,
  letters: readonly Omit<DeadLetter, 'id'>[],
): Promise<void> {
  if (letters.length === 0) return;
  await trx
    .insertInto('audit_dead_letters')
    .values(
      letters.map((letter) => ({
        event_id: `${letter.eventId}`,
        event_at: letter.eventAt,
        type: letter.type,
        reason: letter.reason,
        attempts: letter.attempts,
        failed_at: letter.failedAt,
      })),
    )
    .execute();
}

function letters(db: Db) {
  return db
    .selectFrom('audit_dead_letters')
    .select(['id', 'event_id', 'event_at', 'type', 'reason', 'attempts', 'failed_at']);
}

type RawLetter = Awaited<ReturnType<ReturnType<typeof letters>['executeTakeFirstOrThrow']>>;

function toLetter(row: RawLetter): DeadLetter {
  const { id, type, reason, attempts } = row;
  const event = { eventId: BigInt(row.event_id), eventAt: row.event_at };
  return { id, ...event, type, reason, attempts, failedAt: row.failed_at };
}

/** Dead letters, the newest first, with one more than a page. */
export async function selectDeadLetters(
  db: Db,
  limit: number,
  after?: { at: Date; id: string },
): Promise<DeadLetter[]> {
  const rows = await letters(db)
    .$if(after !== undefined, (query) =>
      query.where(
        sql<boolean>`(failed_at, id) < (${after?.at}::timestamptz, ${after?.id}::bigint)`,
      ),
    )
    .orderBy('failed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  return rows.map(toLetter);
}

export async function selectDeadLetter(db: Db, id: string): Promise<DeadLetter | undefined> {
  const row = await letters(db).where('id', '=', id).executeTakeFirst();
  return row && toLetter(row);
}

export async function deleteDeadLetter(trx: Db, id: string): Promise<void> {
  await trx.deleteFrom('audit_dead_letters').where('id', '=', id).execute();
}

/** Another attempt that failed. */
export async function recordFailedRetry(
  trx: Db,
  id: string,
  { reason, at }: { reason: string; at: Date },
): Promise<void> {
  await trx
    .updateTable('audit_dead_letters')
    .set((set) => ({ reason, failed_at: at, attempts: set('attempts', '+', 1) }))
    .where('id', '=', id)
    .execute();
}
