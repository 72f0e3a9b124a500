import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';
import { Found } from './broken.ts';
import { digestOf, type Entry, unpackEntries } from './canonical.ts';
import {
  type Block,
  type ChainedEvent,
  type ChainPlace,
  selectBetween,
  selectLeftover,
} from './chain-queries.ts';
import type { Statement } from './checkpoint.ts';
import { eventKey } from './event-key.ts';

/** What retention dropped must not have been put back in another form. */
export async function refuseLeftovers(db: Kysely<Tables>, statement: Statement | undefined) {
  if (!statement?.base || statement.floor === undefined) return;
  const { txn, id } = statement.base;
  const place = { txn: BigInt(txn), id: BigInt(id) };
  const left = await selectLeftover(db, place, new Date(statement.floor));
  if (!left) return;
  const eventId = eventKey(left);
  throw new Found({ kind: 'inserted', eventId, message: sentences.inserted(eventId) });
}

/** The events between two ends of blocks must be those of the block, in its order. */
export async function checkEvents(
  db: Kysely<Tables>,
  block: Block,
  after: ChainPlace,
  state: { events: number; floor: string | undefined },
): Promise<void> {
  const until = { txn: block.lastTxn, id: block.lastId };
  const entries = unpackEntries(block.entries);
  // One row more than there may be shows that something was put in.
  const rows = await selectBetween(db, after, until, entries.length + 1);
  const wrong = compare(entries, rows, state.floor);
  state.events += entries.length;
  if (!wrong) return;
  const { kind, number, micros, index } = wrong;
  const seq = index === undefined ? undefined : Number(block.firstSeq) + index;
  const eventId = eventKey({ number, micros });
  throw new Found({
    ...{ kind, eventId, block: Number(block.number), ...(seq !== undefined && { seq }) },
    message: sentences[kind](eventId),
  });
}

const sentences = {
  changed: (id: string) => `event ${id} was changed after it was sealed`,
  missing: (id: string) => `event ${id} is gone`,
  inserted: (id: string) => `event ${id} was put among events that had been sealed`,
  reordered: (id: string) => `event ${id} is at another place than where it was sealed`,
};

type Difference = Pick<Entry, 'number' | 'micros'> & {
  kind: keyof typeof sentences;
  index: number | undefined;
};

function compare(
  entries: readonly Entry[],
  rows: readonly ChainedEvent[],
  floor: string | undefined,
): Difference | undefined {
  const oldest = floor === undefined ? undefined : BigInt(Date.parse(floor)) * 1000n;
  const sealed = new Set(entries.map(({ number }) => number));
  const strange = rows.find(({ number }) => !sealed.has(number));
  if (strange && rows.length > entries.length) return put(strange);
  const present = new Map(rows.map((row) => [row.number, row]));
  let at = 0;
  for (const [index, { number, micros, digest }] of entries.entries()) {
    const row = present.get(number);
    if (!row) {
      if (oldest !== undefined && micros < oldest) continue;
      return { kind: 'missing', number, micros, index };
    }
    if (Buffer.compare(digestOf(row), digest) !== 0) {
      return { kind: 'changed', number, micros, index };
    }
    if (!strange && rows[at]?.number !== number) {
      return { kind: 'reordered', number, micros, index };
    }
    at += 1;
  }
  return strange && put(strange);
}

function put({ number, micros }: ChainedEvent): Difference {
  return { kind: 'inserted', number, micros, index: undefined };
}
