import type { JWK } from 'jose';
import type { CapStore } from './cap-store.ts';
import type { ReplayStore } from './replay.ts';

/** Whether DPoP (RFC 9449) is ignored, accepted beside Bearer, or demanded of every token. */
export type DpopMode = 'off' | 'supported' | 'required';

/** How this MCP server asks the authorization server about tokens (RFC 7662): as one of `resources[].clients` there. */
export type IntrospectionOptions = {
  clientId: string;
  /** For `client_secret_basic`. Give this or `privateKey`. */
  clientSecret?: string | undefined;
  /** For `private_key_jwt`: a private JWK with its `alg` (and its `kid`, where the client has several keys). */
  privateKey?: JWK | undefined;
  /** Seconds for which an answer is kept, 0 to 5; never for workspace credentials. Default: 0, every call is asked about. */
  cacheSeconds?: number;
  /** Ask about JWTs too, after their signature was checked, so that a revoked one is refused at once. Default: false. */
  jwts?: boolean;
  /** Seconds to wait for an answer. Default: 5. */
  timeoutSeconds?: number;
};

/** Fair use: a cap on `tools/call` per workspace and UTC day. */
export type DailyCapOptions = {
  /** Calls in a day; the next one is answered with a tool result that has `isError`. */
  limit: number;
  /** Where the calls are counted: `memoryCapStore()` for one process, a shared one for several. */
  store: CapStore;
};

/** Nonces for DPoP proofs, made and checked without a store. */
export type DpopNonceOptions = {
  /** 32 characters or more, the same in every process that serves this resource. */
  secret: string;
  /** Seconds after which clients must take a new one. Default: 300. */
  lifetime?: number;
};

/** What an MCP server author tells `protectMcp`. */
export type ProtectMcpOptions = {
  /** The authorization server's issuer, byte for byte as it writes it in its metadata. */
  issuer: string;
  /** This MCP server's URL as clients type it and as the authorization server registered it. */
  resource: string;
  /** Every scope this server knows (`scopes_supported`). */
  scopes: readonly string[];
  /** Tool name → the scopes it needs, all of them. A tool without an entry needs only a valid token. */
  toolScopes?: Readonly<Record<string, string | readonly string[]>>;
  /** Scope → the scopes it includes, followed transitively: `{ write: ['read'] }`. */
  implies?: Readonly<Record<string, string | readonly string[]>>;
  /** The scopes named in the 401, that is what a client asks for first. Default: all `scopes`. */
  initialScopes?: readonly string[];
  /** Default: `supported`. */
  dpop?: DpopMode;
  /** `resource_name` for people. */
  resourceName?: string;
  /** Serve a copy of the issuer's metadata on this origin, for clients of 2025-03-26. Default: true. */
  serveMetadata?: boolean;
  /** Largest JSON-RPC body in bytes. Default: 4 MiB. */
  maxBodyBytes?: number;
  /** Seconds that the issuer's keys are kept, and between two looks for an unknown key. Default: 600 and 30. */
  jwks?: { maxAge?: number; cooldown?: number };
  /** Remembers used DPoP proofs. Default: this process's memory; share one between replicas. */
  replay?: ReplayStore;
  /**
   * Ask the authorization server about tokens (RFC 7662): needed for opaque tokens, personal access tokens and workspace
   * credentials. Without it only JWTs are accepted.
   */
  introspection?: IntrospectionOptions;
  /** How many `tools/call` a workspace may make in a day (UTC). */
  dailyCap?: DailyCapOptions;
  /** Demand a nonce of this server in DPoP proofs (RFC 9449 section 9). Default: none. */
  dpopNonce?: DpopNonceOptions;
  /**
   * What becomes of a tool without an entry in `toolScopes`: `allow` lets any valid token call it, `deny` refuses it until
   * the table has it, with an empty list where no scope is needed. Default: `allow`.
   */
  unlistedTools?: 'allow' | 'deny';
  /** How the issuer is reached. Default: the global `fetch`. */
  fetch?: typeof fetch;
  /** Default: the system's clock. */
  clock?: () => Date;
  /** Told why a request was answered 500 or 503; the client is not. */
  onError?: (error: unknown) => void;
};

/** The options, checked, with the defaults filled in. */
export type Settings = {
  issuer: string;
  resource: string;
  resourceUrl: URL;
  scopes: readonly string[];
  toolScopes: ReadonlyMap<string, readonly string[]>;
  implies: ReadonlyMap<string, readonly string[]>;
  initialScopes: readonly string[];
  dpop: DpopMode;
  resourceName: string | undefined;
  serveMetadata: boolean;
  maxBodyBytes: number;
  jwks: { maxAge: number; cooldown: number };
  introspection: IntrospectionSettings | undefined;
  dailyCap: DailyCapOptions | undefined;
  dpopNonce: { secret: string; lifetime: number } | undefined;
  unlistedTools: 'allow' | 'deny';
};

/** The credentials of this resource server, and how it asks. */
export type IntrospectionSettings = {
  clientId: string;
  credential: { kind: 'secret'; secret: string } | { kind: 'key'; jwk: JWK };
  cacheSeconds: number;
  jwts: boolean;
  timeoutSeconds: number;
};
