import type { Kysely } from 'kysely';
import type { BaseLogger } from 'pino';
import type { Database, Tables } from '../db/index.ts';
import { blockHash, digestOf, genesis, packEntries } from './canonical.ts';
import {
  type Block,
  beginning,
  type ChainedEvent,
  insertBlock,
  selectBlock,
  selectLastBlock,
  selectSettled,
  tryChainLock,
} from './chain-queries.ts';
import { type ChainKeys, checkCheckpoint, type Statement, signCheckpoint } from './checkpoint.ts';
import {
  insertCheckpoint,
  type StoredCheckpoint,
  selectLastCheckpoint,
} from './checkpoint-queries.ts';
import { checkpointDue } from './policy.ts';
import { headOf } from './verify-place.ts';

export interface SealDeps {
  db: Pick<Database, 'kysely'>;
  keys: ChainKeys;
  now: () => Date;
  log: Pick<BaseLogger, 'info' | 'error'>;
}

/** Most events of a block. */
export const blockSize = 500;

/** The chain is not what this process left: nothing is built upon it. */
export class ChainBrokenError extends Error {
  override readonly name = 'ChainBrokenError';
}

/**
 * Seals events into the chain and signs checkpoints. It locks nothing that requests wait for, and one
 * replica at a time does it.
 */
export function createSealer(deps: SealDeps) {
  /** The last block that this process saw: what is built upon it must still be there. */
  let seen: Pick<Block, 'number' | 'hash'> | undefined;
  let isFirst = true;
  /** The checkpoint (JWS) that this process signed or believed last: good although its key is withdrawn now. */
  let believed: string | undefined;

  async function step(when: 'when due' | 'now'): Promise<number> {
    return deps.db.kysely.transaction().execute(async (trx) => {
      if (!(await tryChainLock(trx))) return 0;
      const last = await selectLastBlock(trx);
      await refuseChanged(trx, seen, last);
      const { block, events } = await sealNext(trx, last, deps.now());
      if (block) await signIfDue(trx, block, events < blockSize ? when : 'when due');
      seen = block;
      isFirst = false;
      return events;
    });
  }

  async function signIfDue(trx: Kysely<Tables>, head: Block, when: 'when due' | 'now') {
    const stored = await selectLastCheckpoint(trx);
    const isKnown = isFirst || stored?.jws === believed;
    const before = stored && { ...stored, ...(await statementOf(stored, deps.keys, isKnown)) };
    believed = stored?.jws;
    const { kid = '' } = deps.keys.signer();
    if (!checkpointDue({ head, before, kid, now: deps.now(), when })) return;
    const statement = headStatement(head, before, deps.now());
    const checkpoint = await signCheckpoint(deps.keys, statement);
    await insertCheckpoint(trx, checkpoint);
    believed = checkpoint.jws;
    // Wherever logs are shipped to, the end of the chain is known from now on.
    const { seq, hash } = headOf(head);
    deps.log.info({ head: `${seq}:${hash}` }, 'the audit log was signed');
  }

  return {
    /**
     * Seals all that can be sealed.
     *
     * @param sign `now` signs what is not signed yet even before it is due, for an orderly stop
     * @returns how many events were sealed
     * @throws ChainBrokenError when blocks were changed or removed under this process
     */
    async seal(sign: 'when due' | 'now' = 'when due'): Promise<number> {
      let total = 0;
      let sealed: number;
      do {
        sealed = await step(sign);
        total += sealed;
      } while (sealed === blockSize);
      return total;
    },
  };
}

export type Sealer = ReturnType<typeof createSealer>;

async function refuseChanged(
  trx: Kysely<Tables>,
  seen: Pick<Block, 'number' | 'hash'> | undefined,
  last: Block | undefined,
): Promise<void> {
  if (!seen) return;
  const there = last?.number === seen.number ? last : await selectBlock(trx, seen.number);
  if (there && Buffer.compare(there.hash, seen.hash) === 0) return;
  throw new ChainBrokenError(
    `block ${seen.number} of the audit chain was changed or removed while the server ran. Nothing more is sealed until it is started again; run authserver audit verify first`,
  );
}

/** @returns the end of the chain and how many events were added to it */
async function sealNext(
  trx: Kysely<Tables>,
  last: Block | undefined,
  now: Date,
): Promise<{ block: Block | undefined; events: number }> {
  const after = last ? { txn: last.lastTxn, id: last.lastId } : beginning;
  const rows = await selectSettled(trx, after, blockSize);
  if (rows.length === 0) return { block: last, events: 0 };
  const block = blockOf(rows, last, now);
  await insertBlock(trx, block);
  return { block, events: rows.length };
}

/** The block of these events behind another one. */
export function blockOf(
  rows: readonly ChainedEvent[],
  last: Pick<Block, 'number' | 'firstSeq' | 'events' | 'hash'> | undefined,
  sealedAt: Date,
): Block {
  const end = rows.at(-1);
  if (!end) throw new TypeError('a block has events');
  const content = {
    number: (last?.number ?? 0n) + 1n,
    firstSeq: last ? last.firstSeq + BigInt(last.events) : 1n,
    ...{ lastTxn: end.txn, lastId: end.number, sealedAt },
    previousHash: last?.hash ?? genesis,
    entries: packEntries(rows.map((row) => ({ ...row, digest: digestOf(row) }))),
  };
  const latest = rows.reduce((most, { micros }) => (micros > most ? micros : most), 0n);
  return {
    ...content,
    events: rows.length,
    latestAt: new Date(Math.ceil(Number(latest) / 1000)),
    hash: blockHash(content),
  };
}

/**
 * What the last checkpoint stated.
 *
 * @param isKnown whether one is taken that is not by a key of this server: when the process starts, since
 *   after a long stop its key may be gone; and where the process has seen it when its key was good
 * @throws ChainBrokenError where it is not valid
 */
export async function statementOf(
  checkpoint: StoredCheckpoint,
  keys: ChainKeys,
  isKnown: boolean,
): Promise<Statement> {
  const checked = await checkCheckpoint(checkpoint, keys);
  if (checked.ok && (checked.trusted || isKnown)) return checked.statement;
  const why = checked.ok ? 'its key is not of this server' : checked.problem;
  throw new ChainBrokenError(
    `the last checkpoint of the audit log is not to be built upon: ${why}. Nothing more is sealed; run authserver audit verify`,
  );
}

/** What a checkpoint of a chain that ends with this block states; what retention dropped is said by each. */
export function headStatement(
  head: Block,
  before: Pick<Statement, 'checkpoint' | 'floor' | 'base'> | undefined,
  now: Date,
): Statement {
  return {
    checkpoint: (before?.checkpoint ?? 0) + 1,
    block: Number(head.number),
    seq: Number(head.firstSeq) + head.events - 1,
    hash: Buffer.from(head.hash).toString('hex'),
    iat: Math.floor(now.getTime() / 1000),
    ...(before?.floor !== undefined && { floor: before.floor }),
    ...(before?.base !== undefined && { base: before.base }),
  };
}
