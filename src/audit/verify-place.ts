import { genesis } from './canonical.ts';
import { type Block, beginning, type ChainPlace } from './chain-queries.ts';

/** Where the comparison begins: behind this block. */
export interface Start {
  block: bigint;
  seq: bigint;
  hash: Uint8Array;
  place: ChainPlace;
}

/** Before the first block. */
export const first: Start = { block: 0n, seq: 0n, hash: genesis, place: beginning };

/** Behind a block. */
export function endOf(block: Block): Start {
  return {
    block: block.number,
    seq: block.firstSeq + BigInt(block.events) - 1n,
    hash: block.hash,
    place: { txn: block.lastTxn, id: block.lastId },
  };
}

/** The end of a chain that ends with this block. */
export function headOf(block: Block) {
  const { block: number, seq, hash } = endOf(block);
  return { block: Number(number), seq: Number(seq), hash: Buffer.from(hash).toString('hex') };
}
