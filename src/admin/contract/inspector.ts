import { z } from 'zod';
import { plain, route, time } from './route.ts';

export const inspectionCheck = z.strictObject({
  id: z.enum(['shape', 'signature', 'typ', 'issuer', 'expiry', 'not_before', 'record', 'audience']),
  passed: z.boolean().nullable().describe('Null where it could not be asked'),
  detail: z.string(),
});

export const inspectionClaim = z.strictObject({
  name: z.string(),
  value: z.json(),
  shown: z
    .string()
    .nullable()
    .describe('The value in words, such as a time or the name of a client'),
  meaning: z.string().describe('What the claim says, in words'),
});

export const inspectionReason = z.strictObject({
  id: z.enum([
    'expired',
    'not_yet_valid',
    'used',
    'revoked',
    'authorization_ended',
    'grant_revoked',
    'client_suspended',
    'client_gone',
    'person_disabled',
    'person_gone',
    'parent_ended',
    'resource_gone',
    'scope_gone',
    'bad_signature',
    'unknown_key',
    'other_issuer',
    'other_type',
    'unknown',
  ]),
  detail: z.string(),
  at: time.nullable(),
  link: z.string().nullable().describe('Where in the console: a path below `/admin/ui`'),
});

export const inspection = z.strictObject({
  kind: z
    .enum([
      'access_token',
      'refresh_token',
      'personal_access_token',
      'workspace_credential',
      'id_token',
      'foreign_jwt',
      'encrypted_jwt',
      'claims',
      'unknown',
    ])
    .describe('`claims`: pasted JSON, which nobody vouches for'),
  format: z.enum(['jwt', 'opaque', 'json', 'none']),
  verdict: z.enum(['active', 'inactive', 'not_ours', 'unreadable']),
  summary: z.string().describe('One sentence'),
  checks: z.array(inspectionCheck),
  reasons: z.array(inspectionReason).describe('Why it is not active; all that apply'),
  header: z.record(z.string(), z.json()).nullable(),
  claims: z
    .array(inspectionClaim)
    .describe('What it says itself, or what introspection would say of it'),
  issuance_id: z.string().nullable().describe('Row of `/admin/api/issuances`'),
  grant_id: z.string().nullable(),
  flow_id: z.string().nullable().describe('Trace of the authorization that it came from'),
  client: z.strictObject({ id: z.string(), name: z.string().nullable() }).nullable(),
  person: z.strictObject({ id: z.string(), username: z.string().nullable() }).nullable(),
  resource: z.string().nullable(),
});

/** Explains a token. It is not kept, not logged and not answered; it stays as alive as it was. */
export const inspector = {
  inspect: route({
    ...plain,
    name: 'inspector.inspect',
    method: 'POST',
    path: '/admin/api/inspector',
    permission: 'viewer',
    summary: 'Explain a token, or claims, and find its issuance',
    body: z.strictObject({
      token: z
        .string()
        .min(1)
        .max(100_000)
        .optional()
        .describe(
          'The token, or its claims as JSON; `Bearer ` and white space around it are ignored',
        ),
      claims: z.record(z.string(), z.json()).optional().describe('Instead of `token`'),
    }),
    answer: inspection,
  }),
};

export const inspectorSchemas = { Inspection: inspection };
