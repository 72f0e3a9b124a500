import { z } from 'zod';
import { pageOf, paging, plain, reason, route, search, time, version } from './route.ts';

/** A client_id in a path, percent-encoded: that of a client with a metadata document is a URL. */
const byId = z.strictObject({ id: z.string().regex(/^[\x21-\x7e]{1,2048}$/) });

const kind = z
  .enum(['preregistered', 'dcr', 'cimd'])
  .describe(
    '`preregistered`: made by an operator. `dcr`: registered by itself (RFC 7591). `cimd`: known by its metadata document, whose URL is its client_id',
  );
const status = z.enum(['active', 'suspended']);
const method = z.enum(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']);
const scope = z.string().min(1).max(4000).describe('Ceiling of its scopes, space-separated');
const resources = z
  .array(z.string().min(1).max(2048))
  .max(200)
  .describe('URIs of the resources that it may ask for');
const keySet = z.looseObject({ keys: z.array(z.record(z.string(), z.unknown())).max(10) });

/** A client as a list shows it. */
export const client = z.strictObject({
  id: z.string().describe('The client_id; percent-encode it in paths'),
  client_id: z.string(),
  client_name: z.string().nullable().describe('What it calls itself, which proves nothing'),
  kind,
  trust: z
    .enum(['operator', 'verified_host', 'self_registered'])
    .describe('How it is known: by an operator, by the host of its document, or by its own word'),
  status,
  source: z
    .enum(['config', 'admin', 'cli', 'registration', 'document'])
    .describe('`config`: declared in the configuration, which is where it is edited'),
  redirect_uris: z.array(z.string()),
  redirect_hosts: z.array(z.string()).describe('Where answers may go'),
  grant_types: z.array(z.string()),
  token_endpoint_auth_method: method,
  scope: scope.nullable().describe('Ceiling of its scopes; null means all'),
  resources: resources.nullable().describe('What it may ask for; null means every resource'),
  rules: z.array(z.string()).describe('Compatibility rules that were applied to its metadata'),
  document_host: z.string().nullable().describe('Host of its metadata document'),
  document_fetched_at: time.nullable(),
  document_expires_at: time.nullable().describe('When the document is fetched again'),
  grants: z.int().describe('Grants that were not withdrawn; 1,000 at most are counted'),
  created_at: time,
  updated_at: time,
  last_used_at: time.nullable(),
  version,
});

const change = z.strictObject({ field: z.string(), from: z.unknown(), to: z.unknown() });

/** A client with everything that is known of it; never a secret. */
const clientDetail = client.extend({
  client_uri: z.string().nullable(),
  logo_uri: z.string().nullable(),
  tos_uri: z.string().nullable(),
  policy_uri: z.string().nullable(),
  contacts: z.array(z.string()),
  software_id: z.string().nullable(),
  software_version: z.string().nullable(),
  application_type: z.enum(['web', 'native']),
  response_types: z.array(z.string()),
  jwks: keySet.nullable().describe('Public keys'),
  jwks_uri: z.string().nullable(),
  dpop_bound_access_tokens: z.boolean(),
  require_pushed_authorization_requests: z.boolean(),
  has_secret: z.boolean(),
  old_secret_until: time
    .nullable()
    .describe('Until when the secret before the newest is accepted too'),
  resource_server_of: z
    .array(z.string())
    .describe('URIs of the resources that this client is the server of'),
  document_changes: z
    .array(z.strictObject({ at: time, changes: z.array(change) }))
    .describe('What changed in its metadata document, newest first; 20 at most'),
});

const text = (longest: number) => z.string().min(1).max(longest);
const members = {
  client_name: text(500),
  redirect_uris: z.array(text(2048)).max(20),
  grant_types: z.array(text(200)).max(20),
  token_endpoint_auth_method: method,
  application_type: z.enum(['web', 'native']),
  scope,
  resources,
  jwks: keySet,
  jwks_uri: text(2048),
  dpop_bound_access_tokens: z.boolean(),
  require_pushed_authorization_requests: z.boolean(),
  client_uri: text(2048),
  logo_uri: text(2048),
  tos_uri: text(2048),
  policy_uri: text(2048),
  contacts: z.array(text(254)).max(10),
  software_id: text(200),
  software_version: text(200),
};

const newClient = z.strictObject({
  client_id: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/)
    .optional()
    .describe('One is made up unless given'),
  ...z.object(members).partial().shape,
});

/** Null takes a member away; one that is left out stays. */
const changedClient = z.strictObject({
  ...z.object(members).partial().shape,
  client_name: members.client_name.nullable().optional(),
  scope: scope.nullable().optional(),
  resources: resources.nullable().optional(),
  jwks: keySet.nullable().optional(),
  jwks_uri: members.jwks_uri.nullable().optional(),
  client_uri: members.client_uri.nullable().optional(),
  logo_uri: members.logo_uri.nullable().optional(),
  tos_uri: members.tos_uri.nullable().optional(),
  policy_uri: members.policy_uri.nullable().optional(),
  software_id: members.software_id.nullable().optional(),
  software_version: members.software_version.nullable().optional(),
});

