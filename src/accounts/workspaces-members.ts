import type { Kysely } from 'kysely';
import { recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import { emailKey } from './policy.ts';
import { findUser, findUserByEmailKey } from './queries.ts';
import { actorOf, type ChangeMeta } from './user.ts';
import { endInvitationsFor, endInvitationsOf } from './workspaces-invitations-ending.ts';
import {
  deleteMember,
  findMember,
  insertMember,
  type MemberKey,
  updateMemberRole,
} from './workspaces-members-queries.ts';
import {
  type Member,
  notAMember,
  unknownWorkspace,
  WorkspaceRefusal,
  type WorkspaceRole,
  type WorkspaceSource,
} from './workspaces-policy.ts';
import { findWorkspace } from './workspaces-queries.ts';

export interface MembersDeps {
  db: Database;
  now: () => Date;
  /**
   * Ends everything that a person granted for a workspace and every token of theirs for it, inside the given
   * transaction; the rooms that own those tables give it.
   *
   * @returns how many grants ended
   */
  endTokensOfMember: (trx: Kysely<Tables>, member: MemberKey, now: Date) => Promise<number>;
}

/** A person, by either name. */
export type Who = { id: string } | { email: string };

export type NewMember = MemberKey & { role: WorkspaceRole; source: WorkspaceSource };

/** Who is in a workspace. Each change is one transaction together with its audit event. */
export function createMembers(deps: MembersDeps) {
  const { db } = deps;
  const transaction = <T>(work: (trx: Kysely<Tables>) => Promise<T>) =>
    db.kysely.transaction().execute(work);

  return {
    /** @throws WorkspaceRefusal for nobody, and when they are a member already */
    addMember: (
      { who, ...rest }: Omit<NewMember, 'userId'> & { who: Who },
      meta: ChangeMeta,
    ): Promise<Member> =>
      transaction(async (trx) => {
        if (!(await findWorkspace(trx, rest.workspaceId))) throw unknownWorkspace();
        const member = { ...rest, userId: await idOf(trx, who) };
        if (await add(deps, trx, member, meta)) return found(await findMember(trx, member));
        throw new WorkspaceRefusal('member', 'This person is a member already.', 409);
      }),

    /** @throws WorkspaceRefusal for who is no member */
    setRole: (member: MemberKey & { role: WorkspaceRole }, meta: ChangeMeta): Promise<Member> =>
      transaction(async (trx) => {
        await changeRole(trx, member, meta);
        return found(await findMember(trx, member));
      }),

    /**
     * What they granted for this workspace ends with the membership, and every token: on every replica, and
     * for good. Coming back, they are asked again.
     *
     * @returns what they were
     * @throws WorkspaceRefusal for who is no member
     */
    removeMember: (member: MemberKey, meta: ChangeMeta): Promise<Member> =>
      transaction(async (trx) => {
        const before = found(await findMember(trx, member));
        if (await remove(deps, trx, member, meta)) return before;
        throw notAMember();
      }),
  };
}

async function idOf(trx: Kysely<Tables>, who: Who): Promise<string> {
  const user =
    'id' in who ? await findUser(trx, who.id) : await findUserByEmailKey(trx, emailKey(who.email));
  if (user) return user.id;
  throw new WorkspaceRefusal('member', 'There is nobody here with this id or e-mail address.');
}

function found(member: Member | undefined): Member {
  if (!member) throw notAMember();
  return member;
}

/** @returns false when they are a member already */
export async function add(
  { now }: Pick<MembersDeps, 'now'>,
  trx: Kysely<Tables>,
  { workspaceId, userId, role, source }: NewMember,
  meta: ChangeMeta,
): Promise<boolean> {
  const row = { workspace_id: workspaceId, user_id: userId, role, source, created_at: now() };
  if (!(await insertMember(trx, row))) return false;
  const detail = { workspace_id: workspaceId, role, source };
  const event = { actor: actorOf(meta), userId, detail };
  await recordAudit(trx, { type: 'workspace_member_added', ...event }, meta);
  return true;
}

/** @returns whether anything changed */
export async function changeRole(
  trx: Kysely<Tables>,
  { workspaceId, userId, role }: MemberKey & { role: WorkspaceRole },
  meta: ChangeMeta,
): Promise<boolean> {
  if (!(await updateMemberRole(trx, { workspaceId, userId, role }))) return false;
  if (role !== 'admin') await endInvitationsOf(trx, { workspaceId, userId, now: meta.at });
  const from = role === 'admin' ? 'member' : 'admin';
  const detail = { workspace_id: workspaceId, changes: [{ field: 'role', from, to: role }] };
  const event = { actor: actorOf(meta), userId, detail };
  await recordAudit(trx, { type: 'workspace_member_changed', ...event }, meta);
  return true;
}

/**
 * Invitations for them first, as where one is used, so that neither waits for the other; then the membership,
 * which is what everybody locks who grants anything for it.
 *
 * @returns whether there was one
 */
export async function remove(
  { now, endTokensOfMember }: Omit<MembersDeps, 'db'>,
  trx: Kysely<Tables>,
  member: MemberKey,
  meta: ChangeMeta,
): Promise<boolean> {
  await endInvitationsFor(trx, { ...member, now: now() });
  const was = await deleteMember(trx, member);
  if (!was) return false;
  await endInvitationsOf(trx, { ...member, now: now() });
  const grants = await endTokensOfMember(trx, member, now());
  const { workspaceId, userId } = member;
  const detail = { workspace_id: workspaceId, role: was.role, grants };
  const event = { actor: actorOf(meta), userId, detail };
  await recordAudit(trx, { type: 'workspace_member_removed', ...event }, meta);
  return true;
}
