import { z } from 'zod';
import { scopeName } from './schema-resources.ts';
import { checked, flag, oneOf, secret, secureUrl, slug, text } from './values.ts';

export const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
] as const;

const keySet = (description: string) =>
  z
    .looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) })
    .describe(description)
    .refine(({ keys }) => keys.every((key) => !('d' in key) && !('k' in key)), {
      error: 'holds private keys',
      params: { fix: 'give the public keys only' },
    });

// The SDK sends id:secret unencoded in Basic, so a colon in the id would shift the border; and a URL is a
// client metadata document, which is fetched, not declared.
const clientId = checked(
  'The client identifier.',
  (value) => /^[\x21-\x39\x3b-\x7e]{1,255}$/.test(value),
  'is not a usable client_id',
  'use up to 255 printable ASCII characters without space and colon',
).refine((value) => !value.startsWith('usr_'), {
  error: 'looks like the id of a user',
  params: { fix: 'choose a client_id that does not start with usr_' },
});

const client = z
  .strictObject({
    client_id: clientId,
    client_name: text('Name on the consent page.').optional(),
    client_secret: secret('For client_secret_basic and client_secret_post.').optional(),
    token_endpoint_auth_method: oneOf(
      'How it authenticates. Default: `client_secret_basic` with a secret, `private_key_jwt` with keys, else `none`.',
      ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    ).optional(),
    application_type: oneOf('A web server, or an app on a device.', ['web', 'native']).optional(),
    redirect_uris: z
      .array(text('A redirect URI'))
      .describe(
        'Where answers may go: https, http on this computer (any port), or a private-use scheme.',
      )
      .prefault([]),
    grant_types: z
      .array(oneOf('A grant type', grantTypes))
      .min(1)
      .describe('The grants it may use.')
      .prefault(['authorization_code', 'refresh_token']),
    scope: text('The scopes it may ask for, separated by spaces. Default: all.').optional(),
    jwks: keySet('Its public keys.').optional(),
    jwks_uri: secureUrl('Where its public keys are.').optional(),
    resources: z
      .array(text('A URI'))
      .describe('URIs of the resources it may ask for. Default: all.')
      .optional(),
    dpop_bound_access_tokens: flag('It must use DPoP.').prefault(false),
    require_pushed_authorization_requests: flag(
      'It must push its authorization requests (RFC 9126).',
    ).prefault(false),
  })
  .transform((declared) => ({
    ...declared,
    token_endpoint_auth_method: declared.token_endpoint_auth_method ?? impliedMethod(declared),
  }));

function impliedMethod(declared: { client_secret?: string; jwks?: unknown; jwks_uri?: string }) {
  if (declared.client_secret) return 'client_secret_basic';
  return declared.jwks || declared.jwks_uri ? 'private_key_jwt' : 'none';
}

const membership = z
  .union([
    z.string().regex(/^[a-z0-9-]+$/),
    z.strictObject({ slug: slug('The workspace.'), role: oneOf('Role', ['member', 'admin']) }),
  ])
  .transform((value) =>
    typeof value === 'string' ? { slug: value, role: 'member' as const } : value,
  );

const user = z.strictObject({
  email: checked(
    'E-mail address; the name to sign in with.',
    (value) => /^[^\s@]+@[^\s@]+$/.test(value),
    'is not an e-mail address',
    'write name@example.com',
  ),
  password: secret(
    '10 characters or more. Without one, sign-in needs an identity provider.',
    10,
  ).optional(),
  name: text('Full name.').optional(),
  role: oneOf('Role in the admin UI. Default: none.', ['viewer', 'operator', 'owner']).optional(),
  workspaces: z
    .array(membership)
    .describe('Slugs of workspaces (as member), or `{slug, role}` with `member` or `admin`.')
    .prefault([]),
  groups: z.array(text('A group')).describe('Groups, for `resources[].access`.').prefault([]),
});

const workspace = z
  .strictObject({
    slug: slug('Short name, used in URLs.'),
    name: text('Name that people see. Default: the slug.').optional(),
  })
  .transform((declared) => ({ ...declared, name: declared.name ?? declared.slug }));

const identityProvider = z
  .strictObject({
    slug: slug('Short name, used in its callback URL, `<issuer>/login/callback/{slug}`.'),
    issuer: secureUrl('Its issuer, byte for byte as its metadata says it.'),
    client_id: text('Our client_id there.'),
    client_secret: secret('Our secret there.').optional(),
    display_name: text('Text of the sign-in button. Default: the slug.').optional(),
    scopes: z
      .array(scopeName('A scope'))
      .describe('What we ask for there; `openid` always.')
      .prefault(['openid', 'profile', 'email']),
    groups_claim: text('Claim that lists the groups of a person.').prefault('groups'),
    roles: z
      .record(z.string().min(1), z.enum(['viewer', 'operator', 'owner']))
      .describe(
        'Role in the administration by group there; the highest wins, none takes the role away, at each sign-in. Default: roles are not touched.',
      )
      .prefault({}),
    groups: z
      .record(z.string().min(1), z.string().min(1))
      .describe(
        'Our group, for `resources[].access`, by group there, at each sign-in. Default: groups are not touched.',
      )
      .prefault({}),
    automatic: flag(
      'Make an account for a person who signs in there first; otherwise the account must have been linked.',
    ).prefault(true),
    private_network: flag(
      'It is at an address of a private network, which the guarded way out refuses otherwise.',
    ).prefault(false),
  })
  .transform((declared) => ({ ...declared, display_name: declared.display_name ?? declared.slug }));

const trustedIssuer = z.strictObject({
  issuer: secureUrl('`iss` of its assertions, byte for byte.'),
  jwks_uri: secureUrl(
    'Where its public keys are (https). Default: where its own metadata says, at `/.well-known/openid-configuration` or `oauth-authorization-server`.',
  ).optional(),
  jwks: keySet('Its public keys, instead of `jwks_uri`; nothing is fetched then.').optional(),
  clients: z
    .array(text('A client_id'))
    .describe('client_ids that may present its assertions. Default: any registered.')
    .optional(),
  resources: z
    .array(text('A URI'))
    .describe('Resources it may speak for. Default: any registered.')
    .optional(),
  scopes: z
    .array(scopeName('A scope'))
    .describe('Scopes it may speak for. Default: any registered.')
    .optional(),
  subject: oneOf('Make an account at first sight, or accept linked ones only.', [
    'automatic',
    'strict',
  ]).prefault('automatic'),
});

export type ClientConfig = z.output<typeof client>;
export type UserConfig = z.output<typeof user>;

/** Rows that the file declares; they are reconciled at start, and what the admin UI made is left alone. */
export const declaredSections = {
  clients: z
    .array(client)
    .describe('Pre-registered clients, with the names of RFC 7591.')
    .prefault([]),
  users: z.array(user).describe('People with an account.').prefault([]),
  workspaces: z.array(workspace).describe('Workspaces.').prefault([]),
  identity_providers: z
    .array(identityProvider)
    .describe('Where people may sign in instead, with OpenID Connect (docs/identity-providers.md).')
    .prefault([]),
  trusted_issuers: z
    .array(trustedIssuer)
    .describe('Issuers of identity assertions (ID-JAG).')
    .prefault([]),
};
