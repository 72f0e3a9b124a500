import { z } from 'zod';
import { exact, pageOf, paging, plain, route, search, time, version } from './route.ts';

const bySlug = z.strictObject({ id: z.string().regex(/^[\w.-]{1,200}$/) });

const text = (longest: number) => z.string().min(1).max(longest);
const uri = text(2048);
const scopeName = z
  .string()
  .max(200)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'use printable ASCII without space, " and \\');
const clientIds = z.array(text(2048)).max(200);

const scope = z.strictObject({
  name: scopeName.describe('What clients ask for'),
  description: text(1000).describe('What it allows, in words for the consent page'),
  implies: z.array(scopeName).max(100).describe('Scopes that it includes'),
});

const accessRule = z.strictObject({
  users: z.array(text(320)).max(1000).describe('E-mail addresses or ids'),
  groups: z.array(text(200)).max(200),
  workspace_roles: z.array(z.enum(['member', 'admin'])),
  scopes: z.array(scopeName).min(1).max(200).describe('What they may consent to'),
});

const exchange = z.strictObject({
  clients: clientIds.describe('Who may exchange other tokens for one of this resource'),
  consent: z
    .enum(['required', 'operator'])
    .describe('The person must have consented, or the operator decides'),
  impersonation: clientIds.describe('Which of them may do so without an `act` claim'),
});

const claims = z
  .record(
    z.string().max(200),
    z.union([
      z.string(),
      z.strictObject({
        value: z.union([
          z.string(),
          z.number(),
          z.boolean(),
          z.array(z.union([z.string(), z.number(), z.boolean()])),
        ]),
      }),
      z.strictObject({ group: z.string() }),
      z.strictObject({ groups: z.array(z.string()).min(1) }),
    ]),
  )
  .describe(
    'Claims that its tokens carry beside the standard ones: name and source (docs/claims.md)',
  );

const hook = {
  url: uri.describe('Where a signed POST asks for further claims'),
  timeout: z.int().min(1).max(5).describe('Seconds'),
  on_failure: z.enum(['deny', 'skip']),
};

const settings = {
  aliases: z.array(uri).max(50).describe('Other URIs that mean the same resource'),
  display_name: text(200).describe('Name on the consent page'),
  scopes: z.array(scope).min(1).max(200),
  default_scopes: z
    .array(scopeName)
    .min(1)
    .max(200)
    .nullable()
    .describe('Scopes when a client asks for none; null means all of them'),
  token_format: z.enum(['jwt', 'opaque']),
  token_prefix: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,15}$/, 'use up to 16 lower-case letters and digits, a letter first')
    .describe('First part of opaque and personal access tokens'),
  access_ttl: z
    .int()
    .min(1)
    .max(365 * 86_400)
    .nullable()
    .describe('Seconds that its access tokens live; null means `tokens.access_ttl`'),
  dpop: z.enum(['supported', 'required']).describe('Whether tokens must be bound to a key'),
  workspace_scoped: z.boolean().describe('Consent asks which workspace to grant'),
  clients: clientIds.describe('The client_ids that are this resource server'),
  access: z
    .array(accessRule)
    .max(200)
    .describe('Who may consent to what; empty means everybody to everything'),
  exchange: exchange.nullable().describe('Token exchange towards this resource'),
  claims,
};

const slug = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'use lower-case letters, digits and -');

/** A protected MCP server. */
export const resource = z.strictObject({
  id: z.string().describe('Its slug'),
  slug: z.string(),
  uri: z.string().describe('`aud` of its tokens'),
  ...settings,
  scopes: z.array(
    z.strictObject({ name: z.string(), description: z.string(), implies: z.array(z.string()) }),
  ),
  access: z.array(accessRule.extend({ workspace_roles: z.array(z.string()) })),
  claims_hook: z
    .strictObject(hook)
    .nullable()
    .describe('Who is asked for further claims; its secret is never shown'),
  enabled: z.boolean(),
  source: z
    .enum(['config', 'admin', 'builtin'])
    .describe(
      '`admin`: made here, and edited here. `config`: declared in the configuration, which is where it is edited; it can be disabled here. `builtin`: the API of this server',
    ),
  metadata_url: z.string().describe('Where its metadata (RFC 9728) is served'),
  created_at: time,
  updated_at: time,
  version,
});

const resourceDetail = resource.extend({
  bound_clients: z
    .array(
      z.strictObject({
        client_id: z.string(),
        client_name: z.string().nullable(),
        status: z.enum(['active', 'suspended', 'unknown']).describe('`unknown`: no such client'),
      }),
    )
    .describe('The clients that are this resource server'),
  grants: z.int().describe('Grants that were not withdrawn; 1,000 at most are counted'),
});

