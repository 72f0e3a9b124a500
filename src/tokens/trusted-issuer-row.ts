import { listsOf, type TrustedIssuerRow } from './trusted-issuers-queries.ts';

/** An identity provider whose identity assertions are accepted, and for what. */
export interface TrustedIssuer {
  issuer: string;
  jwksUri?: string;
  jwks?: { keys: Record<string, unknown>[] };
  /** client_ids that may present its assertions; absent means any. */
  clients?: string[];
  /** URIs of resources that it may speak for; absent means any. */
  resources?: string[];
  /** Ceiling of the scopes that it may speak for; absent means any. */
  scopes?: string[];
  subject: 'automatic' | 'strict';
  enabled: boolean;
  source: 'config' | 'admin';
  createdAt: Date;
  updatedAt: Date;
}

/** A stored issuer as the rooms see it. */
export function toIssuer(row: TrustedIssuerRow): TrustedIssuer {
  const { issuer, subject, enabled, source, jwks_uri, jwks } = row;
  return {
    ...{ issuer, subject, enabled, source, createdAt: row.created_at, updatedAt: row.updated_at },
    ...(jwks_uri !== null && { jwksUri: jwks_uri }),
    ...(jwks !== null && { jwks }),
    ...listsOf(row),
  };
}
