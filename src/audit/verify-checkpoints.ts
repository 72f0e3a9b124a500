import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';
import { badCheckpoint, cut, Found } from './broken.ts';
import type { Block } from './chain-queries.ts';
import { type ChainKeys, checkCheckpoint, type Statement } from './checkpoint.ts';
import {
  type StoredCheckpoint,
  selectCheckpointsAfter,
  selectLastCheckpoint,
} from './checkpoint-queries.ts';
import { signAfter } from './policy.ts';
import { headOf, type Start } from './verify-place.ts';

/** Checkpoints that are read at once. */
const page = 20;

/** The last checkpoint, which vouches for all before it. @throws Found where it cannot be believed */
export async function trustedStatement(
  db: Kysely<Tables>,
  keys: Pick<ChainKeys, 'trusted'>,
): Promise<Statement | undefined> {
  const last = await selectLastCheckpoint(db);
  if (!last) return undefined;
  const checked = await checkCheckpoint(last, keys);
  if (checked.ok && checked.trusted) return checked.statement;
  const why = checked.ok
    ? 'it was signed by a key that this server does not have'
    : checked.problem;
  throw new Found(badCheckpoint(last, why));
}

/** Verifies the checkpoints while the blocks that they speak of go by. */
export function checkpointsAlong(
  db: Kysely<Tables>,
  keys: Pick<ChainKeys, 'trusted'>,
  start: Pick<Start, 'block' | 'seq'>,
  state: { checkpoints: number; signedUntil: number | undefined },
) {
  const all = checkpointsOf(db, start.block);
  let next: StoredCheckpoint | undefined;
  let isOver = false;

  async function peek(): Promise<StoredCheckpoint | undefined> {
    if (next || isOver) return next;
    const { value, done } = await all.next();
    isOver = done === true;
    next = done ? undefined : value;
    return next;
  }

  return {
    async check(block: Block): Promise<void> {
      const { hash, seq } = headOf(block);
      for (let one = await peek(); one && one.block <= block.number; one = await peek()) {
        const checked = await checkCheckpoint(one, keys);
        if (!checked.ok) throw new Found(badCheckpoint(one, checked.problem));
        const { statement } = checked;
        const isSame = statement.hash === hash && statement.seq === seq;
        if (!isSame) throw new Found(badCheckpoint(one, 'it was signed over another chain'));
        state.checkpoints += 1;
        state.signedUntil = seq;
        next = undefined;
      }
    },

    /** Nothing may be signed beyond the end, nor may more be unsigned than there ever is. */
    async end({ seq, block }: Start): Promise<void> {
      const beyond = await peek();
      if (beyond) throw new Found(cut({ seq: undefined, block: Number(beyond.block) }));
      if (block === start.block) return;
      const signedUntil = state.signedUntil ?? Number(start.seq);
      const unsigned = Number(seq) - signedUntil;
      // The first block comes with its checkpoint. Attack: a chain made anew, and nothing signed left.
      const isSigned = start.block > 0n || state.checkpoints > 0;
      if (isSigned && unsigned <= 3 * signAfter) return;
      throw new Found({
        kind: 'checkpoint',
        seq: signedUntil + 1,
        message: `no checkpoint covers the last ${unsigned} events: checkpoints were removed`,
      });
    },
  };
}

async function* checkpointsOf(db: Kysely<Tables>, block: bigint): AsyncGenerator<StoredCheckpoint> {
  let after = 0n;
  for (;;) {
    const some = await selectCheckpointsAfter(db, { number: after, block }, page);
    yield* some;
    const last = some.at(-1);
    if (!last || some.length < page) return;
    after = last.number;
  }
}
