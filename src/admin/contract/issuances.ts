import { z } from 'zod';
import { byId, exact, pageOf, paging, plain, route, search, time } from './route.ts';

const status = z
  .enum(['active', 'used', 'expired', 'revoked'])
  .describe(
    '`revoked`: it or something that it hangs on has ended, its client is suspended or its person disabled. `used`: a refresh token that was exchanged for its successor.',
  );

const kind = z.enum([
  'access_token',
  'refresh_token',
  'personal_access_token',
  'workspace_credential',
]);

/** The record of one issued token. */
export const issuance = z.strictObject({
  id: z.string().describe('The `jti`; of an opaque token the hash of its value'),
  jti: z.string(),
  kind: z
    .string()
    .describe('`access_token`, `refresh_token`, `personal_access_token` or `workspace_credential`'),
  grant_type: z.string().describe('What bought it'),
  status,
  sub: z.string(),
  username: z.string().nullable().describe('E-mail address of the person; null for a machine'),
  client_id: z
    .string()
    .nullable()
    .describe('Null for a personal access token and a workspace credential'),
  resource: z.string(),
  scope: z.string(),
  token_type: z.string().describe('`Bearer` or `DPoP`'),
  jkt: z.string().nullable().describe('Thumbprint of the DPoP key that it is bound to'),
  workspace_id: z.string().nullable(),
  family_id: z.string().nullable().describe('The authorization that it belongs to'),
  grant_id: z.string().nullable(),
  parent: z
    .string()
    .nullable()
    .describe('The token that it was exchanged from, or the refresh token that bought it'),
  root: z.string().nullable().describe('The first token of its chain, or its authorization'),
  issued_at: time,
  expires_at: time.nullable().describe('Null for a workspace credential, which never does'),
  revoked_at: time.nullable(),
});

const issuanceWithLineage = issuance.extend({
  parents: z.array(issuance).describe('What it came from, nearest first; 32 at most'),
  children: z.int().describe('How many tokens came from it directly; 1,000 at most are counted'),
});

export const revoked = z.strictObject({
  revoked: z.array(z.string()).describe('`jti` of every token that ended just now'),
});

/** Everything that was issued, and the action that takes it back. */
export const issuances = {
  list: route({
    ...plain,
    name: 'issuances.list',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/issuances',
    permission: 'viewer',
    summary: 'List what was issued, newest first',
    query: z.strictObject({
      ...paging,
      ...search('jti, sub, client_id or e-mail address'),
      sort: z.enum(['-issued_at', 'issued_at']).default('-issued_at'),
      sub: exact,
      client_id: exact,
      resource: exact,
      grant_type: exact,
      kind: kind.optional(),
      status: status.optional(),
      parent: exact.describe('`jti` of the token that they came from'),
    }),
    answer: pageOf(issuance),
  }),
  get: route({
    ...plain,
    name: 'issuances.get',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/issuances/{id}',
    permission: 'viewer',
    summary: 'One issued token with its lineage',
    params: byId,
    answer: issuanceWithLineage,
  }),
  revoke: route({
    ...plain,
    name: 'issuances.revoke',
    method: 'POST',
    path: '/admin/api/issuances/{id}/revoke',
    permission: 'operator',
    summary: 'End a token and everything that was exchanged from it, at any depth',
    params: byId,
    body: z.strictObject({
      extent: z
        .enum(['token', 'authorization'])
        .default('token')
        .describe(
          '`authorization` ends with it the whole authorization that it belongs to, refresh tokens too. A refresh token always ends its authorization.',
        ),
    }),
    answer: revoked,
  }),
};

export const issuanceSchemas = { Issuance: issuance, IssuanceWithLineage: issuanceWithLineage };
