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
