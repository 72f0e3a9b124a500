import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Database } from '../db/index.ts';

export interface ReplicaRow {
  readonly id: string;
  readonly version: string;
  readonly startedAt: Date;
  readonly seenAt: Date;
}

export type Replica = ReturnType<typeof createReplica>;

/** A replica that was not seen for so long has ended without a word; milliseconds. */
const goneAfter = 120_000;

/** This process among those that serve one database. */
export function createReplica({ db, now }: { db: Database; now: () => Date }, version: string) {
  const id = `${hostname().slice(0, 60)}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const startedAt = now();

  return {
    id,
    startedAt,
    version,
    /** Says that it runs, and forgets those that have ended without a word. */
    async renew(): Promise<void> {
      const seenAt = now();
      await db.kysely
        .insertInto('replicas')
        .values({ id, version, started_at: startedAt, seen_at: seenAt })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at: seenAt }))
        .execute();
      await db.kysely
        .deleteFrom('replicas')
        .where('seen_at', '<', new Date(seenAt.getTime() - goneAfter))
        .execute();
    },
    /** Says that it ends. */
    async leave(): Promise<void> {
      await db.kysely.deleteFrom('replicas').where('id', '=', id).execute();
    },
    async all(): Promise<ReplicaRow[]> {
      const rows = await db.kysely
        .selectFrom('replicas')
        .selectAll()
        .orderBy('started_at')
        .execute();
      const others = rows.filter((row) => row.id !== id).map(toReplica);
      return [{ id, version, startedAt, seenAt: now() }, ...others];
    },
  };
}

function toReplica(row: {
  id: string;
  version: string;
  started_at: Date;
  seen_at: Date;
}): ReplicaRow {
  return { id: row.id, version: row.version, startedAt: row.started_at, seenAt: row.seen_at };
}
