import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { recordAudit } from '../audit/index.ts';
import type { Tables } from '../db/index.ts';
import { actorOf, type ChangeMeta } from './user.ts';
import {
  checkSlug,
  checkWorkspaceName,
  type Workspace,
  WorkspaceRefusal,
  type WorkspaceSource,
} from './workspaces-policy.ts';
import { insertWorkspace, renameWorkspace } from './workspaces-queries.ts';

export interface NewWorkspace {
  slug: string;
  /** Default: the slug. */
  name?: string | undefined;
  source: WorkspaceSource;
}

/** @throws WorkspaceRefusal */
export async function addWorkspace(
  trx: Kysely<Tables>,
  { slug, name = slug, source }: NewWorkspace,
  now: Date,
  meta: ChangeMeta,
): Promise<Workspace> {
  const added = await insertWorkspace(trx, {
    ...{ id: randomUUID(), slug: checkSlug(slug), name: checkWorkspaceName(name), source },
    ...{ created_at: now, updated_at: now },
  });
  if (!added) throw new WorkspaceRefusal('slug', `There is a workspace ${slug} already.`, 409);
  const detail = { workspace_id: added.id, slug: added.slug, name: added.name, source };
  await recordAudit(trx, { type: 'workspace_created', actor: actorOf(meta), detail }, meta);
  return added;
}

/** @returns undefined where nothing changed */
export async function changeName(
  trx: Kysely<Tables>,
  { before, name, now, meta }: { before: Workspace; name: string; now: Date; meta: ChangeMeta },
): Promise<Workspace | undefined> {
  const { id, slug } = before;
  const row = await renameWorkspace(trx, { id, name: checkWorkspaceName(name), now });
  if (!row) return undefined;
  const changes = [{ field: 'name', from: before.name, to: row.name }];
  const detail = { workspace_id: id, slug, changes };
  await recordAudit(trx, { type: 'workspace_updated', actor: actorOf(meta), detail }, meta);
  return row;
}
