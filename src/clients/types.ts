import type { Actor, AuditMeta } from '../audit/index.ts';

export type AuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';

/** Algorithms that a client may sign its assertions with (RFC 7523); no HMAC. */
export type AssertionAlgorithm = 'ES256' | 'EdDSA' | 'Ed25519' | 'PS256' | 'RS256';

/** A public key as RFC 7517 writes it, with the members that we keep. */
export interface PublicKey {
  kty: 'RSA' | 'EC' | 'OKP';
  kid?: string;
  use?: 'sig';
  alg?: string;
  n?: string;
  e?: string;
  crv?: string;
  x?: string;
  y?: string;
}

export interface PublicKeySet {
  keys: PublicKey[];
}

/** What is effective for a client, under the wire names of RFC 7591; never a secret. */
export interface ClientMetadata {
  client_name?: string;
  client_uri?: string;
  logo_uri?: string;
  tos_uri?: string;
  policy_uri?: string;
  contacts?: string[];
  software_id?: string;
  software_version?: string;
  redirect_uris: string[];
  response_types: 'code'[];
  grant_types: string[];
  application_type: 'web' | 'native';
  token_endpoint_auth_method: AuthMethod;
  /** More than one only where a document leaves the choice open; see {@link authMethodFor}. */
  token_endpoint_auth_methods_supported?: AuthMethod[];
  token_endpoint_auth_signing_alg?: AssertionAlgorithm;
  jwks?: PublicKeySet;
  jwks_uri?: string;
  dpop_bound_access_tokens?: boolean;
  /** Its authorization requests must be pushed (RFC 9126 §6). */
  require_pushed_authorization_requests?: boolean;
}

/** A program that may ask for tokens. Its status is for the caller to check. */
export interface Client {
  clientId: string;
  kind: 'preregistered' | 'dcr' | 'cimd';
  status: 'active' | 'suspended';
  clientName?: string;
  metadata: ClientMetadata;
  /** SHA-256 of the secrets, newest first; see `secretsInForce` for those that are accepted. */
  secretHashes: string[];
  /** Until when all but the newest secret are accepted. */
  oldSecretUntil?: Date;
  /** URIs of the resources it may ask for; absent means all. */
  resources?: string[];
  /** Ceiling of its scopes, space-separated; absent means all. */
  scope?: string;
  /** Compatibility rules that were applied to its metadata. */
  rules: string[];
  documentHost?: string;
  documentFetchedAt?: Date;
  documentExpiresAt?: Date;
  source: 'config' | 'admin' | 'cli' | 'registration' | 'document';
  /** Of name, keys and redirect hosts: what people agreed to when they consented. */
  digest: string;
  createdAt: Date;
  updatedAt: Date;
  lastUsedAt?: Date;
}

/** The keys of the configuration that this room reads, under their names in the file; times in seconds. */
export interface ClientsConfig {
  server: { issuer: string };
  dcr: {
    mode: 'open' | 'approved_redirects' | 'initial_access_token' | 'admin_only';
    approved_redirects: readonly string[];
    unused_ttl: number;
    allow_device: boolean;
  };
  cimd: {
    enabled: boolean;
    allowed_hosts: readonly string[];
    denied_hosts: readonly string[];
    cache_ttl: number;
    allow_private_addresses: boolean;
  };
  compatibility: { strict: boolean; disabled: readonly string[] };
  client_credentials: { enabled: boolean };
  token_exchange: { enabled: boolean };
  xaa: { enabled: boolean };
  device: { enabled: boolean };
}

/** Who does it, and from where. */
export interface By {
  actor: Actor;
  meta: AuditMeta;
}

/** The part of a pino logger that this room uses. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
