import { type Kysely, sql } from 'kysely';

/** Other MCP servers that members of a workspace registered. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Three names for one server: an integer and a UUID in the management API, `mcp_…` in the REST API.
  // What is sealed is bound to the row and to the origin of its URL, so that it opens for no other.
  `CREATE TABLE mcp_servers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid text NOT NULL UNIQUE,
    public_id text NOT NULL UNIQUE,
    workspace_id text NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    name text NOT NULL,
    url text NOT NULL,
    auth_type text NOT NULL CHECK (auth_type IN ('none', 'api_key', 'oauth', 'direct_auth')),
    state text NOT NULL CHECK (state IN ('REGISTER', 'AUTHORIZE', 'READY')),
    enabled boolean NOT NULL DEFAULT false,
    api_key_sealed text,
    header_names text[] NOT NULL DEFAULT '{}',
    headers_sealed text,
    oauth_client_id text,
    oauth_client_secret_sealed text,
    oauth_token_endpoint text,
    oauth_authorization_endpoint text,
    oauth_scopes text,
    connector_id text,
    connector_config jsonb,
    gateway_clients text[] NOT NULL DEFAULT '{}',
    icon_png text,
    icon_version text,
    icon_tried_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  )`,
  'CREATE INDEX mcp_servers_workspace ON mcp_servers (workspace_id, created_at, public_id)',
  'CREATE INDEX mcp_servers_created ON mcp_servers (created_at, public_id)',
  // Search by the beginning of id, name or URL.
  'CREATE INDEX mcp_servers_public_id_prefix ON mcp_servers (lower(public_id) text_pattern_ops)',
  'CREATE INDEX mcp_servers_name_prefix ON mcp_servers (lower(name) text_pattern_ops)',
  'CREATE INDEX mcp_servers_url_prefix ON mcp_servers (lower(url) text_pattern_ops)',
];
