import type { BaseLogger } from 'pino';
import type { Database } from '../db/index.ts';
import { unpackEntries } from './canonical.ts';
import { selectBlockOf } from './chain-queries.ts';
import type { ChainKeys } from './checkpoint.ts';
import { selectCheckpointOf } from './checkpoint-queries.ts';
import { createDelivery, type DeliverySettings, retryDeadLetter } from './delivery.ts';
import { selectDeadLetters } from './delivery-queries.ts';
import { readEventKey } from './event-key.ts';
import type { Actor, AuditMeta } from './events.ts';
import { type ExportFormat, exportEvents } from './export.ts';
import type { EventFilters } from './filters.ts';
import { type EventQuery, findEvent, type ListedEvent, listEvents } from './listing.ts';
import { dropOldEvents } from './retention.ts';
import { createSealer } from './seal.ts';
import { createTail } from './tail.ts';
import { createVerifier } from './verifier.ts';
import { type VerifyOptions, verifyChain } from './verify.ts';
import type { SendWebhook } from './webhook-call.ts';

export interface AuditLogDeps {
  db: Database;
  keys: ChainKeys;
  now: () => Date;
  log: Pick<BaseLogger, 'info' | 'warn' | 'error'>;
  /** The audit webhook, where one is configured. */
  webhook?: { send: SendWebhook; settings: DeliverySettings } | undefined;
}

/** Where an event is in the chain. */
export interface SealOf {
  seq: number;
  block: number;
  sealedAt: Date;
  digest: string;
  /** When a checkpoint covered it. */
  signedAt: Date | undefined;
}

/** The audit log as operators use it, and the work that keeps it sealed, delivered and within its time. */
export function createAuditLog(deps: AuditLogDeps) {
  const { db, webhook } = deps;
  const sealer = createSealer(deps);
  const verifier = createVerifier(deps);
  const tail = createTail(deps);
  const delivery = webhook && createDelivery({ ...deps, send: webhook.send }, webhook.settings);
  return {
    verifier,
    follow: tail.follow,
    list: (query: EventQuery) => listEvents(db.kysely, query),
    export: (format: ExportFormat, filters: EventFilters) =>
      exportEvents(db.kysely, format, filters),

    /** One event by its id, and where it is in the chain once it is sealed. */
    async find(id: string): Promise<{ event: ListedEvent; seal: SealOf | undefined } | undefined> {
      const place = readEventKey(id);
      const event = place && (await findEvent(db.kysely, place));
      return event && { event, seal: await sealOf(db, event) };
    },

    verify: (options?: VerifyOptions) => verifyChain(deps, options),
    /** Seals what can be sealed; call it every two seconds. */
    seal: sealer.seal,
    /** Sends what the webhook has not had yet; without one it does nothing. */
    deliver: async (signal: AbortSignal) => delivery?.deliver(signal),
    /** Drops months that are older. @returns how many */
    async dropBefore(time: Date): Promise<number> {
      await sealer.seal('now');
      return (await dropOldEvents(deps, time)).length;
    },

    deadLetters: (limit: number, after?: { at: Date; id: string }) =>
      selectDeadLetters(db.kysely, limit, after),
    retry: (id: string, by: { actor: Actor; meta: AuditMeta }) =>
      retryDeadLetter({ ...deps, send: webhook?.send }, id, by),

    /** Nothing is left to be sealed or signed by the next start. Call it before the database is closed. */
    async close(): Promise<void> {
      tail.close();
      await verifier.close();
      await delivery?.release();
      await sealer.seal('now');
    },
  };
}

export type AuditLog = ReturnType<typeof createAuditLog>;

async function sealOf({ kysely }: Database, event: ListedEvent): Promise<SealOf | undefined> {
  const { txn, number } = event;
  const block = await selectBlockOf(kysely, { txn, id: number });
  const index = block
    ? unpackEntries(block.entries).findIndex((entry) => entry.number === number)
    : -1;
  const entry = block && unpackEntries(block.entries)[index];
  if (!block || !entry) return undefined;
  const checkpoint = await selectCheckpointOf(kysely, block.number);
  return {
    seq: Number(block.firstSeq) + index,
    block: Number(block.number),
    sealedAt: block.sealedAt,
    digest: entry.digest.toString('hex'),
    signedAt: checkpoint?.signedAt,
  };
}
