import type { ConnectedMember, ConnectorStatus, McpServer } from '../upstream/index.ts';

/** How the calling member stands to a server. */
export interface Standing {
  status: ConnectorStatus;
  expiresAt?: Date | undefined;
}

/**
 * A server as both APIs show it. Nothing that was given in confidence: of headers only the names, and no
 * key, secret or token at all (AD05).
 */
function shared(server: McpServer, standing: Standing | undefined) {
  return {
    workspaceId: server.workspaceId,
    name: server.name,
    url: server.url,
    authType: server.authType,
    oauthClientId: server.oauthClientId ?? null,
    oauthTokenEndpoint: server.oauthTokenEndpoint ?? null,
    oauthAuthorizationEndpoint: server.oauthAuthorizationEndpoint ?? null,
    oauthScopes: server.oauthScopes ?? null,
    oauthExpiresAt: standing?.expiresAt?.toISOString() ?? null,
    headers: Object.fromEntries(server.headerNames.map((name) => [name, null])),
    connectorId: server.connectorId ?? null,
    connectorConfig: server.connectorConfig ?? null,
    connectorStatus: connectorStatus(server, standing),
    createdBy: server.createdBy,
    createdAt: server.createdAt.toISOString(),
    updatedAt: server.updatedAt.toISOString(),
  };
}

/** Of a server that members connect to themselves: theirs; of others, whether it was shown to work. */
function connectorStatus({ authType, state, enabled }: McpServer, standing: Standing | undefined) {
  if (authType === 'none') return null;
  if (authType === 'api_key') return state === 'READY' && enabled ? 'connected' : 'disconnected';
  return standing?.status ?? 'disconnected';
}

/** A server in the REST API. */
export function restServer(server: McpServer, standing: Standing | undefined) {
  return { id: server.publicId, ...shared(server, standing) };
}

/** `McpServerResponse` of the management API. */
export function managedServer(
  server: McpServer,
  standing: Standing | undefined,
  iconUrl: string | undefined,
) {
  const { id, uuid, state, enabled } = server;
  return { id, uuid, ...shared(server, standing), state, enabled, iconUrl: iconUrl ?? null };
}

/** `McpServerMemberResponse`: somebody who has connected. */
export function managedMember({ userId, email, name, status, scopes, ...when }: ConnectedMember) {
  return {
    ...{ id: userId, email, name: name ?? null, connectorStatus: status, scopes },
    connectedAt: when.connectedAt.toISOString(),
    lastUsedAt: when.lastUsedAt?.toISOString() ?? null,
    oauthExpiresAt: when.expiresAt?.toISOString() ?? null,
  };
}