const madeClient = clientDetail.extend({
  client_secret: z.string().optional().describe('In this answer only'),
});

const newSecret = z.strictObject({
  client_id: z.string(),
  client_secret: z.string().describe('In this answer only'),
  old_secret_until: time.nullable(),
});

const ended = z.strictObject({
  id: z.string(),
  grants: z.int().describe('Grants that were withdrawn just now'),
  authorizations: z.int().describe('Authorizations (token families) that ended just now'),
});

/** Clients: the programs that ask for tokens. */
export const clients = {
  list: route({
    ...plain,
    name: 'clients.list',
    method: 'GET',
    path: '/admin/api/clients',
    permission: 'viewer',
    summary: 'List clients, newest first',
    query: z.strictObject({
      ...paging,
      ...search('client_id, client_name, redirect host or document host'),
      sort: z
        .enum(['-created_at', 'created_at', '-last_used_at'])
        .default('-created_at')
        .describe('By last use, those that were never used come last'),
      kind: kind.optional(),
      status: status.optional(),
      host: z
        .string()
        .min(1)
        .max(300)
        .optional()
        .describe('Of a redirect URI (without port on this computer) or of the document'),
    }),
    answer: pageOf(client),
  }),
  get: route({
    ...plain,
    name: 'clients.get',
    method: 'GET',
    path: '/admin/api/clients/{id}',
    permission: 'viewer',
    summary: 'One client, with the changes of its document',
    params: byId,
    answer: clientDetail,
  }),
  create: route({
    ...plain,
    name: 'clients.create',
    method: 'POST',
    path: '/admin/api/clients',
    permission: 'operator',
    summary: 'Make a client; its secret, if its method needs one, is shown this once',
    body: newClient,
    answer: madeClient,
    status: 201,
  }),
  update: route({
    ...plain,
    name: 'clients.update',
    method: 'PATCH',
    path: '/admin/api/clients/{id}',
    permission: 'operator',
    summary:
      'Change a client; of one that registered itself or has a document only `scope` and `resources`, of one that the configuration declares nothing',
    conditional: true,
    params: byId,
    body: changedClient,
    answer: clientDetail,
  }),
  rotateSecret: route({
    ...plain,
    name: 'clients.rotate-secret',
    method: 'POST',
    path: '/admin/api/clients/{id}/rotate-secret',
    permission: 'operator',
    summary: 'Give a client a new secret, shown this once; the old one is good for another day',
    params: byId,
    body: z.strictObject({
      old_secret: z
        .enum(['overlap', 'end'])
        .default('overlap')
        .describe('`end`: the old secret ends at once'),
    }),
    answer: newSecret,
  }),
  suspend: route({
    ...plain,
    name: 'clients.suspend',
    method: 'POST',
    path: '/admin/api/clients/{id}/suspend',
    permission: 'operator',
    summary: 'Refuse a client until it is resumed; none of its tokens is active meanwhile',
    params: byId,
    body: reason,
    answer: clientDetail,
  }),
  resume: route({
    ...plain,
    name: 'clients.resume',
    method: 'POST',
    path: '/admin/api/clients/{id}/resume',
    permission: 'operator',
    summary: 'Let a suspended client ask for tokens again',
    params: byId,
    body: reason,
    answer: clientDetail,
  }),
  revoke: route({
    ...plain,
    name: 'clients.revoke',
    method: 'POST',
    path: '/admin/api/clients/{id}/revoke',
    permission: 'operator',
    summary: 'Withdraw every grant of a client and end all of its tokens; the client stays',
    params: byId,
    body: reason,
    answer: ended,
  }),
  remove: route({
    ...plain,
    name: 'clients.delete',
    method: 'DELETE',
    path: '/admin/api/clients/{id}',
    permission: 'operator',
    summary:
      'Remove a client with all of its grants and tokens. One that the configuration still declares is made again at the next start',
    conditional: true,
    params: byId,
    query: reason,
    answer: ended,
  }),
  initialAccessToken: route({
    ...plain,
    name: 'clients.initial-access-token',
    method: 'POST',
    path: '/admin/api/clients/initial-access-tokens',
    permission: 'operator',
    summary:
      'Make a token that registers one client, for `dcr.mode: initial_access_token`; shown this once',
    body: z.strictObject({
      expires_in: z
        .int()
        .min(1)
        .max(365 * 86_400)
        .default(86_400)
        .describe('Seconds'),
    }),
    answer: z.strictObject({
      initial_access_token: z.string().describe('In this answer only'),
      expires_at: time,
      dcr_mode: z.string().describe('`dcr.mode`: only `initial_access_token` asks for it'),
    }),
    status: 201,
  }),
};

export const clientSchemas = {
  Client: client,
  ClientDetail: clientDetail,
  MadeClient: madeClient,
};
