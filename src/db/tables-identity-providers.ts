import type { ColumnType, Generated, JSONColumnType } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>;

/** What is set of an identity provider beside who it is. */
export interface ProviderSettings {
  scopes: string[];
  groups_claim: string;
  roles: Record<string, 'viewer' | 'operator' | 'owner'>;
  groups: Record<string, string>;
  automatic: boolean;
  private_network: boolean;
}

export interface IdentityProvidersTable {
  slug: string;
  issuer: string;
  client_id: string;
  client_secret_sealed: Optional<string>;
  display_name: string;
  settings: JSONColumnType<ProviderSettings, string, string>;
  enabled: Generated<boolean>;
  source: 'config' | 'admin';
  created_at: Time;
  updated_at: Time;
}

export interface ProviderSignInsTable {
  state_hash: string;
  provider: string;
  browser_hash: string;
  nonce: string;
  verifier_sealed: string;
  purpose: 'login' | 'account' | 'admin';
  interaction_uid: Optional<string>;
  /** Where the administration was opened. */
  origin: Optional<string>;
  /** Sealed: the address may have a secret in it, such as that of an invitation. */
  return_to: Optional<string>;
  created_at: Time;
  expires_at: Time;
}
