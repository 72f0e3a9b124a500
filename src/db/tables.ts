import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { ClaimsMapping } from '../config/index.ts';
import type { AdminSessionsTable, ApiKeysTable } from './tables-administrators.ts';
import type {
  AuditBlocksTable,
  AuditCheckpointsTable,
  AuditDeadLettersTable,
  AuditWebhookTable,
} from './tables-audit.ts';
import type { FlowsTable } from './tables-flows.ts';
import type { IdentityProvidersTable, ProviderSignInsTable } from './tables-identity-providers.ts';
import type { McpServersTable } from './tables-mcp-servers.ts';
import type { ClientHostsTable, IdempotentRequestsTable } from './tables-operations.ts';
import type { ReconnectLinksTable } from './tables-reconnect-links.ts';
import type {
  JobRunsTable,
  ReplicasTable,
  StatsActiveTable,
  StatsHourlyTable,
} from './tables-statistics.ts';
import type {
  UpstreamAuthorizationsTable,
  UpstreamConnectionsTable,
  UpstreamConnectLinksTable,
  UpstreamRegistrationsTable,
  UpstreamRevocationsTable,
} from './tables-upstream.ts';
import type { WorkspaceCredentialsTable } from './tables-workspace-credentials.ts';
import type { WorkspaceInvitationsTable } from './tables-workspace-invitations.ts';
import type { WorkspaceMembersTable, WorkspacesTable } from './tables-workspaces.ts';

type Json<T extends object> = JSONColumnType<T, string, string>;
/** Read as Date, written as Date. */
type Time = ColumnType<Date, Date, Date>;
type OptionalTime = ColumnType<Date | null, Date | null | undefined, Date | null>;
type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>;

/** `resources[].claims_hook` at rest. */
export interface StoredClaimsHook {
  url: string;
  /** The secret, sealed for this resource. */
  sealed: string;
  /** Seconds. */
  timeout: number;
  on_failure: 'deny' | 'skip';
}

export interface ResourcesTable {
  uri: string;
  slug: string;
  aliases: string[];
  display_name: string;
  scopes: Json<{ name: string; description: string; implies: string[] }[]>;
  default_scopes: Optional<string[]>;
  token_format: 'jwt' | 'opaque';
  token_prefix: string;
  access_ttl: Optional<number>;
  dpop: 'supported' | 'required';
  workspace_scoped: boolean;
  clients: string[];
  access: Json<{ users?: string[]; groups?: string[]; roles?: string[]; scopes: string[] }[]>;
  exchange: ColumnType<Record<string, unknown> | null, string | null, string | null>;
  claims: ColumnType<ClaimsMapping, string | undefined, string>;
  claims_hook: ColumnType<StoredClaimsHook | null, string | null | undefined, string | null>;
  enabled: Generated<boolean>;
  source: 'config' | 'admin' | 'builtin';
  created_at: Time;
  updated_at: Time;
}

export interface ClientsTable {
  client_id: string;
  kind: 'preregistered' | 'dcr' | 'cimd';
  status: ColumnType<
    'active' | 'suspended',
    'active' | 'suspended' | undefined,
    'active' | 'suspended'
  >;
  client_name: Optional<string>;
  metadata: Json<Record<string, unknown>>;
  secret_hashes: Generated<string[]>;
  /** Until when secrets after the first are accepted. */
  old_secret_until: OptionalTime;
  registration_token_hash: Optional<string>;
  resources: Optional<string[]>;
  scope: Optional<string>;
  rules: Generated<string[]>;
  document_host: Optional<string>;
  document_fetched_at: OptionalTime;
  document_expires_at: OptionalTime;
  document_etag: Optional<string>;
  source: 'config' | 'admin' | 'cli' | 'registration' | 'document';
  registered_from: Optional<string>;
  created_at: Time;
  updated_at: Time;
  last_used_at: OptionalTime;
}

export interface ClientDocumentFailuresTable {
  client_id_hash: string;
  host: string;
  reason: string;
  retry_after: Time;
}

export interface UsersTable {
  id: string;
  email: string;
  email_key: string;
  name: Optional<string>;
  password_hash: Optional<string>;
  role: Optional<'viewer' | 'operator' | 'owner'>;
  groups: Generated<string[]>;
  status: ColumnType<
    'active' | 'disabled',
    'active' | 'disabled' | undefined,
    'active' | 'disabled'
  >;
  source: 'config' | 'admin' | 'cli' | 'setup' | 'issuer';
  created_at: Time;
  updated_at: Time;
  last_login_at: OptionalTime;
}

export interface SessionsTable {
  id: string;
  uid: string;
  user_id: Optional<string>;
  payload: Json<Record<string, unknown>>;
  expires_at: Time;
  created_at: Time;
}

export interface LoginAttemptsTable {
  key: string;
  failures: number;
  window_ends_at: Time;
  locked_until: OptionalTime;
}

export interface OneTimeLinksTable {
  token_hash: string;
  purpose: string;
  subject: Optional<string>;
  expires_at: Time;
  used_at: OptionalTime;
  created_at: Time;
}

export interface GrantsTable {
  id: string;
  user_id: string;
  client_id: string;
  resource: string;
  /** Empty where the resource is not workspace-scoped. */
  workspace_id: Generated<string>;
  scopes: string[];
  /** What the consent page offered, ticked or not: asking for more of it later asks again. */
  offered_scopes: string[];
  redirect_host: string;
  /** Digest of the client's name, keys and redirect hosts when consent was given. */
  client_digest: Generated<string>;
  created_at: Time;
  updated_at: Time;
  last_used_at: OptionalTime;
  revoked_at: OptionalTime;
  /** What operators call it. */
  label: Optional<string>;
}

