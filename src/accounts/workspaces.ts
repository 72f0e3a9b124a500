import type { ChangeMeta } from './user.ts';
import { addWorkspace, changeName, type NewWorkspace } from './workspaces-changes.ts';
import { createMembers, type MembersDeps } from './workspaces-members.ts';
import {
  findMember,
  findMembership,
  listMembers,
  type MemberKey,
  type MemberQuery,
  membershipsOf,
} from './workspaces-members-queries.ts';
import { unknownWorkspace, type Workspace } from './workspaces-policy.ts';
import { findWorkspace, listWorkspaces, type WorkspaceQuery } from './workspaces-queries.ts';
import { createReconcileWorkspaces } from './workspaces-reconcile.ts';
import { createStewardship } from './workspaces-stewardship.ts';

export type Workspaces = ReturnType<typeof createWorkspaces>;

/** Workspaces and who is in them, over one database. */
export function createWorkspaces(deps: MembersDeps) {
  const { db, now } = deps;
  return {
    ...createMembers(deps),
    ...createStewardship(deps),
    reconcile: createReconcileWorkspaces(deps),

    /** @throws WorkspaceRefusal when the slug is taken, or slug or name are not acceptable */
    create: (workspace: NewWorkspace, meta: ChangeMeta): Promise<Workspace> =>
      db.kysely.transaction().execute((trx) => addWorkspace(trx, workspace, now(), meta)),

    /** @throws WorkspaceRefusal for an unknown workspace or a name that is not acceptable */
    rename: (id: string, name: string, meta: ChangeMeta): Promise<Workspace> =>
      db.kysely.transaction().execute(async (trx) => {
        const before = await findWorkspace(trx, id);
        if (!before) throw unknownWorkspace();
        return (await changeName(trx, { before, name, now: now(), meta })) ?? before;
      }),

    /** By its id, or by its slug. */
    find: (which: string) => findWorkspace(db.kysely, which),
    list: (query: WorkspaceQuery) => listWorkspaces(db.kysely, query),
    /** Everything that a person is a member of, by name. */
    membershipsOf: (userId: string) => membershipsOf(db.kysely, userId),
    membership: (member: MemberKey) => findMembership(db.kysely, member),
    member: (member: MemberKey) => findMember(db.kysely, member),
    members: (query: MemberQuery) => listMembers(db.kysely, query),
  };
}