const hookWithSecret = z.strictObject({
  ...hook,
  timeout: hook.timeout.default(1),
  on_failure: hook.on_failure.default('deny'),
  secret: z
    .string()
    .min(24)
    .max(1000)
    .optional()
    .describe('Signs the requests; the one before stays where it is left out'),
});

/** What may be left out when a scope, a rule or a policy is written. */
const written = {
  scopes: z
    .array(
      scope.extend({
        description: scope.shape.description.optional().describe('The name unless given'),
        implies: scope.shape.implies.default([]),
      }),
    )
    .min(1)
    .max(200),
  access: z
    .array(
      accessRule.extend({
        users: accessRule.shape.users.default([]),
        groups: accessRule.shape.groups.default([]),
        workspace_roles: accessRule.shape.workspace_roles.default([]),
      }),
    )
    .max(200),
  exchange: exchange
    .extend({
      clients: exchange.shape.clients.default([]),
      consent: exchange.shape.consent.default('required'),
      impersonation: exchange.shape.impersonation.default([]),
    })
    .nullable(),
  claims_hook: hookWithSecret.nullable(),
};

const newResource = z.strictObject({
  slug,
  uri: uri.describe('The URL that clients connect to, and `aud` of its tokens'),
  scopes: written.scopes,
  aliases: settings.aliases.default([]),
  display_name: settings.display_name.optional().describe('The slug unless given'),
  default_scopes: settings.default_scopes.default(null),
  token_format: settings.token_format.default('jwt'),
  token_prefix: settings.token_prefix.default('as'),
  access_ttl: settings.access_ttl.default(null),
  dpop: settings.dpop.default('supported'),
  workspace_scoped: settings.workspace_scoped.default(false),
  clients: settings.clients.default([]),
  access: written.access.default([]),
  exchange: written.exchange.default(null),
  claims: settings.claims.default({}),
  claims_hook: written.claims_hook.default(null),
});

/** What is left out stays. Slug and URI stay always: tokens and grants name them. */
const changedResource = z.strictObject({
  ...z.object({ ...settings, ...written }).partial().shape,
});

const disabled = z.strictObject({
  reason: text(500).optional().describe('For the audit log'),
});

/** Resources: what tokens are for. */
export const resources = {
  list: route({
    ...plain,
    name: 'resources.list',
    method: 'GET',
    path: '/admin/api/resources',
    permission: 'viewer',
    summary: 'List the protected MCP servers, by slug',
    query: z.strictObject({
      ...paging,
      ...search('slug, display_name, URI, host or alias'),
      sort: z.enum(['slug', '-slug']).default('slug'),
      enabled: z.enum(['true', 'false']).optional(),
      source: z.enum(['config', 'admin', 'builtin']).optional(),
      client_id: exact.describe('A client that is the resource server'),
    }),
    answer: pageOf(resource),
  }),
  get: route({
    ...plain,
    name: 'resources.get',
    method: 'GET',
    path: '/admin/api/resources/{id}',
    permission: 'viewer',
    summary: 'One protected MCP server',
    params: bySlug,
    answer: resourceDetail,
  }),
  create: route({
    ...plain,
    name: 'resources.create',
    method: 'POST',
    path: '/admin/api/resources',
    permission: 'operator',
    summary: 'Register a protected MCP server',
    body: newResource,
    answer: resourceDetail,
    status: 201,
  }),
  update: route({
    ...plain,
    name: 'resources.update',
    method: 'PATCH',
    path: '/admin/api/resources/{id}',
    permission: 'operator',
    summary: 'Change a protected MCP server that was registered here; lists are replaced whole',
    conditional: true,
    params: bySlug,
    body: changedResource,
    answer: resourceDetail,
  }),
  enable: route({
    ...plain,
    name: 'resources.enable',
    method: 'POST',
    path: '/admin/api/resources/{id}/enable',
    permission: 'operator',
    summary: 'Issue tokens for a disabled resource again',
    params: bySlug,
    body: disabled,
    answer: resourceDetail,
  }),
  disable: route({
    ...plain,
    name: 'resources.disable',
    method: 'POST',
    path: '/admin/api/resources/{id}/disable',
    permission: 'operator',
    summary:
      'Issue no more tokens for a resource; requests for it are answered as for an unknown one',
    params: bySlug,
    body: disabled,
    answer: resourceDetail,
  }),
  remove: route({
    ...plain,
    name: 'resources.delete',
    method: 'DELETE',
    path: '/admin/api/resources/{id}',
    permission: 'operator',
    summary:
      'Remove a resource, withdraw its grants and end its tokens. One that the configuration still declares is made again at the next start',
    conditional: true,
    params: bySlug,
    answer: z.strictObject({
      id: z.string(),
      grants: z.int().describe('Grants that were withdrawn just now'),
      authorizations: z.int().describe('Authorizations (token families) that ended just now'),
    }),
  }),
};

export const resourceSchemas = { Resource: resource, ResourceDetail: resourceDetail };
