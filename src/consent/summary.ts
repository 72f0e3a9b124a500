import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';
import { cutPage, pageCursor } from '../http/index.ts';

export interface SummaryQuery {
  by: 'client' | 'user' | 'resource';
  cursor?: string | undefined;
  /** 1 to 200. */
  limit: number;
}

/** The grants of one client, person or resource that were not withdrawn. */
export interface GrantGroup {
  /** client_id, id of the person or URI of the resource. */
  id: string;
  /** Name of the client or e-mail address of the person. */
  name: string | null;
  /** Up to {@link mostCounted}. */
  grants: number;
  latest_at: Date;
}

const mostCounted = 1000;
const columns = { client: 'client_id', user: 'user_id', resource: 'resource' } as const;

/**
 * One page of grants counted by group, in the order of its id. It hops from one id to the next along an
 * index and counts in the same one, so that the number of grants does not matter.
 *
 * @throws OAuthError invalid_request where the cursor is not ours
 */
export async function summarizeGrants(
  db: Kysely<Tables>,
  { by, cursor, limit }: SummaryQuery,
): Promise<{ items: GrantGroup[]; next_cursor?: string }> {
  const cursors = pageCursor(`grants by ${by}`);
  const after = cursor === undefined ? '' : cursors.read(cursor).id;
  const { items, next } = cutPage(
    await selectGroups(db, by, { after, limit }),
    limit,
    ({ id }) => ({
      at: new Date(0),
      id,
    }),
  );
  return { items, ...(next && { next_cursor: cursors.write(next) }) };
}

/** How many grants for a resource were not withdrawn, up to `atMost`. */
export async function countGrantsFor(
  db: Kysely<Tables>,
  { resource, atMost }: { resource: string; atMost: number },
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM (SELECT FROM grants
      WHERE resource = ${resource} AND revoked_at IS NULL LIMIT ${atMost}) AS counted`.execute(db);
  return rows[0]?.count ?? 0;
}

async function selectGroups(
  db: Kysely<Tables>,
  by: SummaryQuery['by'],
  { after, limit }: { after: string; limit: number },
): Promise<GrantGroup[]> {
  const column = sql.ref(columns[by]);
  const { rows } = await sql<GrantGroup>`
    WITH RECURSIVE groups AS (
      SELECT (SELECT min(${column}) FROM grants
               WHERE revoked_at IS NULL AND ${column} > ${after}) AS id, 1 AS place
      UNION ALL
      SELECT (SELECT min(${column}) FROM grants
               WHERE revoked_at IS NULL AND ${column} > groups.id), place + 1
        FROM groups WHERE groups.id IS NOT NULL AND place <= ${limit}
    )
    SELECT id, ${nameOf(by)} AS name,
           (SELECT count(*)::int FROM (SELECT FROM grants WHERE revoked_at IS NULL
             AND ${column} = groups.id LIMIT ${mostCounted}) AS counted) AS grants,
           (SELECT created_at FROM grants WHERE revoked_at IS NULL AND ${column} = groups.id
             ORDER BY created_at DESC LIMIT 1) AS latest_at
      FROM groups WHERE id IS NOT NULL ORDER BY place`.execute(db);
  return rows;
}

function nameOf(by: SummaryQuery['by']) {
  switch (by) {
    case 'client':
      return sql`(SELECT client_name FROM clients WHERE client_id = groups.id)`;
    case 'user':
      return sql`(SELECT email FROM users WHERE users.id = groups.id)`;
    case 'resource':
      return sql`(SELECT display_name FROM resources WHERE uri = groups.id)`;
  }
}
