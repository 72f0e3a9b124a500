import { randomUUID } from 'node:crypto';
import type { BaseLogger } from 'pino';
import type { Database } from '../db/index.ts';
import { unpackEntries } from './canonical.ts';
import { type Block, selectBlockAt, selectBlocksAfter, selectLastBlock } from './chain-queries.ts';
import { decide, type Outcome } from './delivery-policy.ts';
import {
  beginDelivery,
  changeDelivery,
  type DeliveryState,
  deleteDeadLetter,
  hasDelivery,
  insertDeadLetters,
  leaseDelivery,
  recordFailedRetry,
  releaseDelivery,
  selectDeadLetter,
} from './delivery-queries.ts';
import type { Actor, AuditMeta } from './events.ts';
import { wireEvent } from './export.ts';
import { findEvents, type ListedEvent } from './listing.ts';
import { recordAudit } from './log.ts';
import type { SendWebhook } from './webhook-call.ts';

export interface DeliveryDeps {
  db: Pick<Database, 'kysely'>;
  send: SendWebhook;
  now: () => Date;
  log: Pick<BaseLogger, 'warn' | 'info'>;
}

export interface DeliverySettings {
  /** Attempts at a receiver that is down before what was sent is a dead letter. */
  attempts: number;
  /** Types that are sent; all without it. */
  events?: readonly string[] | undefined;
  /** Seconds that one request may take. */
  timeout: number;
}

/** Most events of one request. */
export const batchSize = 100;

/** Some events of one block, in the order of the chain. */
interface Batch {
  firstSeq: bigint;
  lastSeq: bigint;
  block: Block;
  events: ListedEvent[];
}

/**
 * Delivers sealed events to the webhook in the order of the chain: each at least once, one sender at a time
 * over all replicas, and no database transaction is open while it waits for an answer.
 */
export function createDelivery(deps: DeliveryDeps, settings: DeliverySettings) {
  const { db, now, log } = deps;
  const owner = randomUUID();

  function lease(): Promise<DeliveryState | undefined> {
    const at = now();
    // Whoever takes over after a crash has waited for longer than any request takes.
    const until = new Date(at.getTime() + (settings.timeout + 30) * 1000);
    return leaseDelivery(db.kysely, { owner, now: at, until });
  }

  async function begin(): Promise<void> {
    if (await hasDelivery(db.kysely)) return;
    const last = await selectLastBlock(db.kysely);
    await beginDelivery(db.kysely, last ? last.firstSeq + BigInt(last.events) : 1n, now());
  }

  /** @returns whether there may be more to send at once */
  async function step(): Promise<boolean> {
    const state = await lease();
    const batch = state && (await nextBatch(db, state));
    if (!state || !batch) return false;
    const wanted = batch.events.filter(({ type }) => settings.events?.includes(type) ?? true);
    const outcome: Outcome =
      wanted.length === 0 ? { kind: 'taken' } : await deps.send(message(batch, wanted, now()));
    return conclude(state, { ...batch, events: wanted }, outcome);
  }

  async function conclude(state: DeliveryState, batch: Batch, outcome: Outcome): Promise<boolean> {
    const attempts = state.attempts + 1;
    const size = batch.events.length;
    const decision = decide(outcome, { size, attempts, most: settings.attempts });
    const reason = outcome.kind === 'taken' ? null : outcome.reason;
    const at = now();
    const same = { nextSeq: state.nextSeq, singleUntil: state.singleUntil, lastError: reason };
    const on = { ...same, nextSeq: batch.lastSeq + 1n, attempts: 0, nextAttemptAt: at };
    const where = { owner, before: state.nextSeq };
    if (reason !== null) {
      const events = { first_seq: Number(batch.firstSeq), last_seq: Number(batch.lastSeq) };
      log.warn(
        { reason, attempts, ...events, next: decision.do },
        'the audit webhook took nothing',
      );
    }
    switch (decision.do) {
      case 'advance':
        return changeDelivery(db.kysely, where, on);
      case 'split':
        return changeDelivery(db.kysely, where, {
          ...same,
          ...{ attempts: 0, nextAttemptAt: at, singleUntil: batch.lastSeq },
        });
      case 'wait': {
        const nextAttemptAt = new Date(at.getTime() + decision.seconds * 1000);
        await changeDelivery(db.kysely, where, { ...same, attempts, nextAttemptAt });
        return false;
      }
      case 'bury':
        return bury(batch, { where, on, reason: reason ?? '', attempts });
    }
  }

  async function bury(
    { events }: Batch,
    {
      where,
      on,
      ...failure
    }: {
      where: Parameters<typeof changeDelivery>[1];
      on: Parameters<typeof changeDelivery>[2];
      reason: string;
      attempts: number;
    },
  ): Promise<boolean> {
    return db.kysely.transaction().execute(async (trx) => {
      if (!(await changeDelivery(trx, where, on))) return false;
      const failedAt = now();
      await insertDeadLetters(
        trx,
        events.map(({ number: eventId, at: eventAt, type }) => ({
          ...{ eventId, eventAt, type },
          ...failure,
          failedAt,
        })),
      );
      return true;
    });
  }

  return {
    /** Sends what there is, until it is done, has to wait, or the server stops. */
    async deliver(signal: AbortSignal): Promise<void> {
      await begin();
      while (!signal.aborted && (await step()));
    },
    /** Lets another replica send at once. */
    release: () => releaseDelivery(db.kysely, owner),
  };
}

