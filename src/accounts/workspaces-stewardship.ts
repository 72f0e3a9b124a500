import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';
import type { ChangeMeta } from './user.ts';
import { changeRole, type MembersDeps, remove } from './workspaces-members.ts';
import type { MemberKey } from './workspaces-members-queries.ts';
import { notAMember, WorkspaceRefusal, type WorkspaceRole } from './workspaces-policy.ts';

/** A change by an admin of the workspace to one of its members, who may be that admin. */
export interface Stewardship extends MemberKey {
  /** Id of the admin. */
  by: string;
}

/**
 * What the members of a workspace do among themselves. Unlike operators, they never leave it without an admin
 * who can sign in: changes to the admins of one workspace wait for each other.
 */
export function createStewardship(deps: MembersDeps) {
  const change = (
    workspaceId: string,
    work: (trx: Kysely<Tables>, admins: Admins) => Promise<void>,
  ) =>
    deps.db.kysely
      .transaction()
      .execute(async (trx) => work(trx, await lockAdmins(trx, workspaceId)));

  async function removeOne(
    trx: Kysely<Tables>,
    { member, admins }: { member: MemberKey; admins: Admins },
    meta: ChangeMeta,
  ): Promise<void> {
    requireAnotherAdmin(admins, member.userId);
    if (!(await remove(deps, trx, member, meta))) throw notAMember();
  }

  return {
    /** @throws WorkspaceRefusal where the caller is no admin, or it would leave no admin */
    changeRoleAs: (
      { by, role, ...member }: Stewardship & { role: WorkspaceRole },
      meta: ChangeMeta,
    ): Promise<void> =>
      change(member.workspaceId, async (trx, admins) => {
        requireAdmin(admins, by);
        if (role !== 'admin') requireAnotherAdmin(admins, member.userId);
        await changeRole(trx, { ...member, role }, meta);
      }),

    /** @throws WorkspaceRefusal where the caller is no admin, or it would leave no admin */
    removeAs: ({ by, ...member }: Stewardship, meta: ChangeMeta): Promise<void> =>
      change(member.workspaceId, async (trx, admins) => {
        requireAdmin(admins, by);
        await removeOne(trx, { member, admins }, meta);
      }),

    /** @throws WorkspaceRefusal for the last admin */
    leave: (member: MemberKey, meta: ChangeMeta): Promise<void> =>
      change(member.workspaceId, (trx, admins) => removeOne(trx, { member, admins }, meta)),
  };
}

/** Ids of the admins, each with whether they can sign in. */
type Admins = ReadonlyMap<string, boolean>;

/** Nobody else takes the role from one of them before the end of the transaction. */
async function lockAdmins(trx: Kysely<Tables>, workspaceId: string): Promise<Admins> {
  const rows = await trx
    .selectFrom('workspace_members as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select(['m.user_id', 'u.status'])
    .where('m.workspace_id', '=', workspaceId)
    .where('m.role', '=', 'admin')
    .orderBy('m.user_id')
    .forUpdate('m')
    .execute();
  return new Map(rows.map(({ user_id: id, status }) => [id, status === 'active']));
}

function requireAdmin(admins: Admins, by: string): void {
  if (admins.has(by)) return;
  throw new WorkspaceRefusal('workspace', 'Only an admin of the workspace may do this.', 404);
}

function requireAnotherAdmin(admins: Admins, userId: string): void {
  if (!admins.has(userId)) return;
  if ([...admins].some(([id, isActive]) => id !== userId && isActive)) return;
  throw new WorkspaceRefusal(
    'member',
    'A workspace needs an admin. Make somebody else an admin first.',
    409,
  );
}
