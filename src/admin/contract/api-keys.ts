import { z } from 'zod';
import { byId, pageOf, paging, plain, route, search, time } from './route.ts';

const role = z.enum(['viewer', 'operator', 'owner']);
const status = z.enum(['active', 'expired', 'revoked']);

/** A key for a program that calls this API; never its value. */
export const apiKey = z.strictObject({
  id: z.string().describe('`key_…`'),
  name: z.string(),
  prefix: z.string().describe('How its value begins, to recognise it'),
  role,
  status,
  created_by: z.string().nullable().describe('Id of the person or key that made it'),
  created_at: time,
  expires_at: time.nullable(),
  last_used_at: time.nullable().describe('To the minute'),
  last_used_from: z.string().nullable().describe('Address'),
  revoked_at: time.nullable(),
});

const newApiKey = apiKey.extend({ key: z.string().describe('Its value, in this answer only') });

/** Keys for programs, each bound to a role. */
export const apiKeys = {
  list: route({
    ...plain,
    name: 'api-keys.list',
    method: 'GET',
    path: '/admin/api/api-keys',
    permission: 'viewer',
    summary: 'List API keys, newest first',
    query: z.strictObject({
      ...paging,
      ...search('id, name or value’s beginning'),
      sort: z.enum(['-created_at', 'created_at']).default('-created_at'),
      role: role.optional(),
      status: status.optional(),
    }),
    answer: pageOf(apiKey),
  }),
  get: route({
    ...plain,
    name: 'api-keys.get',
    method: 'GET',
    path: '/admin/api/api-keys/{id}',
    permission: 'viewer',
    summary: 'One API key',
    params: byId,
    answer: apiKey,
  }),
  create: route({
    ...plain,
    name: 'api-keys.create',
    method: 'POST',
    path: '/admin/api/api-keys',
    permission: 'owner',
    summary: 'Make an API key; its value is shown this once',
    body: z.strictObject({
      name: z.string().min(1).max(200),
      role,
      expires_in: z
        .int()
        .min(60)
        .max(10 * 365 * 86_400)
        .optional()
        .describe('Seconds; without it the key lives until it is revoked'),
    }),
    answer: newApiKey,
    status: 201,
  }),
  revoke: route({
    ...plain,
    name: 'api-keys.revoke',
    method: 'POST',
    path: '/admin/api/api-keys/{id}/revoke',
    permission: 'owner',
    summary: 'End an API key at once',
    params: byId,
    answer: apiKey,
  }),
};

export const apiKeySchemas = { ApiKey: apiKey, NewApiKey: newApiKey };
