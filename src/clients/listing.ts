import type { Database } from '../db/index.ts';
import { cutPage, pageCursor } from '../http/index.ts';
import {
  findAtHost,
  findPlace,
  findPrefixed,
  type ListRequest,
  listClients,
  mostNamed,
  type Search,
} from './listing-queries.ts';
import { clientOf } from './rows.ts';
import type { Client } from './types.ts';

/** A client with how many grants it has that were not withdrawn, up to 1,000. */
export interface ListedClient extends Client {
  grants: number;
}

/**
 * One page of clients, newest first. A page may be short, and even empty, while `next_cursor` says that
 * there is more to look at.
 *
 * @throws OAuthError invalid_request where the cursor is not ours
 */
export async function listPage(
  db: Database,
  { cursor, limit = 50, sort = '-created_at', ...filter }: ListRequest,
): Promise<{ items: ListedClient[]; next_cursor?: string }> {
  const cursors = pageCursor(`clients ${sort}`);
  const search: Search = {
    ...filter,
    sort,
    limit: Math.min(200, Math.max(1, Math.trunc(limit))),
    after: cursor === undefined ? undefined : cursors.read(cursor),
    named: await nameMatches(db, filter),
  };
  const rows = await listClients(db.kysely, search);
  const { items, next } = cutPage(rows, search.limit, (row) => ({
    at: sort === '-last_used_at' ? (row.last_used_at ?? new Date(0)) : row.created_at,
    id: row.client_id,
  }));
  const walked = search.named === undefined && (filter.q ?? filter.host) !== undefined;
  const further = next ?? (walked ? await findPlace(db.kysely, search) : undefined);
  return {
    items: items.map((row) => ({ ...clientOf(row), grants: row.grants })),
    ...(further && { next_cursor: cursors.write(further) }),
  };
}

async function nameMatches(
  db: Database,
  { q, host }: ListRequest,
): Promise<readonly string[] | undefined> {
  const found = [
    ...(q === undefined ? [] : [await findPrefixed(db.kysely, q)]),
    ...(host === undefined ? [] : [await findAtHost(db.kysely, host.toLowerCase())]),
  ];
  const few = found.filter((ids) => ids.length <= mostNamed);
  const [first, ...others] = few;
  return first && few.length === found.length
    ? [...new Set(first)].filter((id) => others.every((ids) => ids.includes(id)))
    : undefined;
}
