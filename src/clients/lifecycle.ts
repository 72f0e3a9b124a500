import { recordAudit } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import {
  deleteClient,
  deleteExpiredFailures,
  evictDocuments,
  lockClient,
  type ReapedClient,
  reapUnused,
  updateClient,
} from './queries.ts';
import { clientOf } from './rows.ts';
import type { By, Client, ClientsConfig } from './types.ts';

const day = 86_400_000;
const batch = 200;

type Trx = Parameters<typeof lockClient>[0];

export interface LifecycleDeps {
  db: Database;
  now: () => Date;
  changed: (clientId: string) => Promise<void>;
  endTokensOfClient: (trx: Trx, clientId: string, now: Date) => Promise<Ended>;
}

/** What ended just now. */
export interface Ended {
  grants: number;
  /** Token families. */
  families: number;
}

/** Judges a client that is locked, before it is changed; refuses by throwing. */
export type Check = (client: Client) => void;

/** What operators and the clean-up job do to clients that exist. */
export function createLifecycle(deps: LifecycleDeps, config: ClientsConfig) {
  const { db, now } = deps;

  function setStatus(status: Client['status'], type: 'client_suspended' | 'client_resumed') {
    return async (clientId: string, { actor, meta }: By, reason?: string): Promise<boolean> => {
      const changed = await db.kysely.transaction().execute(async (trx) => {
        const row = await lockClient(trx, clientId);
        if (!row || row.status === status) return row !== undefined;
        await updateClient(trx, clientId, { status, updated_at: now() });
        await recordAudit(trx, { type, actor, clientId, detail: { reason } }, meta);
        return true;
      });
      await deps.changed(clientId);
      return changed;
    };
  }

  async function remove(
    clientId: string,
    { actor, meta }: By,
    { reason, check }: { reason?: string | undefined; check?: Check | undefined } = {},
  ): Promise<Ended | undefined> {
    const ended = await db.kysely.transaction().execute(async (trx) => {
      const row = await lockClient(trx, clientId);
      if (!row) return undefined;
      check?.(clientOf(row));
      const ended = await deps.endTokensOfClient(trx, clientId, now());
      await deleteClient(trx, clientId);
      const detail = { kind: row.kind, client_name: row.client_name ?? undefined, reason };
      await recordAudit(trx, { type: 'client_removed', actor, clientId, detail }, meta);
      return ended;
    });
    await deps.changed(clientId);
    return ended;
  }

  async function revoke(
    clientId: string,
    { actor, meta }: By,
    reason?: string,
  ): Promise<Ended | undefined> {
    return db.kysely.transaction().execute(async (trx) => {
      const row = await lockClient(trx, clientId);
      if (!row) return undefined;
      const ended = await deps.endTokensOfClient(trx, clientId, now());
      const detail = { ...ended, reason };
      await recordAudit(trx, { type: 'client_revoked', actor, clientId, detail }, meta);
      return ended;
    });
  }

  /** One batch at a time, so that no lock is held for long; returns how many went. */
  async function reapBatch(at: Date): Promise<ReapedClient[]> {
    const unusedSince = new Date(at.getTime() - config.dcr.unused_ttl * 1000);
    return db.kysely.transaction().execute(async (trx) => {
      const reaped = await reapUnused(trx, { unusedSince, now: at, atMost: batch });
      for (const client of reaped) await recordReaped(trx, client, at);
      return reaped;
    });
  }

  async function reap(): Promise<{ clients: number; documents: number; failures: number }> {
    const at = now();
    let clients = 0;
    for (let gone = batch; gone === batch; clients += gone) gone = (await reapBatch(at)).length;
    let documents = 0;
    const expiredBefore = new Date(at.getTime() - day);
    for (let gone = batch; gone === batch; documents += gone) {
      gone = await evictDocuments(db.kysely, expiredBefore, batch);
    }
    return { clients, documents, failures: await deleteExpiredFailures(db.kysely, at) };
  }

  return {
    /** @returns whether the client exists */
    suspend: setStatus('suspended', 'client_suspended'),
    /** @returns whether the client exists */
    resume: setStatus('active', 'client_resumed'),
    /** Removes a client and what was granted to it. @returns what ended; undefined where it did not exist */
    remove,
    /** Withdraws everything that was granted to a client and ends its tokens; it stays. @returns as above */
    revoke,
    /**
     * Removes self-registered clients that nobody used for `dcr.unused_ttl` and that have no live
     * authorization, and forgets documents that nobody ever used a day after they expired. Every
     * replica may run it.
     */
    reap,
  };
}

async function recordReaped(trx: Trx, client: ReapedClient, at: Date): Promise<void> {
  const detail = {
    client_name: client.client_name ?? undefined,
    created_at: client.created_at,
    last_used_at: client.last_used_at ?? undefined,
  };
  const actor = { kind: 'system' } as const;
  const clientId = client.client_id;
  await recordAudit(trx, { type: 'client_reaped', actor, clientId, detail }, { at });
}
