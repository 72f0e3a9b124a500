import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';
import { type Broken, badCheckpoint, cut, Found } from './broken.ts';
import { blockHash } from './canonical.ts';
import {
  type Block,
  selectBlock,
  selectBlocksAfter,
  selectLastBlock,
  selectUnsealed,
} from './chain-queries.ts';
import { type ChainKeys, checkCheckpoint, type Statement } from './checkpoint.ts';
import { selectLastCheckpointAt } from './checkpoint-queries.ts';
import { checkpointsAlong, trustedStatement } from './verify-checkpoints.ts';
import { checkEvents, refuseLeftovers } from './verify-events.ts';
import { endOf, first, headOf, type Start } from './verify-place.ts';

/** How far a look through the chain has come, and in the end what it found. */
export interface Verification {
  /** Sealed events that were compared. */
  events: number;
  /** Sealed events that there are to compare. */
  total: number;
  checkpoints: number;
  /** Place of the last event that a checkpoint covers. */
  signedUntil: number | undefined;
  unsealed: number;
  unsealedSince: Date | undefined;
  /** Events before it may be gone: retention dropped them. */
  floor: string | undefined;
  head: { block: number; seq: number; hash: string } | undefined;
  broken: Broken | undefined;
}

export interface VerifyDeps {
  db: { kysely: Kysely<Tables> };
  keys: Pick<ChainKeys, 'trusted'>;
}

export interface VerifyOptions {
  /** Begins behind the last checkpoint before this time instead of at the beginning. */
  from?: Date | undefined;
  /** A checkpoint (JWS) or the hash of a head that was kept elsewhere: the chain must contain it. */
  known?: { seq: number; hash: string } | undefined;
  onProgress?: (state: Readonly<Verification>) => void;
  signal?: AbortSignal | undefined;
}

/** Blocks that are read at once. */
const page = 20;

/**
 * Compares every sealed event with the chain, in the order of sealing and a few thousand rows at a time,
 * and verifies every checkpoint. Reports the first thing that is wrong.
 *
 * Does NOT see that the end was cut off, or made anew, together with every checkpoint after it: for that, compare
 * `head` or a checkpoint that was kept elsewhere (`known`).
 *
 * @throws Error `aborted` by the signal
 */
export async function verifyChain(
  { db: { kysely: db }, keys }: VerifyDeps,
  { from, known, onProgress, signal }: VerifyOptions = {},
): Promise<Verification> {
  const state: Verification = {
    ...{ events: 0, total: 0, checkpoints: 0, unsealed: 0 },
    ...{ signedUntil: undefined, unsealedSince: undefined, floor: undefined },
    ...{ head: undefined, broken: undefined },
  };
  try {
    const statement = await trustedStatement(db, keys);
    state.floor = statement?.floor;
    await refuseLeftovers(db, statement);
    const start = await startOf(db, keys, statement, from);
    const last = await selectLastBlock(db);
    state.total = last ? Number(last.firstSeq) + last.events - 1 - Number(start.seq) : 0;
    let before = start;
    const signed = checkpointsAlong(db, keys, start, state);
    let seenKnown = known === undefined || BigInt(known.seq) <= start.seq;
    for await (const block of blocksAfter(db, start.block)) {
      signal?.throwIfAborted();
      checkBlock(block, before);
      await checkEvents(db, block, before.place, state);
      await signed.check(block);
      before = endOf(block);
      state.head = headOf(block);
      if (known && state.head.seq === known.seq) {
        seenKnown = state.head.hash === known.hash;
        if (!seenKnown) throw otherThanKnown(known);
      }
      onProgress?.(state);
    }
    await signed.end(before);
    if (!seenKnown && known) throw otherThanKnown(known);
    const tail = await selectUnsealed(db, before.place);
    state.unsealed = tail.count;
    state.unsealedSince = tail.since;
  } catch (error) {
    if (!(error instanceof Found)) throw error;
    state.broken = error.broken;
  }
  return state;
}

function otherThanKnown({ seq }: { seq: number }): Found {
  return new Found({
    kind: 'checkpoint',
    seq,
    message: `the chain does not hold what was known of it at event ${seq}: it was cut or made anew`,
  });
}

async function startOf(
  db: Kysely<Tables>,
  keys: Pick<ChainKeys, 'trusted'>,
  statement: Statement | undefined,
  from: Date | undefined,
): Promise<Start> {
  const base = statement?.base;
  const begin: Start = base
    ? {
        block: BigInt(base.block),
        seq: BigInt(base.seq),
        hash: Buffer.from(base.hash, 'hex'),
        place: { txn: BigInt(base.txn), id: BigInt(base.id) },
      }
    : first;
  const checkpoint = from && (await selectLastCheckpointAt(db, from));
  if (!checkpoint || checkpoint.block <= begin.block) return begin;
  const checked = await checkCheckpoint(checkpoint, keys);
  if (!checked.ok) throw new Found(badCheckpoint(checkpoint, checked.problem));
  const block = await selectBlock(db, checkpoint.block);
  if (!block) throw new Found(cut(checked.statement));
  return { ...endOf(block), hash: Buffer.from(checked.statement.hash, 'hex') };
}

async function* blocksAfter(db: Kysely<Tables>, number: bigint): AsyncGenerator<Block> {
  let after = number;
  for (;;) {
    const blocks = await selectBlocksAfter(db, after, page);
    yield* blocks;
    const last = blocks.at(-1);
    if (!last || blocks.length < page) return;
    after = last.number;
  }
}

function checkBlock(block: Block, before: Start): void {
  const wrong = blockProblem(block, before);
  if (!wrong) return;
  const number = Number(before.block) + 1;
  const message = `block ${number} is not as it was sealed: ${wrong}`;
  throw new Found({ kind: 'block', block: number, seq: Number(before.seq) + 1, message });
}

function blockProblem(block: Block, before: Start): string | undefined {
  if (block.number !== before.block + 1n) return `block ${block.number} follows`;
  if (Buffer.compare(block.previousHash, before.hash) !== 0) return 'it builds on another chain';
  if (block.firstSeq !== before.seq + 1n) return 'its first event is at another place';
  if (block.events * 48 !== block.entries.length) return 'its number of events is another';
  if (Buffer.compare(blockHash(block), block.hash) !== 0) return 'its hash is another';
  return undefined;
}
