import type { ConnectedServer } from '../accounts/index.ts';
import type { ProviderDeps } from './deps.ts';
import type { ConnectedServers } from './workspace-view.ts';

/** What the workspace page says of the other MCP servers of a workspace. */
export function connectedServersOf({
  base,
  upstream: { servers, connections },
}: Pick<ProviderDeps, 'base' | 'upstream'>): ConnectedServers {
  return async ({ id: userId }, { id: workspaceId }) => {
    const found = await servers.of({ workspaceId, sortBy: 'name', sortOrder: 'asc' });
    const statuses = await connections.statusesOf(
      found.map(({ id }) => id),
      userId,
    );
    return found.map((server): ConnectedServer => {
      const { id, uuid, name, url, authType, enabled, state } = server;
      const asksMembers = authType === 'oauth' || authType === 'direct_auth';
      const isOff = state === 'READY' && !enabled;
      const own = asksMembers ? (statuses.get(id)?.status ?? 'disconnected') : 'ready';
      return {
        ...{ name, url, status: isOff ? 'disabled' : own },
        ...(authType === 'oauth' && { connectUrl: `${base}/connect/servers/${uuid}` }),
      };
    });
  };
}
