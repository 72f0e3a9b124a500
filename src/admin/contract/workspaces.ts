import { z } from 'zod';
import { byId, pageOf, paging, plain, route, search, time } from './route.ts';

const role = z.enum(['member', 'admin']);
const source = z.enum(['config', 'admin', 'cli']).describe('Who made it');
const name = z.string().min(1).max(1000);

/** What several people share, and what tokens of workspace-scoped resources are granted for. */
export const workspace = z.strictObject({
  id: z.string().describe('A UUID: `workspace_id` of tokens'),
  slug: z.string(),
  name: z.string(),
  source,
  created_at: time,
  updated_at: time,
});

/** A person in a workspace. */
export const workspaceMember = z.strictObject({
  id: z.string().describe('Id of the person'),
  workspace_id: z.string(),
  email: z.string(),
  name: z.string().nullable(),
  role,
  source,
  created_at: time.describe('Since when'),
});

/** A one-time link with which somebody becomes a member; its token is answered once, when it is made. */
export const workspaceInvitation = z.strictObject({
  id: z.string(),
  workspace_id: z.string(),
  email: z.string().describe('It works for the account with this address alone'),
  role,
  source: z.enum(['account', 'admin', 'cli']).describe('`account`: by an admin of the workspace'),
  invited_by: z.string().nullable().describe('E-mail address of who made it; null for a program'),
  created_at: time,
  expires_at: time,
});

const newInvitation = workspaceInvitation.extend({
  url: z.string().describe('The link, this once. There is no mail: give it to the person'),
});

const byMember = byId.extend({ user_id: byId.shape.id });

/** Workspaces and their members. */
export const workspaces = {
  list: route({
    ...plain,
    name: 'workspaces.list',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/workspaces',
    permission: 'viewer',
    summary: 'List workspaces, newest first',
    query: z.strictObject({
      ...paging,
      ...search('id, slug or name'),
      sort: z.enum(['-created_at', 'created_at']).default('-created_at'),
      source: source.optional(),
    }),
    answer: pageOf(workspace),
  }),
  get: route({
    ...plain,
    name: 'workspaces.get',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/workspaces/{id}',
    permission: 'viewer',
    summary: 'One workspace',
    params: byId,
    answer: workspace,
  }),
  create: route({
    ...plain,
    name: 'workspaces.create',
    method: 'POST',
    path: '/admin/api/workspaces',
    permission: 'operator',
    summary: 'Make a workspace; it has no members yet',
    body: z.strictObject({
      slug: z
        .string()
        .min(1)
        .max(200)
        .describe('Up to 64 lower-case letters, digits and inner hyphens; it never changes'),
      name: name.optional().describe('Default: the slug'),
    }),
    answer: workspace,
    status: 201,
  }),
  update: route({
    ...plain,
    name: 'workspaces.update',
    method: 'PATCH',
    path: '/admin/api/workspaces/{id}',
    permission: 'operator',
    summary: 'Rename a workspace',
    params: byId,
    body: z.strictObject({ name }),
    answer: workspace,
  }),
  members: route({
    ...plain,
    name: 'workspaces.members',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/workspaces/{id}/members',
    permission: 'viewer',
    summary: 'List the members of a workspace, the latest first',
    params: byId,
    query: z.strictObject({
      ...paging,
      ...search('user id, e-mail address or name'),
      sort: z.enum(['-created_at', 'created_at']).default('-created_at'),
      role: role.optional(),
    }),
    answer: pageOf(workspaceMember),
  }),
  addMember: route({
    ...plain,
    name: 'workspaces.addMember',
    method: 'POST',
    path: '/admin/api/workspaces/{id}/members',
    permission: 'operator',
    summary: 'Make somebody a member',
    params: byId,
    body: z.strictObject({
      user_id: z.string().min(1).max(200).optional().describe('Id of the person, or `email`'),
      email: z.string().min(1).max(1000).optional(),
      role: role.default('member'),
    }),
    answer: workspaceMember,
    status: 201,
  }),
  changeMember: route({
    ...plain,
    name: 'workspaces.changeMember',
    method: 'PATCH',
    path: '/admin/api/workspaces/{id}/members/{user_id}',
    permission: 'operator',
    summary: 'Change the role of a member',
    params: byMember,
    body: z.strictObject({ role }),
    answer: workspaceMember,
  }),
  removeMember: route({
    ...plain,
    name: 'workspaces.removeMember',
    method: 'DELETE',
    path: '/admin/api/workspaces/{id}/members/{user_id}',
    permission: 'operator',
    summary: 'Remove a member; every grant and token of theirs for this workspace ends',
    params: byMember,
    answer: workspaceMember.describe('As it was'),
  }),
  invitations: route({
    ...plain,
    name: 'workspaces.invitations',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/workspaces/{id}/invitations',
    permission: 'viewer',
    summary: 'List the invitations that still work, the latest first',
    params: byId,
    query: z.strictObject({ ...paging }),
    answer: pageOf(workspaceInvitation),
  }),
  invite: route({
    ...plain,
    name: 'workspaces.invite',
    method: 'POST',
    path: '/admin/api/workspaces/{id}/invitations',
    permission: 'operator',
    summary: 'Make a one-time link, good for seven days, with which somebody becomes a member',
    params: byId,
    body: z.strictObject({ email: z.string().min(1).max(1000), role: role.default('member') }),
    answer: newInvitation,
    status: 201,
  }),
  revokeInvitation: route({
    ...plain,
    name: 'workspaces.revokeInvitation',
    method: 'DELETE',
    path: '/admin/api/workspaces/{id}/invitations/{invitation_id}',
    permission: 'operator',
    summary: 'Take an invitation back; its link does not work any more',
    params: byId.extend({ invitation_id: byId.shape.id }),
    answer: workspaceInvitation.describe('As it was'),
  }),
};

export const workspaceSchemas = {
  Workspace: workspace,
  WorkspaceMember: workspaceMember,
  WorkspaceInvitation: workspaceInvitation,
};
