import { randomBytes } from 'node:crypto';
import type { McpServer } from './server.ts';
import type { ServerSettings } from './server-policy.ts';
import type { StoredServer } from './server-queries.ts';

/** A new `id` of the REST API. */
export function newPublicId(): string {
  return `mcp_${randomBytes(15).toString('hex')}`;
}

/** For the audit log. */
export function placeIn({ public_id, workspace_id }: StoredServer) {
  return { server_id: public_id, workspace_id };
}

/** What a person set of a server. */
export function settingsOf(server: McpServer): ServerSettings {
  const { name, url, authType, oauthClientId, oauthTokenEndpoint } = server;
  const { oauthAuthorizationEndpoint, oauthScopes, connectorId, connectorConfig } = server;
  return {
    ...{ name, url, authType },
    ...(oauthClientId !== undefined && { oauthClientId }),
    ...(oauthTokenEndpoint !== undefined && { oauthTokenEndpoint }),
    ...(oauthAuthorizationEndpoint !== undefined && { oauthAuthorizationEndpoint }),
    ...(oauthScopes !== undefined && { oauthScopes }),
    ...(connectorId !== undefined && { connectorId }),
    ...(connectorConfig !== undefined && { connectorConfig }),
  };
}

/** The same as it is stored. */
export function storedSettings(settings: ServerSettings) {
  const { connectorConfig: config } = settings;
  return {
    name: settings.name,
    url: settings.url,
    auth_type: settings.authType,
    oauth_client_id: settings.oauthClientId ?? null,
    oauth_token_endpoint: settings.oauthTokenEndpoint ?? null,
    oauth_authorization_endpoint: settings.oauthAuthorizationEndpoint ?? null,
    oauth_scopes: settings.oauthScopes ?? null,
    connector_id: settings.connectorId ?? null,
    connector_config: config === undefined ? null : JSON.stringify(config),
  };
}
