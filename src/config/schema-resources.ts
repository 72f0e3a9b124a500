import { z } from 'zod';
import { isLoopbackUrl } from './loopback.ts';
import { claimsHook, claimsMapping } from './schema-claims.ts';
import { checked, duration, flag, oneOf, slug, text } from './values.ts';

// OpenID scopes alone count as a missing scope, so no resource may own one.
const reservedScopes = new Set([
  'openid',
  'profile',
  'email',
  'phone',
  'address',
  'offline_access',
]);

/** RFC 6749 §3.3: scope-token. */
export function scopeName(description: string) {
  return checked(
    description,
    (value) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value),
    'is not a scope name',
    'use printable ASCII without space, " and \\',
  );
}

/** RFC 8707 §2: an absolute URI without a fragment. */
function resourceUri(description: string) {
  return checked(
    description,
    (value) => canonicalUri(value) !== undefined,
    'is not a resource URI',
    'write an absolute URI without user name and fragment, such as https://mcp.example.com/mcp',
  );
}

/** The spelling under which two resource URIs are the same; undefined for what is none. */
export function canonicalUri(uri: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(uri) || uri.includes('#')) return undefined;
  if (!URL.canParse(uri)) return undefined;
  const { username, password, href } = new URL(uri);
  return username === '' && password === '' ? href.replace(/\/$/, '') : undefined;
}

const scope = z
  .strictObject({
    name: scopeName('What clients ask for.').refine((name) => !reservedScopes.has(name), {
      error: 'is reserved',
      params: { fix: `choose a name other than ${[...reservedScopes].join(', ')}` },
    }),
    description: text(
      'What it allows, in words for the consent page. Default: the name.',
    ).optional(),
    implies: z.array(scopeName('A scope')).describe('Scopes that it includes.').prefault([]),
  })
  .transform((declared) => ({ ...declared, description: declared.description ?? declared.name }));

const accessRule = z.strictObject({
  users: z.array(text('An e-mail address')).describe('People, by e-mail address.').prefault([]),
  groups: z.array(text('A group')).describe('Groups of people.').prefault([]),
  workspace_roles: z
    .array(oneOf('A role', ['member', 'admin']))
    .describe('Roles in the workspace that is granted.')
    .prefault([]),
  scopes: z.array(scopeName('A scope')).min(1).describe('What they may consent to.'),
});

/** One row of `resources`. */
export const resource = z
  .strictObject({
    slug: slug('Short name, used in its metadata URL.'),
    uri: resourceUri('The URL that clients connect to; `aud` of its tokens.'),
    aliases: z
      .array(resourceUri('A URI'))
      .describe('Other URIs that mean the same resource.')
      .prefault([]),
    display_name: text('Name on the consent page. Default: the slug.').optional(),
    scopes: z.array(scope).min(1).describe('What can be granted.'),
    default_scopes: z
      .array(scopeName('A scope'))
      .min(1)
      .describe('Scopes when a client asks for none. Default: all of them.')
      .optional(),
    token_format: oneOf('JWT (RFC 9068), or opaque tokens that are introspected.', [
      'jwt',
      'opaque',
    ]).prefault('jwt'),
    token_prefix: checked(
      'First part of opaque and personal access tokens.',
      (value) => /^[a-z][a-z0-9]{0,15}$/.test(value),
      'is not a token prefix',
      'use up to 16 lower-case letters and digits, a letter first',
    ).prefault('as'),
    access_ttl: duration('How long its access tokens live; beats `tokens.access_ttl`.').optional(),
    dpop: oneOf('Whether tokens must be bound to a key.', ['supported', 'required']).prefault(
      'supported',
    ),
    workspace_scoped: flag('Consent asks which workspace to grant.').prefault(false),
    clients: z
      .array(text('A client_id'))
      .describe(
        'The client_ids that are this resource server: introspection, exchange, reconnect links.',
      )
      .prefault([]),
    access: z
      .array(accessRule)
      .describe(
        'Who may consent to what. Empty: everybody to everything. Otherwise the scopes of all rules that match a person.',
      )
      .prefault([]),
    exchange: z
      .strictObject({
        clients: z
          .array(text('A client_id'))
          .describe('Who may exchange other tokens for one of this resource.')
          .prefault([]),
        consent: oneOf('The user must have consented, or the operator decides.', [
          'required',
          'operator',
        ]).prefault('required'),
        impersonation: z
          .array(text('A client_id'))
          .describe(
            'Which of these clients may exchange without an `act` claim, so that their tokens look like the own ones of the user. Everybody else is named in `act`.',
          )
          .prefault([]),
      })
      .describe('Token exchange towards this resource.')
      .optional(),
    claims: claimsMapping.prefault({}),
    claims_hook: claimsHook.optional(),
  })
  .transform((declared) => ({ ...declared, display_name: declared.display_name ?? declared.slug }));

export type ResourceConfig = z.output<typeof resource>;

export const resourcesSection = z
  .array(resource)
  .describe(
    'The MCP servers that tokens are for. Without this key an issuer on this computer gets one demo resource; `[]` means none.',
  )
  .optional();

/** The declared resources, or the demo one where nothing was declared and only this computer can see it. */
export function withDemoResource(
  declared: ResourceConfig[] | undefined,
  issuer: string,
): ResourceConfig[] {
  if (declared) return declared;
  return isLoopbackUrl(issuer) ? [demoResource()] : [];
}

// One default scope of two, so that a step-up can be shown.
function demoResource(): ResourceConfig {
  return resource.parse({
    slug: 'demo',
    uri: 'http://localhost:8080/mcp',
    display_name: 'Demo MCP server',
    scopes: [
      { name: 'access_boards', description: 'Read and change your boards' },
      { name: 'access_docs', description: 'Read your documents' },
    ],
    default_scopes: ['access_boards'],
  });
}
