import { join } from 'node:path';
import type { ServerConfig } from './server-process.ts';

/** A protected MCP server of the demo, and the client that it is when it asks about tokens. */
export type McpServer = { url: string; clientId: string; clientSecret: string };

export type DemoSetup = {
  issuer: string;
  ports: { server: number; admin: number };
  /** Directory for the database. */
  data: string;
  account: { email: string; password: string };
  workspace: { slug: string; name: string };
  boards: McpServer;
  files: McpServer;
};

/** The configuration of the demo's authorization server: two MCP servers, one workspace, one person. */
export function serverConfig(setup: DemoSetup): ServerConfig {
  const { issuer, ports, data, account, workspace, boards, files } = setup;
  return {
    server: { issuer, address: `127.0.0.1:${ports.server}` },
    admin: { address: `127.0.0.1:${ports.admin}` },
    storage: { driver: 'pglite', pglite: { path: join(data, 'database') } },
    cimd: { allow_private_addresses: true },
    // For clients that do not say which of the two they mean.
    oauth: { default_resource: boards.url },
    workspaces: [workspace],
    users: [
      { ...account, name: 'Demo User', workspaces: [{ slug: workspace.slug, role: 'admin' }] },
    ],
    resources: [
      {
        ...opaque(boards, 'boards', 'cp'),
        display_name: 'Boards',
        scopes: [
          { name: 'access_boards', description: 'Read your boards' },
          { name: 'access_docs', description: 'Read your documents' },
        ],
        default_scopes: ['access_boards'],
      },
      {
        ...opaque(files, 'workspace-files', 'wf'),
        display_name: 'Workspace files',
        scopes: [
          { name: 'files:read', description: 'Read the files of the workspace' },
          {
            name: 'files:write',
            description: 'Change the files of the workspace',
            implies: ['files:read'],
          },
        ],
      },
    ],
    clients: [registration(boards, 'Boards'), registration(files, 'Workspace files')],
  };
}

function opaque({ url, clientId }: McpServer, slug: string, prefix: string) {
  return {
    slug,
    uri: url,
    token_format: 'opaque',
    token_prefix: prefix,
    workspace_scoped: true,
    claims: { workspace_name: 'workspace.name' },
    clients: [clientId],
  };
}

function registration({ clientId, clientSecret }: McpServer, name: string) {
  return {
    client_id: clientId,
    client_name: `${name} MCP server`,
    client_secret: clientSecret,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
  };
}
