import { isLoopbackUrl } from './loopback.ts';
import type { Path } from './path.ts';
import { type Rule, type RuleFinding, when } from './rule.ts';
import { resourceNames } from './rules-rows.ts';
import { parseAddress, quote } from './values.ts';

/** Settings that work but probably surprise. */
export const serverWarnings: readonly Rule[] = [
  {
    reads: ['tokens.refresh_ttl', 'tokens.refresh_absolute_ttl'],
    check: ({ tokens }) =>
      when(tokens.refresh_ttl > tokens.refresh_absolute_ttl, {
        path: ['tokens', 'refresh_ttl'],
        problem: 'is cut by tokens.refresh_absolute_ttl, which is shorter',
        fix: 'raise refresh_absolute_ttl or lower refresh_ttl',
      }),
  },
  {
    reads: ['dcr.mode', 'dcr.approved_redirects'],
    check: ({ dcr }) =>
      when(dcr.mode !== 'approved_redirects' && dcr.approved_redirects.length > 0, {
        path: ['dcr', 'approved_redirects'],
        problem: `has no effect in the mode ${dcr.mode}`,
        fix: 'set dcr.mode to approved_redirects, or remove the list',
      }),
  },
  {
    reads: ['server.issuer', 'server.address'],
    check: ({ server }) => {
      const { port } = new URL(server.issuer);
      const listens = server.address.slice(server.address.lastIndexOf(':') + 1);
      return when(isLoopbackUrl(server.issuer) && port !== listens, {
        path: ['server', 'address'],
        problem: `listens on port ${listens}, but clients on this computer are told ${server.issuer}`,
        fix: 'write the same port in both, unless something on this computer forwards one to the other',
        because: 'server.issuer',
      });
    },
  },
  {
    reads: ['admin.enabled', 'admin.address', 'admin.external_url'],
    check: ({ admin }) =>
      when(admin.enabled && !admin.external_url && !isLocalAddress(admin.address), {
        path: ['admin', 'external_url'],
        problem: 'is missing, so the admin listener answers only requests for localhost',
        fix: 'write the URL people open the admin UI at',
        because: 'admin.address',
      }),
  },
];

/** Rules in `access` that match nobody. */
const rolesWithoutWorkspace: Rule = {
  reads: ['resources[].access', 'resources[].workspace_scoped'],
  check: ({ resources }) =>
    resources.flatMap(({ access, workspace_scoped }, row) =>
      workspace_scoped
        ? []
        : access.flatMap(({ workspace_roles = [] }, place) =>
            when(workspace_roles.length > 0, {
              path: ['resources', row, 'access', place, 'workspace_roles'],
              problem: 'matches nobody, as no workspace is granted at this resource',
              fix: 'set workspace_scoped to true, or remove it',
            }),
          ),
    ),
};

/** Names that no declared row has; the admin UI may have made them. */
export const rowWarnings: readonly Rule[] = [
  rolesWithoutWorkspace,
  {
    reads: ['oauth.default_resource', 'resources[]', 'resources[].uri', 'resources[].aliases'],
    check: (config) =>
      undeclared(resourceNames(config), [
        [['oauth', 'default_resource'], config.oauth.default_resource],
      ]),
  },
  {
    reads: [
      'resources[].clients',
      'resources[].exchange',
      'trusted_issuers[].clients',
      'clients[]',
      'clients[].client_id',
    ],
    check: ({ resources, trusted_issuers, clients }) =>
      undeclared(
        (id) => id.startsWith('https://') || clients.some(({ client_id }) => client_id === id),
        [
          ...resources.flatMap((row, index) => [
            ...named(row.clients, ['resources', index, 'clients']),
            ...named(row.exchange?.clients, ['resources', index, 'exchange', 'clients']),
            ...named(row.exchange?.impersonation, [
              'resources',
              index,
              'exchange',
              'impersonation',
            ]),
          ]),
          ...trusted_issuers.flatMap((row, index) =>
            named(row.clients, ['trusted_issuers', index, 'clients']),
          ),
        ],
      ),
  },
  {
    reads: ['trusted_issuers[].scopes', 'clients[].scope', 'resources[].scopes'],
    check: ({ resources, trusted_issuers, clients }) =>
      undeclared(
        (name) => resources.some(({ scopes }) => scopes.some((scope) => scope.name === name)),
        [
          ...trusted_issuers.flatMap((row, index) =>
            named(row.scopes, ['trusted_issuers', index, 'scopes']),
          ),
          ...clients.flatMap(({ scope }, index) =>
            (scope?.split(' ') ?? []).map((name) => [['clients', index, 'scope'], name] as const),
          ),
        ],
      ),
  },
  {
    reads: ['trusted_issuers[].resources', 'resources[]', 'resources[].uri', 'resources[].aliases'],
    check: (config) =>
      undeclared(
        resourceNames(config),
        config.trusted_issuers.flatMap(({ resources = [] }, index) =>
          resources.map(
            (uri, place) => [['trusted_issuers', index, 'resources', place], uri] as const,
          ),
        ),
      ),
  },
  {
    reads: ['users[].workspaces', 'workspaces[]', 'workspaces[].slug'],
    check: ({ users, workspaces }) =>
      undeclared(
        (name) => workspaces.some(({ slug }) => slug === name),
        users.flatMap((row, index) =>
          row.workspaces.map(
            ({ slug }, place) => [['users', index, 'workspaces', place], slug] as const,
          ),
        ),
      ),
  },
];

function isLocalAddress(address: string): boolean {
  const { host } = parseAddress(address) ?? {};
  return host !== undefined && isLoopbackUrl(`http://${host.includes(':') ? `[${host}]` : host}`);
}

/** Names in a list, each with its place. */
function named(names: readonly string[] | undefined, path: Path): [Path, string][] {
  return (names ?? []).map((name, place) => [[...path, place], name]);
}

function undeclared(
  isKnown: (name: string) => boolean,
  references: readonly (readonly [Path, string | undefined])[],
): RuleFinding[] {
  return references.flatMap(([path, name]) =>
    name === undefined || isKnown(name)
      ? []
      : [
          {
            path,
            problem: `${quote(name)} is not declared here`,
            fix: 'declare it, unless it was made in the admin UI',
          },
        ],
  );
}
