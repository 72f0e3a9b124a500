import { type Kysely, sql } from 'kysely';
import type { Tables, WorkspaceMembersTable } from '../db/index.ts';
import { cutPage, type Position, pageCursor } from '../http/index.ts';
import type { Member, Membership, WorkspaceRole } from './workspaces-policy.ts';
import { likePrefix } from './workspaces-queries.ts';

/** Most workspaces of one person that a page offers. */
const mostOffered = 500;

export interface MemberKey {
  workspaceId: string;
  userId: string;
}

export interface MemberQuery {
  workspaceId: string;
  role?: WorkspaceRole | undefined;
  /** Case-insensitive prefix of user id, e-mail address or name. */
  q?: string | undefined;
  sort?: '-created_at' | 'created_at' | undefined;
  cursor?: string | undefined;
  /** 1 to 200. */
  limit: number;
}

/** The workspaces of a person, by name; at most 500. */
export function membershipsOf(db: Kysely<Tables>, userId: string): Promise<Membership[]> {
  return db
    .selectFrom('workspace_members as m')
    .innerJoin('workspaces as w', 'w.id', 'm.workspace_id')
    .select(['w.id', 'w.slug', 'w.name', 'm.role'])
    .where('m.user_id', '=', userId)
    .orderBy('w.name')
    .orderBy('w.id')
    .limit(mostOffered)
    .execute();
}

/** A person's membership in one workspace. */
export function findMembership(
  db: Kysely<Tables>,
  { workspaceId, userId }: MemberKey,
): Promise<Membership | undefined> {
  return db
    .selectFrom('workspace_members as m')
    .innerJoin('workspaces as w', 'w.id', 'm.workspace_id')
    .select(['w.id', 'w.slug', 'w.name', 'm.role'])
    .where('m.workspace_id', '=', workspaceId)
    .where('m.user_id', '=', userId)
    .executeTakeFirst();
}

/**
 * The role of a person in a workspace, which they keep until the end of the transaction. Call it before
 * anything is granted for the workspace: who removes the member at the same moment then either comes first,
 * or sees what was granted and ends it.
 *
 * @returns undefined for who is no member (any more)
 */
export async function lockMembership(
  trx: Kysely<Tables>,
  { workspaceId, userId }: MemberKey,
): Promise<WorkspaceRole | undefined> {
  const row = await trx
    .selectFrom('workspace_members')
    .select('role')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .forShare()
    .executeTakeFirst();
  return row?.role;
}

export async function findMember(
  db: Kysely<Tables>,
  { workspaceId, userId }: MemberKey,
): Promise<Member | undefined> {
  const row = await members(db, workspaceId).where('m.user_id', '=', userId).executeTakeFirst();
  return row && toMember(row);
}

/**
 * One page, the latest first.
 *
 * @throws OAuthError invalid_request where the cursor is not ours
 */
export async function listMembers(
  db: Kysely<Tables>,
  { workspaceId, role, q, sort = '-created_at', cursor, limit }: MemberQuery,
): Promise<{ items: Member[]; next_cursor?: string }> {
  const cursors = pageCursor(`members ${workspaceId} ${sort}`);
  const after = cursor === undefined ? undefined : cursors.read(cursor);
  const ascending = sort === 'created_at';
  const direction = ascending ? 'asc' : 'desc';
  const pattern = likePrefix(q ?? '');
  const rows = await members(db, workspaceId)
    .$if(role !== undefined, (page) => page.where('m.role', '=', role ?? 'member'))
    .$if(q !== undefined, (page) =>
      page.where(
        sql<boolean>`(lower(u.id) LIKE ${pattern} OR u.email_key LIKE ${pattern} OR lower(u.name) LIKE ${pattern})`,
      ),
    )
    .$if(after !== undefined, (page) =>
      page.where((where) =>
        where(
          where.refTuple('m.created_at', 'm.user_id'),
          ascending ? '>' : '<',
          where.tuple(after?.at ?? new Date(0), after?.id ?? ''),
        ),
      ),
    )
    .orderBy('m.created_at', direction)
    .orderBy('m.user_id', direction)
    .limit(limit + 1)
    .execute();
  const { items, next } = cutPage(rows, limit, placeOf);
  return { items: items.map(toMember), ...(next && { next_cursor: cursors.write(next) }) };
}

/** @returns false when the person is a member already */
export async function insertMember(
  trx: Kysely<Tables>,
  row: { workspace_id: string; user_id: string; role: WorkspaceRole } & Pick<
    MemberRow,
    'source' | 'created_at'
  >,
): Promise<boolean> {
  const added = await trx
    .insertInto('workspace_members')
    .values(row)
    .onConflict((conflict) => conflict.columns(['workspace_id', 'user_id']).doNothing())
    .returning('user_id')
    .executeTakeFirst();
  return added !== undefined;
}

/** @returns false where they have that role already, or are no member */
export async function updateMemberRole(
  trx: Kysely<Tables>,
  { workspaceId, userId, role }: MemberKey & { role: WorkspaceRole },
): Promise<boolean> {
  const row = await trx
    .updateTable('workspace_members')
    .set({ role })
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .where('role', '<>', role)
    .returning('user_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Waits for whoever grants something for the membership. @returns what it was, if it was */
export function deleteMember(
  trx: Kysely<Tables>,
  { workspaceId, userId }: MemberKey,
): Promise<{ role: WorkspaceRole } | undefined> {
  return trx
    .deleteFrom('workspace_members')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .returning('role')
    .executeTakeFirst();
}

/** What the configuration and others made of a person's memberships. */
export function memberRowsOf(db: Kysely<Tables>, userId: string) {
  return db
    .selectFrom('workspace_members as m')
    .innerJoin('workspaces as w', 'w.id', 'm.workspace_id')
    .select(['m.workspace_id', 'w.slug', 'm.role', 'm.source'])
    .where('m.user_id', '=', userId)
    .orderBy('w.slug')
    .execute();
}

interface MemberRow {
  workspace_id: string;
  user_id: string;
  email: string;
  name: string | null;
  role: WorkspaceRole;
  source: WorkspaceMembersTable['source'];
  created_at: Date;
}

function members(db: Kysely<Tables>, workspaceId: string) {
  return db
    .selectFrom('workspace_members as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select([
      'm.workspace_id',
      'm.user_id',
      'u.email',
      'u.name',
      'm.role',
      'm.source',
      'm.created_at',
    ])
    .where('m.workspace_id', '=', workspaceId);
}

function placeOf({ created_at: at, user_id: id }: MemberRow): Position {
  return { at, id };
}

function toMember(row: MemberRow): Member {
  return {
    workspaceId: row.workspace_id,
    userId: row.user_id,
    email: row.email,
    ...(row.name !== null && { name: row.name }),
    role: row.role,
    source: row.source,
    createdAt: row.created_at,
  };
}
