import { z } from 'zod';
import { pageOf, paging, plain, route, search, time, version } from './route.ts';

const slug = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/)
  .describe('Short name, used in its callback URL; cannot be changed');
const issuer = z.string().min(1).max(2048).describe('Its issuer; cannot be changed');
const clientId = z.string().min(1).max(2048).describe('Our client_id there');
const clientSecret = z.string().min(1).max(4096);
const displayName = z.string().min(1).max(200).describe('Text of the sign-in button');
const scopes = z.array(z.string().min(1).max(200)).max(50).describe('What we ask for');
const groupsClaim = z.string().min(1).max(200).describe('Claim that lists the groups of a person');
const group = z.string().min(1).max(200);
const roles = z
  .record(group, z.enum(['viewer', 'operator', 'owner']))
  .describe('Role by group there; the highest wins. Empty: roles are not touched');
const groups = z
  .record(group, group)
  .describe('Our group by group there. Empty: groups are not touched');
const automatic = z.boolean().describe('Whether an unknown person gets an account');
const privateNetwork = z.boolean().describe('Whether it may be at an address of a private network');

/** Where people may sign in instead. */
export const identityProvider = z.strictObject({
  id: z.string().describe('Its slug'),
  slug,
  issuer,
  client_id: clientId,
  has_client_secret: z.boolean(),
  display_name: displayName,
  scopes,
  groups_claim: groupsClaim,
  roles,
  groups,
  automatic,
  private_network: privateNetwork,
  enabled: z.boolean(),
  source: z
    .enum(['config', 'admin'])
    .describe('`config`: what the file declares comes back at the next start, but for `enabled`'),
  callback_url: z.string().describe('The redirect URI to register there'),
  created_at: time,
  updated_at: time,
  version,
});

const settings = {
  display_name: displayName.optional(),
  scopes: scopes.optional(),
  groups_claim: groupsClaim.optional(),
  roles: roles.optional(),
  groups: groups.optional(),
  automatic: automatic.optional(),
  private_network: privateNetwork.optional(),
};

const bySlug = z.strictObject({ id: z.string().regex(/^[a-z0-9-]{1,63}$/) });

const tested = z.strictObject({
  ok: z.boolean(),
  problem: z.string().nullable().describe('Why people cannot sign in there, in a sentence'),
  warnings: z.array(z.string()).describe('What works, but not as well as it could'),
  authorization_endpoint: z.string().nullable(),
  token_endpoint: z.string().nullable(),
  userinfo_endpoint: z.string().nullable(),
  jwks_uri: z.string().nullable(),
  algorithms: z.array(z.string()).describe('Of its ID tokens'),
  keys: z.int().nullable().describe('How many public keys it publishes'),
});

/** Identity providers. */
export const identityProviders = {
  list: route({
    ...plain,
    name: 'identity-providers.list',
    method: 'GET',
    path: '/admin/api/identity-providers',
    permission: 'viewer',
    summary: 'List where people may sign in instead, by slug',
    query: z.strictObject({
      ...paging,
      ...search('slug, display name or host of the issuer'),
      sort: z.enum(['slug', '-slug']).default('slug'),
      enabled: z.enum(['true', 'false']).optional(),
      source: z.enum(['config', 'admin']).optional(),
    }),
    answer: pageOf(identityProvider),
  }),
  get: route({
    ...plain,
    name: 'identity-providers.get',
    method: 'GET',
    path: '/admin/api/identity-providers/{id}',
    permission: 'viewer',
    summary: 'One identity provider',
    params: bySlug,
    answer: identityProvider,
  }),
  create: route({
    ...plain,
    name: 'identity-providers.create',
    method: 'POST',
    path: '/admin/api/identity-providers',
    permission: 'owner',
    summary: 'Let people sign in at an identity provider',
    body: z.strictObject({
      slug,
      issuer,
      client_id: clientId,
      client_secret: clientSecret.optional().describe('Our secret there; never shown again'),
      ...settings,
    }),
    answer: identityProvider,
    status: 201,
  }),
  update: route({
    ...plain,
    name: 'identity-providers.update',
    method: 'PATCH',
    path: '/admin/api/identity-providers/{id}',
    permission: 'owner',
    summary: 'Change an identity provider; what is absent stays',
    params: bySlug,
    conditional: true,
    body: z.strictObject({
      client_id: clientId.optional(),
      client_secret: clientSecret.nullish().describe('Our secret there; null takes it away'),
      ...settings,
    }),
    answer: identityProvider,
  }),
  remove: route({
    ...plain,
    name: 'identity-providers.remove',
    method: 'DELETE',
    path: '/admin/api/identity-providers/{id}',
    permission: 'owner',
    summary: 'Remove an identity provider; accounts that it made stay',
    params: bySlug,
    conditional: true,
    answer: identityProvider,
  }),
  enable: route({
    ...plain,
    name: 'identity-providers.enable',
    method: 'POST',
    path: '/admin/api/identity-providers/{id}/enable',
    permission: 'owner',
    summary: 'Let people sign in there again',
    params: bySlug,
    answer: identityProvider,
  }),
  disable: route({
    ...plain,
    name: 'identity-providers.disable',
    method: 'POST',
    path: '/admin/api/identity-providers/{id}/disable',
    permission: 'owner',
    summary: 'Let nobody sign in there; who is signed in stays so',
    params: bySlug,
    answer: identityProvider,
  }),
  test: route({
    ...plain,
    name: 'identity-providers.test',
    method: 'POST',
    path: '/admin/api/identity-providers/{id}/test',
    permission: 'owner',
    summary: 'Read its metadata and keys now, and say what was found',
    params: bySlug,
    answer: tested,
  }),
};

export const identityProviderSchemas = {
  IdentityProvider: identityProvider,
  IdentityProviderTest: tested,
};
