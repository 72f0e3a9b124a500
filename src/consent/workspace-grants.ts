import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';

/** Most grants that a list for one workspace shows. */
const longestList = 500;

/** A grant for a workspace, as its members see it. */
export interface WorkspaceGrant {
  id: string;
  clientId: string;
  resource: string;
  scopes: string[];
  user: { id: string; email: string; name?: string };
  createdAt: Date;
  lastUsedAt?: Date;
}

/**
 * What was granted for a workspace and not withdrawn, newest first; at most 500.
 *
 * @param which.userId only this person's; absent: everybody's
 */
export async function listWorkspaceGrants(
  db: Kysely<Tables>,
  { workspaceId, userId }: { workspaceId: string; userId?: string | undefined },
): Promise<WorkspaceGrant[]> {
  const rows = await db
    .selectFrom('grants as g')
    .innerJoin('users as u', 'u.id', 'g.user_id')
    .select(['g.id', 'g.client_id', 'g.resource', 'g.scopes', 'g.created_at', 'g.last_used_at'])
    .select(['u.id as user_id', 'u.email', 'u.name'])
    .where('g.workspace_id', '=', workspaceId)
    .where('g.workspace_id', '<>', '') // as the index says
    .where('g.revoked_at', 'is', null)
    .$if(userId !== undefined, (query) => query.where('g.user_id', '=', userId ?? ''))
    .orderBy('g.created_at', 'desc')
    .orderBy('g.id')
    .limit(longestList)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    clientId: row.client_id,
    resource: row.resource,
    scopes: row.scopes,
    user: { id: row.user_id, email: row.email, ...(row.name !== null && { name: row.name }) },
    createdAt: row.created_at,
    ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
  }));
}
