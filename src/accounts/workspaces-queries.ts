import { type Kysely, type Selectable, sql } from 'kysely';
import type { Tables, WorkspacesTable } from '../db/index.ts';
import { cutPage, type Position, pageCursor } from '../http/index.ts';
import { isWorkspaceId, type Workspace, type WorkspaceSource } from './workspaces-policy.ts';

const columns = ['id', 'slug', 'name', 'source', 'created_at', 'updated_at'] as const;

export interface WorkspaceQuery {
  /** Case-insensitive prefix of id, slug or name. */
  q?: string | undefined;
  source?: WorkspaceSource | undefined;
  /** Only these. */
  ids?: readonly string[] | undefined;
  sort?: '-created_at' | 'created_at' | undefined;
  cursor?: string | undefined;
  /** 1 to 200. */
  limit: number;
}

/** By its id, or by its slug. */
export async function findWorkspace(
  db: Kysely<Tables>,
  which: string,
): Promise<Workspace | undefined> {
  const row = await db
    .selectFrom('workspaces')
    .select(columns)
    .where(isWorkspaceId(which) ? 'id' : 'slug', '=', which)
    .executeTakeFirst();
  return row && toWorkspace(row);
}

/**
 * Keeps a workspace until the end of the transaction, and lets nobody else invite to it at the same moment.
 *
 * @returns whether there is such a workspace
 */
export async function lockWorkspace(trx: Kysely<Tables>, id: string): Promise<boolean> {
  const row = await trx
    .selectFrom('workspaces')
    .select('id')
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * One page, newest first.
 *
 * @throws OAuthError invalid_request where the cursor is not ours
 */
export async function listWorkspaces(
  db: Kysely<Tables>,
  { q, source, ids, sort = '-created_at', cursor, limit }: WorkspaceQuery,
): Promise<{ items: Workspace[]; next_cursor?: string }> {
  const cursors = pageCursor(`workspaces ${sort}`);
  const after = cursor === undefined ? undefined : cursors.read(cursor);
  const ascending = sort === 'created_at';
  const direction = ascending ? 'asc' : 'desc';
  const rows = await db
    .selectFrom('workspaces')
    .select(columns)
    .$if(q !== undefined, (page) => page.where(beginsWith(q ?? '')))
    .$if(source !== undefined, (page) => page.where('source', '=', source ?? 'config'))
    .$if(ids !== undefined, (page) => page.where(sql<boolean>`id = ANY(${[...(ids ?? [])]})`))
    .$if(after !== undefined, (page) =>
      page.where((where) =>
        where(
          where.refTuple('created_at', 'id'),
          ascending ? '>' : '<',
          where.tuple(after?.at ?? new Date(0), after?.id ?? ''),
        ),
      ),
    )
    .orderBy('created_at', direction)
    .orderBy('id', direction)
    .limit(limit + 1)
    .execute();
  const { items, next } = cutPage(rows, limit, placeOf);
  return { items: items.map(toWorkspace), ...(next && { next_cursor: cursors.write(next) }) };
}

/** @returns undefined when the slug is taken */
export async function insertWorkspace(
  db: Kysely<Tables>,
  row: Selectable<WorkspacesTable>,
): Promise<Workspace | undefined> {
  const added = await db
    .insertInto('workspaces')
    .values(row)
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .returning(columns)
    .executeTakeFirst();
  return added && toWorkspace(added);
}

/** @returns undefined where it has that name already, or does not exist */
export async function renameWorkspace(
  db: Kysely<Tables>,
  { id, name, now }: { id: string; name: string; now: Date },
): Promise<Workspace | undefined> {
  const row = await db
    .updateTable('workspaces')
    .set({ name, updated_at: now })
    .where('id', '=', id)
    .where('name', '<>', name)
    .returning(columns)
    .executeTakeFirst();
  return row && toWorkspace(row);
}

/** Slugs of those that the configuration made and that are not among `slugs`. */
export async function listUndeclaredWorkspaces(
  db: Kysely<Tables>,
  slugs: readonly string[],
): Promise<string[]> {
  const rows = await db
    .selectFrom('workspaces')
    .select('slug')
    .where('source', '=', 'config')
    .where(sql<boolean>`slug <> ALL(${[...slugs]}::text[])`)
    .orderBy('slug')
    .execute();
  return rows.map(({ slug }) => slug);
}

function placeOf({ created_at: at, id }: { created_at: Date; id: string }): Position {
  return { at, id };
}

/** What an index on `text_pattern_ops` answers. */
function beginsWith(q: string) {
  const pattern = likePrefix(q);
  return sql<boolean>`(id LIKE ${pattern} OR slug LIKE ${pattern} OR lower(name) LIKE ${pattern})`;
}

/** A pattern for everything that begins with the text, in lower case. */
export function likePrefix(text: string): string {
  return `${text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
}

function toWorkspace(row: Selectable<WorkspacesTable>): Workspace {
  const { id, slug, name, source, created_at: createdAt, updated_at: updatedAt } = row;
  return { id, slug, name, source, createdAt, updatedAt };
}
