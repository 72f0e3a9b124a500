import { keySetProblem } from './key-set.ts';
import type { Path } from './path.ts';
import { redirectProblem } from './redirect.ts';
import type { Rule, RuleFinding } from './rule.ts';
import type { Config } from './schema.ts';
import type { ClientConfig } from './schema-declared.ts';
import { canonicalUri } from './schema-resources.ts';
import { quote } from './values.ts';

/** Rules within and between declared rows. */
export const rowRules: readonly Rule[] = [
  unique('clients', 'client_id', ({ clients }) => clients.map((row) => row.client_id)),
  unique('resources', 'slug', ({ resources }) => resources.map((row) => row.slug)),
  unique('users', 'email', ({ users }) => users.map((row) => row.email.toLowerCase())),
  unique('workspaces', 'slug', ({ workspaces }) => workspaces.map((row) => row.slug)),
  unique('identity_providers', 'slug', (config) =>
    config.identity_providers.map((row) => row.slug),
  ),
  unique('trusted_issuers', 'issuer', (config) => config.trusted_issuers.map((row) => row.issuer)),
  { reads: ['resources[].uri', 'resources[].aliases'], check: duplicateResources },
  {
    reads: ['resources[].slug', 'resources[].uri', 'resources[].aliases', 'server.issuer'],
    check: ownResource,
  },
  { reads: ['resources[].scopes', 'resources[].default_scopes'], check: unknownScopes },
  {
    reads: [
      'clients[].client_secret',
      'clients[].jwks',
      'clients[].jwks_uri',
      'clients[].token_endpoint_auth_method',
      'clients[].grant_types',
    ],
    check: ({ clients }) => clients.flatMap((client, row) => authenticationFindings(client, row)),
  },
  {
    reads: ['clients[].redirect_uris', 'clients[].grant_types'],
    check: ({ clients }) => clients.flatMap((client, row) => redirectFindings(client, row)),
  },
  {
    reads: [
      'clients[].resources',
      'resources[]',
      'resources[].uri',
      'resources[].aliases',
      'server.issuer',
    ],
    check: unknownResources,
  },
  {
    reads: ['trusted_issuers[].jwks', 'trusted_issuers[].jwks_uri'],
    check: ({ trusted_issuers }) =>
      // Neither is fine: discovery finds the keys.
      trusted_issuers.flatMap(({ jwks, jwks_uri }, row) =>
        jwks || jwks_uri ? keySourceFindings(['trusted_issuers', row], jwks, jwks_uri) : [],
      ),
  },
  {
    reads: ['identity_providers[].issuer', 'server.issuer'],
    check: ({ identity_providers, server }) =>
      identity_providers.flatMap(({ issuer }, row) =>
        withoutSlash(issuer) === withoutSlash(server.issuer)
          ? [
              {
                path: ['identity_providers', row, 'issuer'],
                problem: 'is this server itself, which signs nobody in for others',
                fix: 'name the OpenID provider at which people sign in',
                because: 'server.issuer',
              },
            ]
          : [],
      ),
  },
  {
    reads: ['session.local_sign_in', 'identity_providers[]'],
    check: ({ session, identity_providers }) =>
      session.local_sign_in || identity_providers.length > 0
        ? []
        : [
            {
              path: ['session', 'local_sign_in'],
              problem: 'leaves nobody a way to sign in, as no identity provider is declared',
              fix: 'declare one under identity_providers, or set it to true',
            },
          ],
  },
  {
    reads: ['trusted_issuers[].issuer', 'server.issuer'],
    check: ({ trusted_issuers, server }) =>
      trusted_issuers.flatMap(({ issuer }, row) =>
        withoutSlash(issuer) === withoutSlash(server.issuer)
          ? [
              {
                path: ['trusted_issuers', row, 'issuer'],
                problem: 'is this server itself',
                fix: 'name the identity provider that signs the assertions',
                because: 'server.issuer',
              },
            ]
          : [],
      ),
  },
];

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}

function unique(section: string, key: string, values: (config: Config) => string[]): Rule {
  return {
    reads: [`${section}[].${key}`],
    check: (config) => {
      const taken = new Set<string>();
      return values(config).flatMap((value, row) => {
        const isTaken = taken.has(value);
        taken.add(value);
        if (!isTaken) return [];
        return [
          {
            path: [section, row, key],
            problem: `${quote(value)} is taken by an earlier row`,
            fix: 'choose another one, or remove a row',
          },
        ];
      });
    },
  };
}

/** Two spellings of one URI would be one resource to clients (RFC 8707), so they count as the same. */
function duplicateResources({ resources }: Config): RuleFinding[] {
  const taken = new Set<string>();
  return resources.flatMap(({ uri, aliases }, row) =>
    [uri, ...aliases].flatMap((name, place) => {
      const canonical = canonicalUri(name) ?? name;
      const isTaken = taken.has(canonical);
      taken.add(canonical);
      if (!isTaken) return [];
      const path: Path =
        place === 0 ? ['resources', row, 'uri'] : ['resources', row, 'aliases', place - 1];
      const problem = `${quote(name)} is already the uri or an alias of a resource`;
      return [{ path, problem, fix: 'give each URI to one resource' }];
    }),
  );
}

