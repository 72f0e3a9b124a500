import { type RawBuilder, sql } from 'kysely';

/** What events are asked for by. */
export interface EventFilters {
  type?: readonly string[] | undefined;
  actor_kind?: string | undefined;
  actor_id?: string | undefined;
  client_id?: string | undefined;
  user_id?: string | undefined;
  resource?: string | undefined;
  trace_id?: string | undefined;
  ip?: string | undefined;
  /** The earliest time. */
  from?: Date | undefined;
  /** The time before which. */
  to?: Date | undefined;
}

/** Filters that an index answers, the most telling first; `type` where there is one only. */
const indexed = ['trace_id', 'user_id', 'client_id', 'type'] as const;
type Indexed = (typeof indexed)[number];

/** The filter whose index is walked along; without one it is the key by time. */
export function indexOf(filters: EventFilters): Indexed | undefined {
  return indexed.find((name) =>
    name === 'type' ? filters.type?.length === 1 : filters[name] !== undefined,
  );
}

/** The span of time, which says which partitions are looked into. */
export function spanOf({ from, to }: EventFilters): RawBuilder<unknown>[] {
  return [
    ...(from ? [sql`at >= ${from}::timestamptz`] : []),
    ...(to ? [sql`at < ${to}::timestamptz`] : []),
  ];
}

/** The condition of an indexed filter. */
export function indexCondition(filters: EventFilters, name: Indexed): RawBuilder<unknown> {
  if (name === 'type') return sql`type = ${filters.type?.[0]}`;
  return sql`${sql.ref(name)} = ${filters[name]}`;
}

/** The conditions of all filters but one, in memory of a row. */
export function otherConditions(
  filters: EventFilters,
  but: Indexed | undefined,
): RawBuilder<unknown>[] {
  const plain = ['actor_kind', 'actor_id', 'client_id', 'user_id', 'resource', 'trace_id', 'ip'];
  const conditions = plain.flatMap((name) => {
    const value = Object.entries(filters).find(([key]) => key === name)?.[1];
    return value === undefined || name === but ? [] : [sql`${sql.ref(name)} = ${value}`];
  });
  if (filters.type && but !== 'type') {
    conditions.push(sql`type = ANY(${[...filters.type]}::text[])`);
  }
  return conditions;
}

/** All of them; true where there is none. */
export function allOf(conditions: readonly RawBuilder<unknown>[]): RawBuilder<boolean> {
  return conditions.length === 0
    ? sql<boolean>`true`
    : sql<boolean>`(${sql.join(conditions, sql` AND `)})`;
}
