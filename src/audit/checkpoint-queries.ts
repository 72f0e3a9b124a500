import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';

type Db = Kysely<Tables>;

export interface StoredCheckpoint {
  number: bigint;
  block: bigint;
  kid: string;
  publicJwk: Record<string, unknown>;
  jws: string;
  signedAt: Date;
}

const checkpointColumns = ['number', 'block', 'kid', 'public_jwk', 'jws', 'signed_at'] as const;

function checkpoints(db: Db) {
  return db.selectFrom('audit_checkpoints').select(checkpointColumns);
}

type RawCheckpoint = Awaited<ReturnType<ReturnType<typeof checkpoints>['executeTakeFirstOrThrow']>>;

function toCheckpoint(row: RawCheckpoint): StoredCheckpoint {
  const { number, block, public_jwk: publicJwk, signed_at: signedAt, kid, jws } = row;
  return { number: BigInt(number), block: BigInt(block), kid, publicJwk, jws, signedAt };
}

export async function selectLastCheckpoint(db: Db): Promise<StoredCheckpoint | undefined> {
  const row = await checkpoints(db).orderBy('number', 'desc').limit(1).executeTakeFirst();
  return row && toCheckpoint(row);
}

/** Checkpoints after a number that speak of blocks after another, in order. */
export async function selectCheckpointsAfter(
  db: Db,
  { number, block }: { number: bigint; block: bigint },
  limit: number,
): Promise<StoredCheckpoint[]> {
  const rows = await checkpoints(db)
    .where('number', '>', `${number}`)
    .where('block', '>', `${block}`)
    .orderBy('number')
    .limit(limit)
    .execute();
  return rows.map(toCheckpoint);
}

/** The last checkpoint that was signed before a time. */
export async function selectLastCheckpointAt(
  db: Db,
  time: Date,
): Promise<StoredCheckpoint | undefined> {
  const row = await checkpoints(db)
    .where('signed_at', '<=', time)
    .orderBy('signed_at', 'desc')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && toCheckpoint(row);
}

/** The first checkpoint that covers a block. */
export async function selectCheckpointOf(
  db: Db,
  block: bigint,
): Promise<StoredCheckpoint | undefined> {
  const row = await checkpoints(db)
    .where('block', '>=', `${block}`)
    .orderBy('block')
    .orderBy('number')
    .limit(1)
    .executeTakeFirst();
  return row && toCheckpoint(row);
}

export async function insertCheckpoint(trx: Db, checkpoint: StoredCheckpoint): Promise<void> {
  const { number, block, kid, publicJwk, jws, signedAt } = checkpoint;
  await trx
    .insertInto('audit_checkpoints')
    .values({
      ...{ number: `${number}`, block: `${block}`, kid, jws },
      public_jwk: JSON.stringify(publicJwk),
      signed_at: signedAt,
    })
    .execute();
}
