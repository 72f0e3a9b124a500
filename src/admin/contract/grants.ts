import { z } from 'zod';
import { byId, exact, pageOf, paging, plain, route, search, time, version } from './route.ts';

const status = z
  .enum(['active', 'expired', 'revoked'])
  .describe('`expired`: consent is still remembered, but no token under it is alive');

/** What a person allowed a client to do at a resource. */
export const grant = z.strictObject({
  id: z.string(),
  sub: z.string().describe('Who granted it'),
  username: z.string().nullable().describe('E-mail address of the person'),
  client_id: z.string(),
  client_name: z.string().nullable(),
  label: z.string().nullable().describe('What operators call this connection'),
  resource: z.string(),
  workspace_id: z.string().nullable().describe('Null where the resource is not workspace-scoped'),
  scope: z.string(),
  status,
  redirect_host: z.string(),
  created_at: time,
  updated_at: time,
  last_used_at: time.nullable(),
  revoked_at: time.nullable(),
  version,
});

/** The grants of one client, person or resource, counted. */
const grantGroup = z.strictObject({
  id: z.string().describe('client_id, id of the person or URI of the resource'),
  name: z
    .string()
    .nullable()
    .describe('Name of the client, e-mail address of the person or name of the resource'),
  grants: z.int().describe('Grants that were not withdrawn; 1,000 at most are counted'),
  latest_at: time.describe('When the newest of them was made'),
});

/** Grants: one row per person, client and resource. */
export const grants = {
  list: route({
    ...plain,
    name: 'grants.list',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/grants',
    permission: 'viewer',
    summary: 'List what people granted to clients, newest first',
    query: z.strictObject({
      ...paging,
      ...search('id, sub, client_id, client name or e-mail address'),
      sort: z.enum(['-created_at', 'created_at']).default('-created_at'),
      sub: exact,
      client_id: exact,
      resource: exact,
      status: status.optional(),
    }),
    answer: pageOf(grant),
  }),
  summary: route({
    ...plain,
    name: 'grants.summary',
    method: 'GET',
    path: '/admin/api/grants/summary',
    permission: 'viewer',
    summary: 'Count the grants that were not withdrawn, by client, person or resource',
    query: z.strictObject({ ...paging, by: z.enum(['client', 'user', 'resource']) }),
    answer: pageOf(grantGroup),
  }),
  get: route({
    ...plain,
    name: 'grants.get',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/grants/{id}',
    permission: 'viewer',
    summary: 'One grant',
    params: byId,
    answer: grant,
  }),
  update: route({
    ...plain,
    name: 'grants.update',
    workspaceAdmin: true,
    method: 'PATCH',
    path: '/admin/api/grants/{id}',
    permission: 'operator',
    summary: 'Label a grant, so that operators tell connections apart; null takes the label away',
    conditional: true,
    params: byId,
    body: z.strictObject({ label: z.string().min(1).max(200).nullable() }),
    answer: grant,
  }),
  revokeMany: route({
    ...plain,
    name: 'grants.revoke-many',
    workspaceAdmin: true,
    method: 'POST',
    path: '/admin/api/grants/revoke',
    permission: 'operator',
    summary:
      'Withdraw up to 200 grants and end every token under them; ids that are none are skipped',
    body: z.strictObject({ ids: z.array(byId.shape.id).min(1).max(200) }),
    answer: z.strictObject({
      revoked: z.array(z.string()).describe('Ids of those that ended just now'),
    }),
  }),
  revoke: route({
    ...plain,
    name: 'grants.revoke',
    workspaceAdmin: true,
    method: 'POST',
    path: '/admin/api/grants/{id}/revoke',
    permission: 'operator',
    summary: 'Withdraw a grant and end every token under it; the person is asked again',
    params: byId,
    answer: grant,
  }),
};

export const grantSchemas = { Grant: grant, GrantGroup: grantGroup };
