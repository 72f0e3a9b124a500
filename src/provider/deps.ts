import type { Logger } from 'pino';
import type { Accounts, Federation, IdentityProviders, Workspaces } from '../accounts/index.ts';
import type { AuditMeta, Metrics } from '../audit/index.ts';
import type { Clients } from '../clients/index.ts';
import type { Config } from '../config/index.ts';
import type { Withdrawals } from '../consent/index.ts';
import type { Database } from '../db/index.ts';
import type { Flows } from '../flows/index.ts';
import type { Csrf } from '../http/index.ts';
import type { Keys } from '../keys/index.ts';
import type { Resources } from '../resources/index.ts';
import type { ClaimsHooks, IdentityAssertions, Tokens } from '../tokens/index.ts';
import type { Upstream } from '../upstream/index.ts';

/** What token exchange asks for that is none of our resources. */
export interface VendingRequest {
  clientId: string;
  subject: { jti: string; userId: string; workspaceId?: string | undefined };
  audience: readonly string[];
  resource: readonly string[];
  scope: string | undefined;
}

/** The way to upstream/, which keeps the tokens that members have at other MCP servers. */
export interface Vending {
  /** Whether one of those servers is asked for. */
  isMeant(request: VendingRequest): Promise<boolean>;
  /** @throws OAuthError invalid_target, invalid_scope, consent_required, temporarily_unavailable */
  vend(
    request: VendingRequest,
    meta: AuditMeta,
  ): Promise<{ accessToken: string; scopes: readonly string[]; expiresIn?: number }>;
}

/** Everything this room works with, built once in app.ts. */
export interface ProviderDeps {
  config: Config;
  /** Path of the issuer without a trailing slash; empty for a root issuer. */
  base: string;
  db: Database;
  keys: Keys;
  tokens: Tokens;
  assertions: IdentityAssertions;
  clients: Clients;
  accounts: Accounts;
  identityProviders: IdentityProviders;
  federation: Federation;
  workspaces: Workspaces;
  resources: Resources;
  withdrawals: Withdrawals;
  claimsHooks: ClaimsHooks;
  flows: Flows;
  vending: Vending;
  upstream: Pick<Upstream, 'servers' | 'connections'>;
  metrics: Metrics;
  log: Logger;
  csrf: Csrf;
  secrets: {
    /** Signs the library's cookies. */
    cookies: string;
    /** 32 bytes, the same on every replica, from which DPoP nonces are derived. */
    dpopNonce: Buffer;
  };
  now: () => Date;
  /** Time, address, user agent and trace id of the current request, for the audit log. */
  auditMeta: () => AuditMeta;
}
