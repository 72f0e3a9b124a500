import { z } from 'zod';
import { byId, exact, pageOf, paging, plain, route, time } from './route.ts';

const status = z.enum(['active', 'expired', 'revoked']);

/** A personal access token; never its value. */
export const personalToken = z.strictObject({
  id: z.string().describe('`jti` of its issuance: the hash of its value, which is no secret'),
  sub: z.string().describe('Whose it is'),
  username: z.string().describe('E-mail address of the person'),
  name: z.string(),
  resource: z.string(),
  workspace_id: z.string().nullable().describe('Null where the resource is not workspace-scoped'),
  scope: z.string(),
  status,
  created_at: time,
  expires_at: time,
  revoked_at: time.nullable(),
  last_used_at: time.nullable().describe('To the minute'),
  last_used_from: z.string().nullable().describe('Address of who asked about it or exchanged it'),
});

const newPersonalToken = personalToken.extend({
  token: z.string().describe('Its value, in this answer only'),
});

/** Personal access tokens. */
export const tokens = {
  list: route({
    ...plain,
    name: 'tokens.list',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/tokens',
    permission: 'viewer',
    summary: 'List personal access tokens, newest first',
    query: z.strictObject({
      ...paging,
      sort: z.enum(['-created_at']).default('-created_at'),
      sub: exact,
      status: status.optional(),
    }),
    answer: pageOf(personalToken),
  }),
  get: route({
    ...plain,
    name: 'tokens.get',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/tokens/{id}',
    permission: 'viewer',
    summary: 'One personal access token',
    params: byId,
    answer: personalToken,
  }),
  create: route({
    ...plain,
    name: 'tokens.create',
    method: 'POST',
    path: '/admin/api/tokens',
    permission: 'owner',
    summary: 'Make a personal access token for somebody; its value is shown this once',
    body: z.strictObject({
      sub: z.string().min(1).max(200).describe('Id of the person'),
      name: z.string().min(1).max(1000),
      resource: z.string().min(1).max(2048),
      scope: z
        .string()
        .min(1)
        .max(8192)
        .describe('Space-separated, within what the person may use'),
      workspace_id: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('Where the resource is workspace-scoped: one that the person is a member of'),
      expires_in: z
        .int()
        .min(1)
        .optional()
        .describe('Seconds; 90 days by default, `tokens.personal_access_max_ttl` at most'),
    }),
    answer: newPersonalToken,
    status: 201,
  }),
  revoke: route({
    ...plain,
    name: 'tokens.revoke',
    method: 'POST',
    path: '/admin/api/tokens/{id}/revoke',
    permission: 'operator',
    summary: 'End a personal access token and everything that was exchanged from it',
    params: byId,
    answer: personalToken,
  }),
  mint: route({
    ...plain,
    name: 'tokens.mint',
    method: 'POST',
    path: '/admin/api/tokens/mint',
    permission: 'owner',
    summary:
      'Make a short-lived access token to try a resource server with, without sign-in and consent',
    body: z.strictObject({
      client_id: z.string().min(1).max(2048).optional().describe('To whom it is issued'),
      sub: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('Id of the person that it speaks for; without one it speaks for the client'),
      resource: z.string().min(1).max(2048),
      scope: z.string().min(1).max(8192).describe('Space-separated; all of them or none'),
      workspace_id: z.string().min(1).max(200).optional(),
      expires_in: z
        .int()
        .min(1)
        .optional()
        .describe('Seconds; what access tokens of the resource live by default and at most'),
    }),
    answer: z.strictObject({
      access_token: z.string().describe('Its value, in this answer only'),
      jti: z.string(),
      scope: z.string(),
      expires_at: time,
    }),
    status: 201,
  }),
};

export const tokenSchemas = { Token: personalToken, NewToken: newPersonalToken };