export interface FamiliesTable {
  id: string;
  grant_id: Optional<string>;
  client_id: string;
  user_id: Optional<string>;
  payload: Json<Record<string, unknown>>;
  expires_at: Time;
  revoked_at: OptionalTime;
  created_at: Time;
}

export interface ArtifactsTable {
  id: string;
  kind: string;
  family_id: Optional<string>;
  client_id: Optional<string>;
  payload: Json<Record<string, unknown>>;
  expires_at: Time;
  consumed_at: OptionalTime;
  successor_id: Optional<string>;
  successor_sealed: Optional<string>;
  user_code: Optional<string>;
  created_at: Time;
}

export interface ReplayClaimsTable {
  id: string;
  expires_at: Time;
}

export interface IssuancesTable {
  jti: string;
  kind: string;
  grant_type: string;
  family_id: Optional<string>;
  grant_id: Optional<string>;
  /** None for a personal access token. */
  client_id: Optional<string>;
  sub: string;
  resource: string;
  scope: string;
  token_type: string;
  jkt: Optional<string>;
  workspace_id: Optional<string>;
  /** The token that this one was exchanged from, or the refresh token that bought it. */
  parent_jti: Optional<string>;
  /** The first token of a chain of exchanges, or the family that a token belongs to. */
  root_jti: Optional<string>;
  claims: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>;
  issued_at: Time;
  expires_at: Time;
  revoked_at: OptionalTime;
}

export interface PersonalAccessTokensTable {
  jti: string;
  user_id: string;
  name: string;
  created_at: Time;
  last_used_at: OptionalTime;
  last_used_from: Optional<string>;
}

export interface UserIdentitiesTable {
  issuer: string;
  subject: string;
  user_id: string;
  created_at: Time;
  last_used_at: OptionalTime;
}

export interface TrustedIssuersTable {
  issuer: string;
  jwks_uri: Optional<string>;
  jwks: ColumnType<{ keys: Record<string, unknown>[] } | null, string | null, string | null>;
  clients: Optional<string[]>;
  resources: Optional<string[]>;
  scopes: Optional<string[]>;
  subject: 'automatic' | 'strict';
  enabled: Generated<boolean>;
  source: 'config' | 'admin';
  created_at: Time;
  updated_at: Time;
}

export interface AuditEventsTable {
  id: Generated<string>;
  at: Time;
  type: string;
  actor_kind: string;
  actor_id: Optional<string>;
  client_id: Optional<string>;
  user_id: Optional<string>;
  resource: Optional<string>;
  ip: Optional<string>;
  user_agent: Optional<string>;
  trace_id: Optional<string>;
  detail: Json<Record<string, unknown>>;
  /** The transaction that wrote it: the order in which it is sealed. */
  txn: Generated<string>;
}

export interface SigningKeysTable {
  kid: string;
  alg: string;
  public_jwk: Json<Record<string, unknown>>;
  private_sealed: string;
  created_at: Time;
  signs_from: Time;
  retired_at: OptionalTime;
  expires_at: OptionalTime;
}

export interface SettingsTable {
  name: string;
  value: string;
  updated_at: Time;
}

/** Every table, as kysely sees it; columns and indexes are explained in migrations/. */
export interface Tables {
  resources: ResourcesTable;
  clients: ClientsTable;
  client_document_failures: ClientDocumentFailuresTable;
  users: UsersTable;
  sessions: SessionsTable;
  admin_sessions: AdminSessionsTable;
  api_keys: ApiKeysTable;
  login_attempts: LoginAttemptsTable;
  one_time_links: OneTimeLinksTable;
  grants: GrantsTable;
  families: FamiliesTable;
  artifacts: ArtifactsTable;
  replay_claims: ReplayClaimsTable;
  issuances: IssuancesTable;
  personal_access_tokens: PersonalAccessTokensTable;
  user_identities: UserIdentitiesTable;
  trusted_issuers: TrustedIssuersTable;
  identity_providers: IdentityProvidersTable;
  provider_sign_ins: ProviderSignInsTable;
  audit_events: AuditEventsTable;
  audit_blocks: AuditBlocksTable;
  audit_checkpoints: AuditCheckpointsTable;
  audit_webhook: AuditWebhookTable;
  audit_dead_letters: AuditDeadLettersTable;
  flows: FlowsTable;
  signing_keys: SigningKeysTable;
  settings: SettingsTable;
  job_runs: JobRunsTable;
  stats_hourly: StatsHourlyTable;
  stats_active: StatsActiveTable;
  replicas: ReplicasTable;
  idempotent_requests: IdempotentRequestsTable;
  client_hosts: ClientHostsTable;
  workspaces: WorkspacesTable;
  workspace_members: WorkspaceMembersTable;
  reconnect_links: ReconnectLinksTable;
  workspace_credentials: WorkspaceCredentialsTable;
  workspace_invitations: WorkspaceInvitationsTable;
  mcp_servers: McpServersTable;
  upstream_registrations: UpstreamRegistrationsTable;
  upstream_connections: UpstreamConnectionsTable;
  upstream_authorizations: UpstreamAuthorizationsTable;
  upstream_connect_links: UpstreamConnectLinksTable;
  upstream_revocations: UpstreamRevocationsTable;
}
