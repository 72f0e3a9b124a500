import type { z } from 'zod';
import {
  type Invitation,
  type Invitations,
  invitationUrl,
  type Member,
  type Workspace,
  type Workspaces,
} from '../accounts/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { type By, sourceOf } from './caller.ts';
import { workspaces as contract } from './contract/index.ts';
import type { workspace, workspaceInvitation, workspaceMember } from './contract/workspaces.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface WorkspaceDeps {
  workspaces: Workspaces;
  accounts: { invitations: Pick<Invitations, 'list' | 'create' | 'revoke'> };
  /** As configured: never from the `Host` of a request (BF05). */
  issuer: string;
}

/** Workspaces and who is in them. */
export function workspaceRoutes(deps: WorkspaceDeps): ServedRoute[] {
  const { workspaces } = deps;
  const { invitations } = deps.accounts;
  const find = async (id: string, by: By) => {
    // Attack: an admin of one workspace who asks for another by its id.
    const isTheirs = by.workspaceIds?.includes(id) ?? true;
    const row = isTheirs ? await workspaces.find(id) : undefined;
    if (row?.id !== id) throw unknownId();
    return row;
  };
  return [
    fulfil(contract.list, async ({ query }, by) => {
      const page = await workspaces.list({ ...query, ids: by.workspaceIds });
      return { items: page.items.map(toWire), next_cursor: page.next_cursor };
    }),

    fulfil(contract.get, async ({ params: { id } }, by) => toWire(await find(id, by))),

    fulfil(contract.create, async ({ body }, by) =>
      toWire(await workspaces.create({ ...body, source: sourceOf(by) }, changedBy(by))),
    ),

    fulfil(contract.update, async ({ params: { id }, body: { name } }, by) => {
      await find(id, by);
      return toWire(await workspaces.rename(id, name, changedBy(by)));
    }),

    fulfil(contract.members, async ({ params: { id: workspaceId }, query }, by) => {
      await find(workspaceId, by);
      const page = await workspaces.members({ workspaceId, ...query });
      return { items: page.items.map(memberToWire), next_cursor: page.next_cursor };
    }),

    fulfil(contract.addMember, async ({ params: { id: workspaceId }, body }, by) => {
      await find(workspaceId, by);
      const member = { workspaceId, who: whoIn(body), role: body.role, source: sourceOf(by) };
      return memberToWire(await workspaces.addMember(member, changedBy(by)));
    }),

    fulfil(contract.changeMember, async ({ params: { id, user_id }, body: { role } }, by) => {
      await find(id, by);
      const member = { workspaceId: id, userId: user_id, role };
      return memberToWire(await workspaces.setRole(member, changedBy(by)));
    }),

    fulfil(contract.removeMember, async ({ params: { id, user_id } }, by) => {
      await find(id, by);
      const member = { workspaceId: id, userId: user_id };
      return memberToWire(await workspaces.removeMember(member, changedBy(by)));
    }),

    fulfil(contract.invitations, async ({ params: { id: workspaceId }, query }, by) => {
      await find(workspaceId, by);
      const page = await invitations.list({ workspaceId, ...query });
      return { items: page.items.map(invitationToWire), next_cursor: page.next_cursor };
    }),

    fulfil(contract.invite, async ({ params: { id: workspaceId }, body }, by) => {
      await find(workspaceId, by);
      const asked = { workspaceId, ...body, source: sourceOf(by) };
      const { token, invitation } = await invitations.create(asked, changedBy(by));
      return { ...invitationToWire(invitation), url: invitationUrl(deps.issuer, token) };
    }),

    fulfil(contract.revokeInvitation, async ({ params }, by) => {
      await find(params.id, by);
      const key = { workspaceId: params.id, id: params.invitation_id };
      return invitationToWire(await invitations.revoke(key, changedBy(by)));
    }),
  ];
}

function changedBy({ actor, meta }: By) {
  return { ...meta, actor };
}

function whoIn({
  user_id: id,
  email,
}: {
  user_id?: string | undefined;
  email?: string | undefined;
}) {
  if (id !== undefined && email === undefined) return { id };
  if (id === undefined && email !== undefined) return { email };
  throw new OAuthError('invalid_request', 'Send user_id or email in the body, one of them.');
}

function toWire({ createdAt, updatedAt, ...row }: Workspace): z.input<typeof workspace> {
  return { ...row, created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString() };
}

function memberToWire({
  userId,
  workspaceId,
  name,
  createdAt,
  ...row
}: Member): z.input<typeof workspaceMember> {
  return {
    ...row,
    id: userId,
    workspace_id: workspaceId,
    name: name ?? null,
    created_at: createdAt.toISOString(),
  };
}

function invitationToWire({
  workspaceId,
  invitedBy,
  createdAt,
  expiresAt,
  ...row
}: Invitation): z.input<typeof workspaceInvitation> {
  return {
    ...row,
    workspace_id: workspaceId,
    invited_by: invitedBy ?? null,
    created_at: createdAt.toISOString(),
    expires_at: expiresAt.toISOString(),
  };
}
