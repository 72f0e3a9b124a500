import type { ColumnType, Generated } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>;
type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post';

export interface UpstreamRegistrationsTable {
  server_id: number;
  issuer: string;
  /** Somebody gave it; our metadata document; registered dynamically. */
  kind: 'given' | 'document' | 'dynamic';
  client_id: string;
  client_secret_sealed: Optional<string>;
  client_secret_expires_at: Optional<Date>;
  auth_method: ClientAuthMethod;
  redirect_uri: string;
  discovery: ColumnType<Record<string, unknown>, string, string>;
  created_at: Time;
}

export interface UpstreamConnectionsTable {
  server_id: number;
  user_id: string;
  /** Another one after each new connection. */
  id: string;
  kind: 'oauth' | 'direct';
  issuer: Optional<string>;
  status: 'connected' | 'error';
  /** Why it is in error. */
  problem: Optional<string>;
  access_sealed: Optional<string>;
  refresh_sealed: Optional<string>;
  scopes: Generated<string[]>;
  /** Of the access token; none where it was not told. */
  expires_at: Optional<Date>;
  lease: Optional<string>;
  lease_until: Optional<Date>;
  connected_at: Time;
  refreshed_at: Optional<Date>;
  last_used_at: Optional<Date>;
}

export interface UpstreamAuthorizationsTable {
  state_hash: string;
  server_id: number;
  /** As it was when the browser left. */
  server_url: string;
  user_id: string;
  issuer: string;
  browser_hash: string;
  session_hash: string;
  verifier_sealed: string;
  scope: string;
  resource: string;
  created_at: Time;
  expires_at: Time;
}

export interface UpstreamConnectLinksTable {
  token_hash: string;
  server_id: number;
  user_id: string;
  created_at: Time;
  expires_at: Time;
}

export interface UpstreamRevocationsTable {
  id: Generated<string>;
  server_id: number;
  user_id: string;
  issuer: string;
  endpoint: string;
  client_id: string;
  client_secret_sealed: Optional<string>;
  auth_method: ClientAuthMethod;
  access_sealed: Optional<string>;
  refresh_sealed: Optional<string>;
  attempts: Generated<number>;
  next_at: Time;
}
