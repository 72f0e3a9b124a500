import { z } from 'zod';
import { type ConsoleStage, files } from './console.ts';

const idOf = (row: Record<string, unknown>) => z.string().parse(row.id);
const firstOf = (list: Record<string, unknown>) =>
  z.object({ items: z.array(z.looseObject({ id: z.string() })).min(1) }).parse(list).items[0];

/**
 * One of everything that the console shows.
 *
 * @param options.mcpUrl of an MCP server on this computer, which then is enabled
 */
export async function seedConsole(stage: ConsoleStage, options: { mcpUrl?: string } = {}) {
  await stage.api('POST', '/resources', {
    ...{ slug: 'files', uri: files, display_name: 'Files', workspace_scoped: true },
    ...{ scopes: [{ name: 'files:use', description: 'Use the files' }], clients: ['boards'] },
    access: [{ workspace_roles: ['member', 'admin'], scopes: ['files:use'] }],
    claims: {
      email: 'user.email',
      plan: { value: 'pro' },
      'https://example.com/a': { group: 'a' },
    },
    claims_hook: {
      url: 'https://hooks.example.com/claims',
      secret: 'a secret of the tests, long enough',
    },
  });
  const acme = await workspaceOf(stage, 'acme');
  const globex = await workspaceOf(stage, 'globex');
  const wanda = await personOf(stage, stage.people.workspace.email);
  const credential = await stage.api('POST', `/workspaces/${acme}/credentials/regenerate`, {
    ...{ sub: wanda, resource: files },
  });
  await stage.api('POST', `/workspaces/${acme}/credentials`, {
    ...{ sub: wanda, resource: files, label: 'Laptop of Wanda' },
  });
  await stage.api('POST', `/workspaces/${acme}/invitations`, { email: 'new@example.com' });
  const provider = await stage.api('POST', '/identity-providers', {
    ...{ slug: 'acme-login', issuer: 'https://login.example.com', client_id: 'authserver' },
    ...{ client_secret: 'a secret of the tests', display_name: 'Acme account' },
    ...{ roles: { admins: 'operator' }, groups: { staff: 'staff' } },
  });
  const trusted = await stage.api('POST', '/trusted-issuers', {
    issuer: 'https://assertions.example.com',
    jwks_uri: 'https://assertions.example.com/keys',
    clients: ['boards'],
  });
  await stage.api('POST', '/api-keys', { name: 'Nightly report', role: 'viewer' });
  return {
    ...{ acme, globex, wanda, credentialId: idOf(credential) },
    ...{ provider: idOf(provider), trusted: idOf(trusted) },
    issuance: idOf(firstOf(await stage.api('GET', '/issuances')) ?? {}),
    event: idOf(firstOf(await stage.api('GET', '/audit')) ?? {}),
    server: await mcpServer(stage, {
      ...{ workspaceId: acme, sub: wanda },
      ...{ name: 'Tickets', url: options.mcpUrl ?? 'https://tickets.example.com/mcp' },
    }),
  };
}

async function workspaceOf(stage: ConsoleStage, slug: string): Promise<string> {
  return idOf(firstOf(await stage.api('GET', `/workspaces?q=${slug}`)) ?? {});
}

async function personOf(stage: ConsoleStage, email: string): Promise<string> {
  return idOf(firstOf(await stage.api('GET', `/users?q=${email}`)) ?? {});
}

/**
 * Adds another MCP server to a workspace as an admin of it does: through the workspace API. One that is
 * there is enabled too. Answers its id.
 */
async function mcpServer(
  stage: ConsoleStage,
  { sub, ...server }: { workspaceId: string; sub: string; name: string; url: string },
): Promise<string> {
  const { token } = await stage.api('POST', '/tokens', {
    ...{ sub, name: 'Adds MCP servers', resource: `${stage.issuer}/api`, scope: 'apps:admin' },
  });
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${stage.issuer}/api/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return z.looseObject({ id: z.union([z.string(), z.int()]) }).parse(await response.json());
  };
  const { id } = await call('POST', 'mcp-servers', { ...server, authType: 'none' });
  const { number } = await stage.api('GET', `/mcp-servers/${id}`);
  if (server.url.startsWith('http://')) {
    await call('POST', `v2/w/${server.workspaceId}/mcp-servers/${number}/enable`);
  }
  return String(id);
}
