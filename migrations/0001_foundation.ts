import { type Kysely, sql } from 'kysely';

/** The first schema: everything a connection needs from discovery to revocation. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // What may be asked for: registered MCP servers (RFC 8707 resources).
  `CREATE TABLE resources (
    uri text PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    aliases text[] NOT NULL DEFAULT '{}',
    display_name text NOT NULL,
    scopes jsonb NOT NULL,
    default_scopes text[],
    token_format text NOT NULL DEFAULT 'jwt' CHECK (token_format IN ('jwt', 'opaque')),
    token_prefix text NOT NULL DEFAULT 'as',
    access_ttl integer,
    dpop text NOT NULL DEFAULT 'supported' CHECK (dpop IN ('supported', 'required')),
    workspace_scoped boolean NOT NULL DEFAULT false,
    clients text[] NOT NULL DEFAULT '{}',
    access jsonb NOT NULL DEFAULT '[]',
    exchange jsonb,
    enabled boolean NOT NULL DEFAULT true,
    source text NOT NULL CHECK (source IN ('config', 'admin', 'builtin')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  )`,

  // Who may ask.
  `CREATE TABLE clients (
    client_id text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('preregistered', 'dcr', 'cimd')),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    client_name text,
    metadata jsonb NOT NULL,
    secret_hashes text[] NOT NULL DEFAULT '{}',
    old_secret_until timestamptz,
    registration_token_hash text UNIQUE,
    resources text[],
    scope text,
    rules text[] NOT NULL DEFAULT '{}',
    document_host text,
    document_fetched_at timestamptz,
    document_expires_at timestamptz,
    document_etag text,
    source text NOT NULL CHECK (source IN ('config', 'admin', 'cli', 'registration', 'document')),
    registered_from text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_used_at timestamptz
  )`,
  'CREATE INDEX clients_created ON clients (created_at)',
  `CREATE INDEX clients_documents_expiry ON clients (document_expires_at) WHERE kind = 'cimd'`,
  `CREATE INDEX clients_registered_from ON clients (registered_from, created_at) WHERE kind = 'dcr'`,
  `CREATE INDEX clients_unused ON clients (coalesce(last_used_at, created_at)) WHERE kind = 'dcr'`,
  // Negative answers for client metadata documents, shared by all replicas.
  `CREATE TABLE client_document_failures (
    client_id_hash text PRIMARY KEY,
    host text NOT NULL,
    reason text NOT NULL,
    retry_after timestamptz NOT NULL
  )`,
  'CREATE INDEX client_document_failures_expiry ON client_document_failures (retry_after)',

  // People.
  `CREATE TABLE users (
    id text PRIMARY KEY,
    email text NOT NULL,
    email_key text NOT NULL UNIQUE,
    name text,
    password_hash text,
    role text CHECK (role IN ('viewer', 'operator', 'owner')),
    groups text[] NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
    source text NOT NULL CHECK (source IN ('config', 'admin', 'cli', 'setup')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_login_at timestamptz
  )`,
  `CREATE INDEX users_owner ON users (id) WHERE role = 'owner'`,
  // Sign-in sessions; id is the hash of the cookie's value, uid survives the change of id at login.
  `CREATE TABLE sessions (
    id text PRIMARY KEY,
    uid text NOT NULL,
    user_id text REFERENCES users (id) ON DELETE CASCADE,
    payload jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
  )`,
  'CREATE INDEX sessions_uid ON sessions (uid)',
  'CREATE INDEX sessions_user ON sessions (user_id)',
  'CREATE INDEX sessions_expiry ON sessions (expires_at)',
  // Failure counters and lockouts, by account or address, shared by all replicas.
  `CREATE TABLE login_attempts (
    key text PRIMARY KEY,
    failures integer NOT NULL,
    window_ends_at timestamptz NOT NULL,
    locked_until timestamptz
  )`,
  'CREATE INDEX login_attempts_expiry ON login_attempts (window_ends_at)',
  // One-time links (first owner, later invitations and resets).
  `CREATE TABLE one_time_links (
    token_hash text PRIMARY KEY,
    purpose text NOT NULL,
    subject text,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL
  )`,
  'CREATE INDEX one_time_links_expiry ON one_time_links (expires_at)',

  // What people granted: one row per (user, client, resource, workspace); it spans token families.
  `CREATE TABLE grants (
    id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id text NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    resource text NOT NULL,
    workspace_id text NOT NULL DEFAULT '',
    scopes text[] NOT NULL,
    offered_scopes text[] NOT NULL,
    redirect_host text NOT NULL,
    client_digest text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz,
    UNIQUE (user_id, client_id, resource, workspace_id)
  )`,
  'CREATE INDEX grants_client ON grants (client_id)',

  // One authorization: the token family (the library's Grant). Ending it ends its tokens only.
  `CREATE TABLE families (
    id text PRIMARY KEY,
    grant_id text REFERENCES grants (id) ON DELETE CASCADE,
    client_id text NOT NULL,
    user_id text,
    payload jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL
  )`,
  'CREATE INDEX families_grant ON families (grant_id)',
  'CREATE INDEX families_client ON families (client_id)',
  'CREATE INDEX families_user ON families (user_id)',
  'CREATE INDEX families_expiry ON families (expires_at)',

  // Codes, refresh tokens, interactions, pushed requests …: id is the hash of the secret value.
  `CREATE TABLE artifacts (
    id text PRIMARY KEY,
    kind text NOT NULL,
    family_id text,
    client_id text,
    payload jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    consumed_at timestamptz,
    successor_id text,
    successor_sealed text,
    user_code text UNIQUE,
    created_at timestamptz NOT NULL
  )`,
  'CREATE INDEX artifacts_family ON artifacts (family_id) WHERE family_id IS NOT NULL',
  'CREATE INDEX artifacts_expiry ON artifacts (expires_at)',
  'CREATE INDEX artifacts_sealed ON artifacts (consumed_at) WHERE successor_sealed IS NOT NULL',
  // DPoP proofs and client assertions that were seen (RFC 9449 §11.1, RFC 7523 §3).
  'CREATE TABLE replay_claims (id text PRIMARY KEY, expires_at timestamptz NOT NULL)',
  'CREATE INDEX replay_claims_expiry ON replay_claims (expires_at)',

  // A record of every token that was issued.
  `CREATE TABLE issuances (
    jti text PRIMARY KEY,
    kind text NOT NULL,
    grant_type text NOT NULL,
    family_id text,
    grant_id text,
    client_id text NOT NULL,
    sub text NOT NULL,
    resource text NOT NULL,
    scope text NOT NULL,
    token_type text NOT NULL,
    jkt text,
    workspace_id text,
    parent_jti text,
    claims jsonb,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
  )`,
  'CREATE INDEX issuances_family ON issuances (family_id) WHERE family_id IS NOT NULL',
  'CREATE INDEX issuances_issued ON issuances (issued_at)',

  // What happened. Append-only; partitioned by month so that retention drops whole partitions.
  'CREATE SEQUENCE audit_events_id',
  `CREATE TABLE audit_events (
    id bigint NOT NULL DEFAULT nextval('audit_events_id'),
    at timestamptz NOT NULL,
    type text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text,
    client_id text,
    user_id text,
    resource text,
    ip text,
    user_agent text,
    trace_id text,
    detail jsonb NOT NULL,
    PRIMARY KEY (at, id)
  ) PARTITION BY RANGE (at)`,
  'CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT',
  'CREATE INDEX audit_events_type ON audit_events (type, at)',
  `CREATE FUNCTION audit_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'audit_events is append-only'; END $$`,
  `CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_append_only()`,
  `CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only()`,

  // Signing keys; the private part is sealed with the data-encryption key.
  `CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    alg text NOT NULL,
    public_jwk jsonb NOT NULL,
    private_sealed text NOT NULL,
    created_at timestamptz NOT NULL,
    signs_from timestamptz NOT NULL,
    retired_at timestamptz,
    expires_at timestamptz
  )`,
  // Small shared facts (secrets derived for all replicas, markers).
  'CREATE TABLE settings (name text PRIMARY KEY, value text NOT NULL, updated_at timestamptz NOT NULL)',
];
