import type { z } from 'zod';
import type { Clients } from '../clients/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { ConnectedMember, McpServer, Upstream } from '../upstream/index.ts';
import type { By } from './caller.ts';
import { mcpServers as contract } from './contract/index.ts';
import type { mcpServer, mcpServerMember } from './contract/mcp-servers.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface McpServerDeps {
  upstream: Upstream;
  clients: Pick<Clients, 'find'>;
}

/** Other MCP servers that workspaces use. */
export function mcpServerRoutes({ upstream, clients }: McpServerDeps): ServedRoute[] {
  const { servers, connections } = upstream;
  const find = async (publicId: string, by: By) => {
    const server = await servers.find({ publicId });
    // Attack: an admin of one workspace who asks for a server of another by its id.
    const isTheirs = server && (by.workspaceIds?.includes(server.workspaceId) ?? true);
    if (!isTheirs) throw unknownId();
    return server;
  };
  const wire = (server: McpServer) => toWire(server, upstream.iconUrl(server));

  return [
    fulfil(contract.list, async ({ query }, by) => {
      const { workspace_id: workspaceId, auth_type: authType, enabled, ...rest } = query;
      const page = await servers.list({
        ...{ ...rest, workspaceId, authType, workspaceIds: by.workspaceIds },
        enabled: enabled === undefined ? undefined : enabled === 'true',
      });
      return { items: page.items.map(wire), next_cursor: page.next_cursor };
    }),
    fulfil(contract.get, async ({ params: { id } }, by) => wire(await find(id, by))),
    fulfil(contract.members, async ({ params: { id } }, by) => {
      const server = await find(id, by);
      return { items: (await connections.membersOf(server.id)).map(memberToWire) };
    }),
    fulfil(contract.update, async ({ params, body: { gateway_clients: chosen } }, by) => {
      const { id } = await find(params.id, by);
      await requireClients(clients, chosen);
      return wire(await servers.setGatewayClients(id, chosen, by));
    }),
    fulfil(contract.disable, async ({ params, body }, by) => {
      const { id } = await find(params.id, by);
      const { clear_registration: clearRegistration } = body;
      return wire(await servers.disable(id, { clearRegistration }, by));
    }),
    fulfil(contract.remove, async ({ params }, by) => {
      const { id } = await find(params.id, by);
      return wire(await servers.remove(id, by));
    }),
  ];
}

/** @throws OAuthError naming one that there is not */
async function requireClients(clients: Pick<Clients, 'find'>, chosen: readonly string[]) {
  for (const clientId of chosen) {
    if (await clients.find(clientId, { refresh: false })) continue;
    throw new OAuthError(
      'invalid_request',
      'gateway_clients in the body names a client that is not here. Send ids of registered clients.',
    );
  }
}

function toWire(server: McpServer, iconUrl: string | undefined): z.input<typeof mcpServer> {
  return {
    id: server.publicId,
    number: server.id,
    uuid: server.uuid,
    workspace_id: server.workspaceId,
    name: server.name,
    url: server.url,
    auth_type: server.authType,
    state: server.state,
    enabled: server.enabled,
    oauth_client_id: server.oauthClientId ?? null,
    oauth_scopes: server.oauthScopes ?? null,
    header_names: server.headerNames,
    gateway_clients: server.gatewayClients,
    icon_url: iconUrl ?? null,
    created_by: server.createdBy,
    created_at: server.createdAt.toISOString(),
    updated_at: server.updatedAt.toISOString(),
  };
}

function memberToWire({
  userId,
  email,
  name,
  status,
  scopes,
  ...when
}: ConnectedMember): z.input<typeof mcpServerMember> {
  return {
    ...{ id: userId, email, name: name ?? null, status, scopes },
    connected_at: when.connectedAt.toISOString(),
    last_used_at: when.lastUsedAt?.toISOString() ?? null,
    expires_at: when.expiresAt?.toISOString() ?? null,
  };
}
