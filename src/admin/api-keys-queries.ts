import { type Insertable, type Kysely, type SqlBool, sql } from 'kysely';
import type { ApiKeysTable, Tables } from '../db/index.ts';
import { cutPage, type Position, pageCursor } from '../http/index.ts';
import type { Permission } from './contract/index.ts';

export type ApiKeyStatus = 'active' | 'expired' | 'revoked';

/** A key as operators see it; never its hash. */
export interface ApiKeyRow {
  id: string;
  name: string;
  prefix: string;
  role: Permission;
  status: ApiKeyStatus;
  created_by: string | null;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
  last_used_from: string | null;
  revoked_at: Date | null;
}

export interface ApiKeyQuery {
  /** Case-insensitive prefix of id, name and of the value's beginning. */
  q?: string | undefined;
  role?: Permission | undefined;
  status?: ApiKeyStatus | undefined;
  sort: '-created_at' | 'created_at';
  cursor?: string | undefined;
  limit: number;
}

/**
 * One page of the keys.
 *
 * @throws OAuthError invalid_request where the cursor is not ours
 */
export async function listApiKeys(
  db: Kysely<Tables>,
  { q, role, status, sort, cursor, limit }: ApiKeyQuery,
  now: Date,
): Promise<{ items: ApiKeyRow[]; next_cursor?: string }> {
  const cursors = pageCursor(`api-keys ${sort}`);
  const after = cursor === undefined ? undefined : cursors.read(cursor);
  const direction = sort === 'created_at' ? 'asc' : 'desc';
  const rows = await selectKeys(db, now)
    .$if(q !== undefined, (page) => page.where(beginsWith(q ?? '')))
    .$if(role !== undefined, (page) => page.where('role', '=', role ?? 'viewer'))
    .$if(status !== undefined, (page) => page.where(statusAt(now), '=', status ?? 'active'))
    .$if(after !== undefined, (page) =>
      page.where((row) =>
        row(
          row.refTuple('created_at', 'id'),
          direction === 'asc' ? '>' : '<',
          row.tuple(after?.at ?? new Date(0), after?.id ?? ''),
        ),
      ),
    )
    .orderBy('created_at', direction)
    .orderBy('id', direction)
    .limit(limit + 1)
    .execute();
  const { items, next } = cutPage(rows, limit, placeOf);
  return { items, ...(next && { next_cursor: cursors.write(next) }) };
}

export function findApiKey(
  db: Kysely<Tables>,
  id: string,
  now: Date,
): Promise<ApiKeyRow | undefined> {
  return selectKeys(db, now).where('id', '=', id).executeTakeFirst();
}

/** Together with what the person behind it may do now; `null` where that is nothing, or nobody is behind it. */
export function findApiKeyByHash(
  db: Kysely<Tables>,
  hash: string,
  now: Date,
): Promise<(ApiKeyRow & { maker_role: Permission | null }) | undefined> {
  return selectKeys(db, now)
    .select(
      sql<Permission | null>`(SELECT u.role FROM users u
        WHERE u.id = api_keys.created_by AND u.status = 'active')`.as('maker_role'),
    )
    .where('hash', '=', hash)
    .executeTakeFirst();
}

export async function insertApiKey(
  db: Kysely<Tables>,
  row: Insertable<ApiKeysTable>,
): Promise<void> {
  await db.insertInto('api_keys').values(row).execute();
}

/** @returns undefined when it was revoked before, or never existed */
export function revokeApiKey(
  db: Kysely<Tables>,
  { id, now }: { id: string; now: Date },
): Promise<{ name: string; role: Permission } | undefined> {
  return db
    .updateTable('api_keys')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning(['name', 'role'])
    .executeTakeFirst();
}

export async function markApiKeyUsed(
  db: Kysely<Tables>,
  { id, at, from }: { id: string; at: Date; from: string },
): Promise<void> {
  await db
    .updateTable('api_keys')
    .set({ last_used_at: at, last_used_from: from })
    .where('id', '=', id)
    .execute();
}

function selectKeys(db: Kysely<Tables>, now: Date) {
  return db
    .selectFrom('api_keys')
    .select(['id', 'name', 'prefix', 'role', 'created_by', 'created_at', 'expires_at'])
    .select(['last_used_at', 'last_used_from', 'revoked_at', statusAt(now).as('status')]);
}

function statusAt(now: Date) {
  return sql<ApiKeyStatus>`CASE WHEN revoked_at IS NOT NULL THEN 'revoked'
    WHEN expires_at <= ${now} THEN 'expired' ELSE 'active' END`;
}

function placeOf({ created_at: at, id }: ApiKeyRow): Position {
  return { at, id };
}

/** Along the indexes of prefixes; the text is data, never part of the pattern. */
function beginsWith(q: string) {
  const pattern = `${q.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
  return sql<SqlBool>`(lower(id) LIKE ${pattern} OR lower(name) LIKE ${pattern}
    OR lower(prefix) LIKE ${pattern})`;
}
