import type { DeclaredResource } from './reconcile-policy.ts';

/** Short name of the built-in resource. */
export const apiSlug = 'api';

/** The URI of this server's own workspace API as a protected resource: `aud` of its tokens. */
export function apiResourceUri(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/${apiSlug}`;
}

/** The workspace API, which every server has; nobody declares it and nobody edits it. */
export function apiResource(issuer: string): DeclaredResource {
  return {
    slug: apiSlug,
    uri: apiResourceUri(issuer),
    aliases: [],
    display_name: 'Workspace API',
    scopes: [
      {
        name: 'apps:read',
        description: 'See your workspaces and the MCP servers in them, and what those offer',
        implies: [],
      },
      {
        name: 'apps:write',
        description: 'Add MCP servers to your workspaces, change them, and connect them for you',
        implies: ['apps:read'],
      },
      {
        name: 'apps:admin',
        description: 'Remove MCP servers from workspaces in which you are an admin',
        implies: ['apps:write'],
      },
    ],
    default_scopes: ['apps:read'],
    token_format: 'jwt',
    token_prefix: 'as',
    dpop: 'supported',
    workspace_scoped: false,
    clients: [],
    access: [],
    claims: {},
  };
}
