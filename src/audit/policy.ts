/** One monthly partition of the audit log; the bounds are UTC, `to` is exclusive. */
export interface PartitionMonth {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** This month and the next, in UTC. */
export function monthsAhead(now: Date): PartitionMonth[] {
  const year = now.getUTCFullYear();
  const month = now.getUTCMonth();
  return [partitionMonth(year, month), partitionMonth(year, month + 1)];
}

function partitionMonth(year: number, month: number): PartitionMonth {
  const from = new Date(Date.UTC(year, month, 1)).toISOString();
  const to = new Date(Date.UTC(year, month + 1, 1)).toISOString();
  return { name: `audit_events_${from.slice(0, 7).replace('-', '_')}`, from, to };
}

/** Seconds after which something that was sealed is signed. */
const signEvery = 60;
/** Events after which what was sealed is signed at once. */
export const signAfter = 1000;

/** Whether a checkpoint is to be signed over the end of the chain. */
export function checkpointDue({
  head,
  before,
  kid,
  now,
  when,
}: {
  head: { number: bigint; firstSeq: bigint; events: number };
  /** The last checkpoint, with the place of the last event that it covers. */
  before: { block: number; seq: number; kid: string; signedAt: Date } | undefined;
  /** The key that signs now. */
  kid: string;
  now: Date;
  when: 'when due' | 'now';
}): boolean {
  // A new key takes over at once, so that trust in the chain never hangs on a key that is gone.
  if (!before || before.kid !== kid) return true;
  if (before.block >= Number(head.number)) return false;
  const unsigned = Number(head.firstSeq) + head.events - 1 - before.seq;
  const age = now.getTime() - before.signedAt.getTime();
  return when === 'now' || unsigned >= signAfter || age >= signEvery * 1000 || age < 0;
}

/** The month of a partition by its name; undefined for any other table. */
export function monthOfPartition(name: string): { name: string; from: Date; to: Date } | undefined {
  const [, year, month] = /^audit_events_(\d{4})_(\d{2})$/.exec(name) ?? [];
  if (year === undefined || month === undefined) return undefined;
  const { from, to } = partitionMonth(Number(year), Number(month) - 1);
  return { name, from: new Date(from), to: new Date(to) };
}
