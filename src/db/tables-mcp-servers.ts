import type { ColumnType, Generated } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type OptionalTime = ColumnType<Date | null, Date | null | undefined, Date | null>;
type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>;

export interface McpServersTable {
  /** `id` in the management API. */
  id: Generated<number>;
  uuid: string;
  /** `mcp_…`: `id` in the REST API. */
  public_id: string;
  workspace_id: string;
  name: string;
  url: string;
  auth_type: 'none' | 'api_key' | 'oauth' | 'direct_auth';
  state: 'REGISTER' | 'AUTHORIZE' | 'READY';
  enabled: Generated<boolean>;
  api_key_sealed: Optional<string>;
  /** Names of the headers whose values are sealed. */
  header_names: Generated<string[]>;
  headers_sealed: Optional<string>;
  oauth_client_id: Optional<string>;
  oauth_client_secret_sealed: Optional<string>;
  oauth_token_endpoint: Optional<string>;
  oauth_authorization_endpoint: Optional<string>;
  oauth_scopes: Optional<string>;
  connector_id: Optional<string>;
  connector_config: ColumnType<
    Record<string, unknown> | null,
    string | null | undefined,
    string | null
  >;
  /** Clients that may exchange for the tokens of its members. */
  gateway_clients: Generated<string[]>;
  /** PNG, base64. */
  icon_png: Optional<string>;
  icon_version: Optional<string>;
  icon_tried_at: OptionalTime;
  created_by: string;
  created_at: Time;
  updated_at: Time;
}
