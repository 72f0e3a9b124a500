import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from '../db/index.ts';
import { settled } from './chain-queries.ts';
import type { EventPlace } from './event-key.ts';
import {
  allOf,
  type EventFilters,
  indexCondition,
  indexOf,
  otherConditions,
  spanOf,
} from './filters.ts';

/** An event as it is shown. */
export interface ListedEvent extends EventPlace {
  at: Date;
  type: string;
  actor_kind: string;
  actor_id: string | null;
  client_id: string | null;
  user_id: string | null;
  username: string | null;
  resource: string | null;
  ip: string | null;
  user_agent: string | null;
  trace_id: string | null;
  detail: Record<string, unknown>;
  sealed: boolean;
  txn: bigint;
}

/** A row's place in a list by time. */
export interface TimePlace {
  at: Date;
  id: string;
}

export interface EventQuery extends EventFilters {
  limit: number;
  sort?: 'at' | '-at' | undefined;
  /** Prefix of a trace id, client id, user id or e-mail address; its case does not matter. */
  q?: string | undefined;
  after?: TimePlace | undefined;
}

/**
 * Most events that one page looks at in each index. Filters without an index are asked of these only, so
 * that one which few events match costs no walk through the table: the page is short, and has a successor.
 */
const mostExamined = 5000;
/** People and clients that a search takes in. */
const mostFound = 20;
/** A shorter prefix of a trace id would match half of the log. */
const shortestTrace = 3;

type Db = Kysely<Tables>;

interface RawListed extends Omit<ListedEvent, 'number' | 'micros' | 'txn'> {
  id: string;
  micros: string;
  txn: string;
}

const columns = sql`id, at, type, actor_kind, actor_id, client_id, user_id, resource, ip, user_agent, trace_id,
  detail, txn`;

/** With what is told of an event beside its row. */
const shown = sql`e.*, (extract(epoch FROM e.at) * 1000000)::bigint AS micros,
  (SELECT email FROM users WHERE id = e.user_id) AS username,
  coalesce((e.txn, e.id) <= (SELECT last_txn, last_id FROM audit_blocks ORDER BY number DESC LIMIT 1),
    false) AS sealed`;

/**
 * One page of events in order of time. It may be short, and even empty, while `next` says that there is
 * more to look at.
 */
export async function listEvents(
  db: Db,
  query: EventQuery,
): Promise<{ items: ListedEvent[]; next?: TimePlace }> {
  const walks = query.q === undefined ? [walkOf(query)] : await searched(db, query.q);
  const but = query.q === undefined ? indexOf(query) : undefined;
  const others = otherConditions(query, but);
  const isNarrowed = others.length > 0;
  const rows = await page(db, query, walks, others);
  const frontier = isNarrowed ? await lastExamined(db, query, walks) : undefined;
  const known = rows.filter((row) => !frontier || !isBeyond(query, row, frontier));
  const items = known.slice(0, query.limit).map(listed);
  const last = known[query.limit - 1];
  if (known.length > query.limit && last) return { items, next: { at: last.at, id: last.id } };
  return { items, ...(frontier && { next: frontier }) };
}

function listed({ id, micros, txn, ...row }: RawListed): ListedEvent {
  return { ...row, number: BigInt(id), micros: BigInt(micros), txn: BigInt(txn) };
}

/** One way through the table in order of time: a lateral for each value, or a single one. */
interface Walk {
  /** Rows that the way begins at, such as one for each person found. */
  each?: RawBuilder<unknown>;
  condition: RawBuilder<unknown>;
}

function walkOf(query: EventQuery): Walk {
  const name = indexOf(query);
  return { condition: name ? indexCondition(query, name) : sql`true` };
}