export type Delivery = ReturnType<typeof createDelivery>;

/** The next events of one block, as many as one request takes; what retention dropped is passed over. */
async function nextBatch(
  { kysely }: Pick<Database, 'kysely'>,
  { nextSeq, singleUntil }: DeliveryState,
): Promise<Batch | undefined> {
  const block =
    (await selectBlockAt(kysely, nextSeq)) ?? (await selectBlocksAfter(kysely, 0n, 1))[0];
  if (!block) return undefined;
  const offset = nextSeq > block.firstSeq ? Number(nextSeq - block.firstSeq) : 0;
  const entries = unpackEntries(block.entries).slice(offset);
  const firstSeq = block.firstSeq + BigInt(offset);
  const some = entries.slice(0, nextSeq <= singleUntil ? 1 : batchSize);
  if (some.length === 0) return undefined;
  const lastSeq = firstSeq + BigInt(some.length) - 1n;
  return { firstSeq, lastSeq, block, events: await findEvents(kysely, some) };
}

/** The same id at every attempt, so that the receiver sees what it has seen. */
function message({ firstSeq, lastSeq, block }: Batch, events: readonly ListedEvent[], at: Date) {
  const chain = {
    ...{ first_seq: Number(firstSeq), last_seq: Number(lastSeq), block: Number(block.number) },
    hash: Buffer.from(block.hash).toString('hex'),
  };
  const data = { events: events.map(wireEvent), chain };
  const body = JSON.stringify({ type: 'audit.events', timestamp: at.toISOString(), data });
  return { id: `audit_${firstSeq}_${lastSeq}`, at, body };
}

/** What came of sending a dead letter again. */
export type Retried = { delivered: true } | { delivered: false; reason: string };

/**
 * Sends a dead letter once more and takes it off the list when it is taken.
 *
 * @returns undefined where there is no such letter
 */
export async function retryDeadLetter(
  { db, send, now }: Pick<DeliveryDeps, 'db' | 'now'> & { send: SendWebhook | undefined },
  id: string,
  { actor, meta }: { actor: Actor; meta: AuditMeta },
): Promise<Retried | undefined> {
  const letter = await selectDeadLetter(db.kysely, id);
  if (!letter) return undefined;
  const place = { number: letter.eventId, micros: BigInt(letter.eventAt.getTime()) * 1000n };
  const [event] = await findEvents(db.kysely, [place]);
  const outcome = await again(send, event, now());
  const delivered = outcome.kind === 'taken';
  const reason = delivered ? undefined : outcome.reason;
  await db.kysely.transaction().execute(async (trx) => {
    if (reason === undefined) await deleteDeadLetter(trx, id);
    else await recordFailedRetry(trx, id, { reason, at: meta.at });
    const detail = { dead_letter: id, type: letter.type, delivered, reason };
    await recordAudit(trx, { type: 'audit_delivery_retried', actor, detail }, meta);
  });
  return reason === undefined ? { delivered: true } : { delivered: false, reason };
}

async function again(
  send: SendWebhook | undefined,
  event: ListedEvent | undefined,
  at: Date,
): Promise<Outcome> {
  if (!send) return { kind: 'down', reason: 'no observability.audit_webhook is configured' };
  if (!event) return { kind: 'refused', reason: 'retention has dropped the event' };
  const row = wireEvent(event);
  const data = { events: [row] };
  const body = JSON.stringify({ type: 'audit.events', timestamp: at.toISOString(), data });
  return send({ id: `audit_event_${row.id}`, at, body });
}
