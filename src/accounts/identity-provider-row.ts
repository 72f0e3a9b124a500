import type { ProviderSettings } from '../db/index.ts';
import type { ProviderRow } from './identity-providers-queries.ts';

/** Where people may sign in instead (OpenID Connect). */
export interface IdentityProvider extends ProviderSettings {
  slug: string;
  issuer: string;
  client_id: string;
  /** Our secret there, sealed. */
  secretSealed: string | null;
  display_name: string;
  enabled: boolean;
  source: 'config' | 'admin';
  createdAt: Date;
  updatedAt: Date;
}

/** A stored provider as the rooms see it. */
export function toProvider(row: ProviderRow): IdentityProvider {
  const { slug, issuer, client_id, display_name, settings, enabled, source } = row;
  return {
    ...{ slug, issuer, client_id, display_name, ...settings, enabled, source },
    secretSealed: row.client_secret_sealed,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
