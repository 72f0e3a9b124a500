import { z } from 'zod';
import { plain, route, time } from './route.ts';

/** Who calls, and what they may: what a console asks first. */
export const currentSession = z.strictObject({
  kind: z
    .enum(['session', 'api_key', 'admin_key', 'local_key'])
    .describe(
      'How they came in: signed in, with an API key, with `admin.api_key`, with the key in the data directory',
    ),
  user: z
    .strictObject({ id: z.string(), email: z.string(), name: z.string().nullable() })
    .nullable()
    .describe('Null for a key'),
  role: z
    .enum(['viewer', 'operator', 'owner', 'workspace'])
    .describe('`workspace`: no role on this server, but admin of the workspaces listed'),
  workspaces: z
    .array(z.strictObject({ id: z.string(), slug: z.string(), name: z.string() }))
    .describe('Of which they are an admin; with the role `workspace` they see only these'),
  csrf: z
    .string()
    .nullable()
    .describe('To be sent as `X-CSRF-Token` with every call by cookie that is not GET'),
  expires_at: time.nullable().describe('When the session ends if nothing is done'),
  ends_at: time.nullable().describe('When the session ends whatever is done'),
});

/** The session of whoever calls. */
export const session = {
  get: route({
    ...plain,
    name: 'session.get',
    method: 'GET',
    path: '/admin/api/session',
    permission: 'viewer',
    workspaceAdmin: true,
    summary: 'Who calls, and what they may',
    answer: currentSession,
  }),
  end: route({
    ...plain,
    name: 'session.end',
    method: 'DELETE',
    path: '/admin/api/session',
    permission: 'viewer',
    workspaceAdmin: true,
    summary: 'Sign out of the administration in this browser',
    answer: z.strictObject({ signed_out: z.boolean().describe('False for a key, which has none') }),
  }),
};

export const sessionSchemas = { Session: currentSession };