/** What a search means: a trace, people and clients. */
async function searched(db: Db, q: string): Promise<Walk[]> {
  const prefix = `${q.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
  const { rows: people } = await sql<{ id: string }>`
    (SELECT id FROM users WHERE email_key LIKE ${prefix} LIMIT ${mostFound})
    UNION (SELECT id FROM users WHERE lower(id) LIKE ${prefix} LIMIT ${mostFound})`.execute(db);
  const { rows: clients } = await sql<{ id: string }>`
    SELECT client_id AS id FROM clients WHERE lower(client_id) LIKE ${prefix} LIMIT ${mostFound}`.execute(
    db,
  );
  const traces = `${q.toUpperCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
  return [
    ...(q.length >= shortestTrace ? [{ condition: sql`trace_id LIKE ${traces}` }] : []),
    // Who is gone from the other tables is still found by the whole id.
    each('user_id', [q, ...people.map(({ id }) => id)]),
    each('client_id', [q, ...clients.map(({ id }) => id)]),
  ];
}

function each(column: 'user_id' | 'client_id', ids: readonly string[]): Walk {
  const values = [...new Set(ids)];
  return {
    each: sql`unnest(${values}::text[]) AS w(value)`,
    condition: sql`${sql.ref(column)} = w.value`,
  };
}

function directionOf({ sort = '-at' }: EventQuery) {
  return sort === 'at' ? sql`ASC` : sql`DESC`;
}

/** The conditions of a walk: its index, the span, and the place where the page begins. */
function walked(query: EventQuery, { condition }: Walk): RawBuilder<boolean> {
  const { after, sort = '-at' } = query;
  const beyond = sort === 'at' ? sql`>` : sql`<`;
  return allOf([
    condition,
    ...spanOf(query),
    ...(after ? [sql`(at, id) ${beyond} (${after.at}::timestamptz, ${after.id}::bigint)`] : []),
    // Said apart, so that partitions beyond it are not looked into.
    ...(after ? [sql`at ${beyond}= ${after.at}::timestamptz`] : []),
  ]);
}

async function page(
  db: Db,
  query: EventQuery,
  walks: readonly Walk[],
  others: readonly RawBuilder<unknown>[],
): Promise<RawListed[]> {
  const size = query.limit + 1;
  const direction = directionOf(query);
  const order = sql`ORDER BY at ${direction}, id ${direction}`;
  const parts = walks.map((walk) => {
    const budget = others.length > 0 ? mostExamined : size;
    const way = sql`SELECT ${columns} FROM audit_events WHERE ${walked(query, walk)} ${order} LIMIT ${budget}`;
    const narrowed = sql`SELECT * FROM (${way}) AS x WHERE ${allOf(others)} ${order} LIMIT ${size}`;
    return walk.each
      ? sql`(SELECT x.* FROM ${walk.each} CROSS JOIN LATERAL (${narrowed}) AS x)`
      : sql`(${narrowed})`;
  });
  const { rows } = await sql<RawListed>`
    SELECT ${shown} FROM (SELECT * FROM (${sql.join(parts, sql` UNION `)}) AS u ${order} LIMIT ${size}) AS e
    ${order}`.execute(db);
  return rows;
}

/** Where the first of the walks had looked at as many events as it may: nothing beyond is known. */
async function lastExamined(
  db: Db,
  query: EventQuery,
  walks: readonly Walk[],
): Promise<TimePlace | undefined> {
  const direction = directionOf(query);
  const parts = walks.map((walk) => {
    const way = sql`SELECT at, id FROM audit_events WHERE ${walked(query, walk)}
      ORDER BY at ${direction}, id ${direction} OFFSET ${mostExamined - 1} LIMIT 1`;
    return walk.each
      ? sql`(SELECT x.* FROM ${walk.each} CROSS JOIN LATERAL (${way}) AS x)`
      : sql`(${way})`;
  });
  const { rows } = await sql<TimePlace>`
    SELECT at, id FROM (${sql.join(parts, sql` UNION ALL `)}) AS u
     ORDER BY at ${direction}, id ${direction} LIMIT 1`.execute(db);
  return rows[0];
}

function isBeyond({ sort = '-at' }: EventQuery, row: TimePlace, frontier: TimePlace): boolean {
  const later =
    row.at.getTime() - frontier.at.getTime() || Number(BigInt(row.id) - BigInt(frontier.id));
  return sort === 'at' ? later > 0 : later < 0;
}

/** One event by its key. */
export async function findEvent(db: Db, { number, micros }: EventPlace) {
  const { rows } = await sql<RawListed>`
    SELECT ${shown} FROM (SELECT ${columns} FROM audit_events
      WHERE at = 'epoch'::timestamptz + ${micros}::bigint * interval '1 microsecond'
        AND id = ${number}::bigint) AS e`.execute(db);
  return rows.map(listed)[0];
}

/** Events by their keys, in that order; those that are gone are left out. */
export async function findEvents(db: Db, places: readonly EventPlace[]): Promise<ListedEvent[]> {
  const ids = places.map(({ number }) => `${number}`);
  const micros = places.map((place) => `${place.micros}`);
  const { rows } = await sql<RawListed>`
    SELECT ${shown} FROM unnest(${ids}::bigint[], ${micros}::bigint[]) WITH ORDINALITY AS k(number, micros, place)
      CROSS JOIN LATERAL (SELECT ${columns} FROM audit_events
        WHERE at = 'epoch'::timestamptz + k.micros * interval '1 microsecond' AND id = k.number) AS e
     ORDER BY k.place`.execute(db);
  return rows.map(listed);
}

/** The next events in the order of sealing that are settled, for those who follow: none is ever missed. */
export async function followEvents(
  db: Db,
  after: { txn: bigint; id: bigint },
  limit: number,
): Promise<ListedEvent[]> {
  const { rows } = await sql<RawListed>`
    SELECT ${shown} FROM (SELECT ${columns} FROM audit_events
      WHERE (txn, id) > (${after.txn}::bigint, ${after.id}::bigint) AND txn < ${settled}
      ORDER BY txn, id LIMIT ${limit}) AS e ORDER BY txn, id`.execute(db);
  return rows.map(listed);
}
