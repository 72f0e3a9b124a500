import { z } from 'zod';
import { byId, exact, pageOf, paging, plain, route, search, time } from './route.ts';

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
  resource: z.string(),
  workspace_id: z.string().nullable().describe('Null where the resource is not workspace-scoped'),
  scope: z.string(),
  status,
  redirect_host: z.string(),
  created_at: time,
  updated_at: time,
  last_used_at: time.nullable(),
  revoked_at: time.nullable(),
});

/** Grants: one row per person, client and resource. */
export const grants = {
  list: route({
    ...plain,
    name: 'grants.list',
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
  get: route({
    ...plain,
    name: 'grants.get',
    method: 'GET',
    path: '/admin/api/grants/{id}',
    permission: 'viewer',
    summary: 'One grant',
    params: byId,
    answer: grant,
  }),
  revoke: route({
    ...plain,
    name: 'grants.revoke',
    method: 'POST',
    path: '/admin/api/grants/{id}/revoke',
    permission: 'operator',
    summary: 'Withdraw a grant and end every token under it; the person is asked again',
    params: byId,
    answer: grant,
  }),
};

export const grantSchemas = { Grant: grant };
