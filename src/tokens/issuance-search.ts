import { type Kysely, sql } from 'kysely';
import { likePrefix, type Tables } from '../db/index.ts';
import type { Position } from '../http/index.ts';

/** Who a search means: each has an index of what was issued to them. */
export interface Owners {
  subs: string[];
  clientIds: string[];
}

/** Most people or clients that a search names; what fits more is frequent, and looked for in the records. */
const mostOwners = 100;

/** @returns undefined where nobody is meant, or too many are */
export async function findOwners(db: Kysely<Tables>, q: string): Promise<Owners | undefined> {
  const pattern = likePrefix(q);
  const people = await db
    .selectFrom('users')
    .select('id')
    .where(sql<boolean>`(email_key LIKE ${pattern} OR lower(id) LIKE ${pattern})`)
    .limit(mostOwners + 1)
    .execute();
  const clients = await db
    .selectFrom('clients')
    .select('client_id as id')
    .where(sql<boolean>`lower(client_id) LIKE ${pattern}`)
    .limit(mostOwners + 1)
    .execute();
  const found = people.length + clients.length;
  if (found === 0 || people.length > mostOwners || clients.length > mostOwners) return undefined;
  return { subs: people.map(({ id }) => id), clientIds: clients.map(({ id }) => id) };
}

export interface OwnedPage {
  owners: Owners;
  ascending: boolean;
  after: Position | undefined;
  /** Most records that are looked at, of all owners together. */
  budget: number;
}

/** The places of records that a page looks at: as many of each owner, in order. */
function places({ owners, ascending, after, budget }: OwnedPage) {
  const each = Math.max(1, Math.floor(budget / (owners.subs.length + owners.clientIds.length)));
  const direction = sql.raw(ascending ? 'ASC' : 'DESC');
  const beyond = sql.raw(ascending ? '>' : '<');
  const of = (column: 'sub' | 'client_id', ids: readonly string[]) => sql`
    SELECT o.id AS owner, p.jti, p.issued_at, p.nth FROM unnest(${ids}::text[]) AS o(id)
    CROSS JOIN LATERAL (
      SELECT jti, issued_at, row_number() OVER (ORDER BY issued_at ${direction}, jti ${direction}) AS nth
        FROM issuances WHERE ${sql.ref(column)} = o.id
         ${after ? sql`AND (issued_at, jti) ${beyond} (${after.at}, ${after.id})` : sql``}
       ORDER BY issued_at ${direction}, jti ${direction} LIMIT ${each}) AS p`;
  return {
    each,
    query: sql<{ owner: string; jti: string; issued_at: Date; nth: string }>`
      ${of('sub', owners.subs)} UNION ALL ${of('client_id', owners.clientIds)}`,
  };
}

/**
 * The records of the owners, in order, as far as all of them were looked at.
 *
 * @returns `stop`: where looking stopped, while there may be more
 */
export async function examineOwned(
  db: Kysely<Tables>,
  page: OwnedPage,
): Promise<{ jtis: string[]; stop: Position | undefined }> {
  const { each, query } = places(page);
  const { rows } = await query.execute(db);
  const cut = rows
    .filter(({ nth }) => Number(nth) === each)
    .map(({ jti: id, issued_at: at }) => ({ at, id }));
  const stop = cut.toSorted((a, b) => inOrder(a, b, page.ascending))[0];
  const seen = rows.filter(
    ({ jti: id, issued_at: at }) => !stop || inOrder({ at, id }, stop, page.ascending) <= 0,
  );
  return { jtis: [...new Set(seen.map(({ jti }) => jti))], stop };
}

function inOrder(a: Position, b: Position, ascending: boolean): number {
  const forward = a.at.getTime() - b.at.getTime() || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
  return ascending ? forward : -forward;
}
