import type { Selectable } from 'kysely';
import type { McpServersTable } from '../db/index.ts';

export type ServerRow = Selectable<McpServersTable>;
export type AuthType = ServerRow['auth_type'];
export type ServerState = ServerRow['state'];

/** Another MCP server that a workspace uses. Holds no secret. */
export interface McpServer {
  /** In the management API. */
  id: number;
  uuid: string;
  /** In the REST API: `mcp_…` */
  publicId: string;
  workspaceId: string;
  name: string;
  url: string;
  authType: AuthType;
  state: ServerState;
  enabled: boolean;
  /** What somebody registered for us there; nothing of it is what we found out. */
  oauthClientId?: string;
  oauthTokenEndpoint?: string;
  oauthAuthorizationEndpoint?: string;
  /** Space-separated. */
  oauthScopes?: string;
  headerNames: string[];
  connectorId?: string;
  connectorConfig?: Record<string, unknown>;
  /** Clients that may exchange for the tokens of its members. */
  gatewayClients: string[];
  /** Differs after every change of the icon; absent where there is none. */
  iconVersion?: string;
  iconTriedAt?: Date;
  createdBy: string;
  createdAt: Date;
  updatedAt: Date;
}

/** A stored server as the rooms see it. */
export function toServer(row: ServerRow): McpServer {
  return {
    id: row.id,
    uuid: row.uuid,
    publicId: row.public_id,
    workspaceId: row.workspace_id,
    name: row.name,
    url: row.url,
    authType: row.auth_type,
    state: row.state,
    enabled: row.enabled,
    headerNames: row.header_names,
    gatewayClients: row.gateway_clients,
    createdBy: row.created_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...present('oauthClientId', row.oauth_client_id),
    ...present('oauthTokenEndpoint', row.oauth_token_endpoint),
    ...present('oauthAuthorizationEndpoint', row.oauth_authorization_endpoint),
    ...present('oauthScopes', row.oauth_scopes),
    ...present('connectorId', row.connector_id),
    ...present('connectorConfig', row.connector_config),
    ...present('iconVersion', row.icon_version),
    ...present('iconTriedAt', row.icon_tried_at),
  };
}

function present<N extends string, T>(name: N, value: T | null): { [K in N]?: T } {
  const member: { [K in N]?: T } = {};
  if (value !== null) member[name] = value;
  return member;
}
