import { type Kysely, sql } from 'kysely';

/** We as the OAuth client of other MCP servers: our registrations there, and what members connected. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Who we are at an authorization server, by server and issuer: what is known to one issuer is never sent to
  // another one. `discovery` is what its metadata said when we registered, `issuer` byte for byte.
  `CREATE TABLE upstream_registrations (
    server_id integer NOT NULL REFERENCES mcp_servers (id) ON DELETE CASCADE,
    issuer text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('given', 'document', 'dynamic')),
    client_id text NOT NULL,
    client_secret_sealed text,
    client_secret_expires_at timestamptz,
    auth_method text NOT NULL CHECK (auth_method IN ('none', 'client_secret_basic', 'client_secret_post')),
    redirect_uri text NOT NULL,
    discovery jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (server_id, issuer)
  )`,

  // What one member connected. Tokens are sealed under a key outside the database, for this server, member and
  // issuer. Who refreshes holds the lease; who dies with it loses it when it runs out.
  `CREATE TABLE upstream_connections (
    server_id integer NOT NULL REFERENCES mcp_servers (id) ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id text NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('oauth', 'direct')),
    issuer text,
    status text NOT NULL CHECK (status IN ('connected', 'error')),
    problem text,
    access_sealed text,
    refresh_sealed text,
    scopes text[] NOT NULL DEFAULT '{}',
    expires_at timestamptz,
    lease text,
    lease_until timestamptz,
    connected_at timestamptz NOT NULL,
    refreshed_at timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (server_id, user_id)
  )`,
  'CREATE INDEX upstream_connections_user ON upstream_connections (user_id, server_id)',

  // A browser that was sent to an authorization server: what its answer must fit to. Deleted by the answer.
  `CREATE TABLE upstream_authorizations (
    state_hash text PRIMARY KEY,
    server_id integer NOT NULL REFERENCES mcp_servers (id) ON DELETE CASCADE,
    server_url text NOT NULL,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    issuer text NOT NULL,
    browser_hash text NOT NULL,
    session_hash text NOT NULL,
    verifier_sealed text NOT NULL,
    scope text NOT NULL,
    resource text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
  )`,
  'CREATE INDEX upstream_authorizations_expiry ON upstream_authorizations (expires_at)',
  'CREATE INDEX upstream_authorizations_server ON upstream_authorizations (server_id)',

  // Links that lead one member to connect; deleted by their use.
  `CREATE TABLE upstream_connect_links (
    token_hash text PRIMARY KEY,
    server_id integer NOT NULL REFERENCES mcp_servers (id) ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
  )`,
  'CREATE INDEX upstream_connect_links_expiry ON upstream_connect_links (expires_at)',

  // Tokens that are still to be ended where they came from (RFC 7009), with all that this needs: the server and
  // our registration may be gone. Tried a few times, then forgotten.
  `CREATE TABLE upstream_revocations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id integer NOT NULL,
    user_id text NOT NULL,
    issuer text NOT NULL,
    endpoint text NOT NULL,
    client_id text NOT NULL,
    client_secret_sealed text,
    auth_method text NOT NULL,
    access_sealed text,
    refresh_sealed text,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL
  )`,
  'CREATE INDEX upstream_revocations_next ON upstream_revocations (next_at)',
];
