import { z } from 'zod';
import { byId, pageOf, paging, plain, route, time } from './route.ts';

const kind = z
  .enum(['default', 'connector'])
  .describe('`default`: the one of the workspace at its resource. `connector`: of one client');
const status = z.enum(['active', 'revoked']);
const sub = z.string().min(1).max(200);
const resource = z.string().min(1).max(2048).describe('Scoped to workspaces');

/** A workspace credential; never its value. */
export const workspaceCredential = z.strictObject({
  id: z.string().describe('The part before the dot, which is no secret'),
  jti: z.string().describe('Of its issuance: the hash of its value'),
  workspace_id: z.string(),
  kind,
  label: z.string(),
  connector: z.string().nullable().describe('What made it, such as `reconnect_link`'),
  resource: z.string(),
  sub: z.string().describe('The member whom it acts for'),
  username: z.string().describe('E-mail address of the member'),
  status,
  created_at: time,
  revoked_at: time.nullable(),
  last_used_at: time.nullable().describe('To the minute'),
  last_used_from: z.string().nullable().describe('Address of who asked about it or exchanged it'),
});

const newCredential = workspaceCredential.extend({
  credential: z.string().describe('Its value, in this answer only'),
});

const byCredential = byId.extend({ credential_id: byId.shape.id });

/** Workspace credentials: `<credential-id>.<secret>`. */
export const workspaceCredentials = {
  list: route({
    ...plain,
    name: 'workspace-credentials.list',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/workspaces/{id}/credentials',
    permission: 'viewer',
    summary: 'List the credentials of a workspace, newest first',
    params: byId,
    query: z.strictObject({
      ...paging,
      sort: z.enum(['-created_at']).default('-created_at'),
      status: status.optional(),
    }),
    answer: pageOf(workspaceCredential),
  }),
  get: route({
    ...plain,
    name: 'workspace-credentials.get',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/workspaces/{id}/credentials/{credential_id}',
    permission: 'viewer',
    summary: 'One credential of a workspace',
    params: byCredential,
    answer: workspaceCredential,
  }),
  create: route({
    ...plain,
    name: 'workspace-credentials.create',
    method: 'POST',
    path: '/admin/api/workspaces/{id}/credentials',
    permission: 'owner',
    summary: 'Make a credential for one client of a member; its value is shown this once',
    params: byId,
    body: z.strictObject({
      sub: sub.describe('Id of the member whom it acts for'),
      resource,
      label: z.string().min(1).max(1000).describe('What people see, such as the client it is for'),
    }),
    answer: newCredential,
    status: 201,
  }),
  regenerate: route({
    ...plain,
    name: 'workspace-credentials.regenerate',
    method: 'POST',
    path: '/admin/api/workspaces/{id}/credentials/regenerate',
    permission: 'owner',
    summary:
      'Make the default credential of a workspace at a resource; the one before it ends at once',
    params: byId,
    body: z.strictObject({
      sub: sub.describe('Id of the admin of the workspace whom it acts for'),
      resource,
    }),
    answer: newCredential,
    status: 201,
  }),
  revoke: route({
    ...plain,
    name: 'workspace-credentials.revoke',
    workspaceAdmin: true,
    method: 'POST',
    path: '/admin/api/workspaces/{id}/credentials/{credential_id}/revoke',
    permission: 'operator',
    summary: 'End a credential and everything that was exchanged from it',
    params: byCredential,
    answer: workspaceCredential,
  }),
};

export const workspaceCredentialSchemas = {
  WorkspaceCredential: workspaceCredential,
  NewWorkspaceCredential: newCredential,
};
