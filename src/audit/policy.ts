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