/** The workspace API is a resource that this server is itself. */
function ownResource({ resources, server }: Config): RuleFinding[] {
  const own = canonicalUri(ownUri(server));
  const finding = (path: Path, problem: string): RuleFinding => {
    return { path, problem, fix: 'choose another one', because: 'server.issuer' };
  };
  return resources.flatMap(({ slug, uri, aliases }, row) => [
    ...(slug === 'api'
      ? [finding(['resources', row, 'slug'], '"api" belongs to the workspace API of this server')]
      : []),
    ...[uri, ...aliases].flatMap((name, place) => {
      if (canonicalUri(name) !== own) return [];
      const path: Path =
        place === 0 ? ['resources', row, 'uri'] : ['resources', row, 'aliases', place - 1];
      return [finding(path, `${quote(name)} is the workspace API of this server itself`)];
    }),
  ]);
}

function ownUri({ issuer }: Config['server']): string {
  return `${withoutSlash(issuer)}/api`;
}

/** Scopes that are named and are none of their resource, or declared twice. */
export function unknownScopes({ resources }: Pick<Config, 'resources'>): RuleFinding[] {
  return resources.flatMap((resource, row) => {
    const names = resource.scopes.map(({ name }) => name);
    const missing = (list: readonly string[], ...path: Path): RuleFinding[] =>
      list
        .filter((name) => !names.includes(name))
        .map((name) => ({
          path: ['resources', row, ...path],
          problem: `names ${quote(name)}, which is no scope of this resource`,
          fix: `declare it among scopes, or use ${names.join(', ')}`,
        }));
    const repeated = names.filter((name, index) => names.indexOf(name) !== index);
    return [
      ...repeated.map((name) => ({
        path: ['resources', row, 'scopes'],
        problem: `declares ${quote(name)} twice`,
        fix: 'keep one of them',
      })),
      ...missing(resource.default_scopes ?? [], 'default_scopes'),
      ...resource.scopes.flatMap(({ implies }, index) =>
        missing(implies, 'scopes', index, 'implies'),
      ),
      ...resource.access.flatMap(({ scopes }, index) => missing(scopes, 'access', index, 'scopes')),
    ];
  });
}

/** Grants in which a client speaks for itself. */
const machineGrants: readonly string[] = [
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
];

function authenticationFindings(client: ClientConfig, row: number): RuleFinding[] {
  const method = client.token_endpoint_auth_method;
  const finding = (key: string, problem: string, fix: string): RuleFinding[] => [
    { path: ['clients', row, key], problem, fix, because: `clients[${row}]` },
  ];
  if (method.startsWith('client_secret_') && !client.client_secret) {
    return finding(
      'client_secret',
      `is missing for ${method}`,
      `write \${file:PATH} or \${env:NAME}, or change token_endpoint_auth_method`,
    );
  }
  if (!method.startsWith('client_secret_') && client.client_secret) {
    return finding(
      'token_endpoint_auth_method',
      `is ${method}, but there is a client_secret`,
      'remove one of them',
    );
  }
  const machine = client.grant_types.find((grant) => machineGrants.includes(grant));
  if (method === 'none' && machine) {
    return finding(
      'grant_types',
      `has ${machine}, which needs a client that authenticates`,
      'add a client_secret, jwks or jwks_uri',
    );
  }
  return method === 'private_key_jwt' || client.jwks
    ? keySourceFindings(['clients', row], client.jwks, client.jwks_uri)
    : [];
}

function keySourceFindings(
  path: Path,
  jwks: ClientConfig['jwks'],
  jwksUri: string | undefined,
): RuleFinding[] {
  if (jwks && jwksUri)
    return [
      { path: [...path, 'jwks_uri'], problem: 'is given beside jwks', fix: 'keep one of them' },
    ];
  const found = jwks && keySetProblem(jwks);
  if (found) return [{ path: [...path, 'jwks'], ...found }];
  return jwks || jwksUri
    ? []
    : [{ path: [...path, 'jwks_uri'], problem: 'is missing', fix: 'give jwks_uri or jwks' }];
}

function redirectFindings(client: ClientConfig, row: number): RuleFinding[] {
  if (client.grant_types.includes('authorization_code') && client.redirect_uris.length === 0) {
    return [
      {
        path: ['clients', row, 'redirect_uris'],
        problem: 'is missing for the grant authorization_code',
        fix: 'list at least one redirect URI',
      },
    ];
  }
  return client.redirect_uris.flatMap((uri, place) => {
    const problem = redirectProblem(uri);
    return problem ? [{ path: ['clients', row, 'redirect_uris', place], ...problem }] : [];
  });
}

function unknownResources(config: Config): RuleFinding[] {
  const isDeclared = resourceNames(config);
  const own = canonicalUri(ownUri(config.server));
  const isKnown = (uri: string) => isDeclared(uri) || canonicalUri(uri) === own;
  const known = config.resources.map(({ uri }) => uri).join(', ');
  return config.clients.flatMap(({ resources }, row) =>
    (resources ?? []).flatMap((uri, place) =>
      isKnown(uri)
        ? []
        : [
            {
              path: ['clients', row, 'resources', place],
              problem: `${quote(uri)} is no declared resource`,
              fix: known ? `write the uri of one: ${known}` : 'declare it under resources',
            },
          ],
    ),
  );
}

/** Tells whether a URI, in any spelling, means a declared resource. */
export function resourceNames({ resources }: Config): (uri: string) => boolean {
  const known = new Set(
    resources.flatMap(({ uri, aliases }) => [uri, ...aliases]).map(canonicalUri),
  );
  return (uri) => known.has(canonicalUri(uri) ?? uri);
}
