import type { Context } from 'koa';
import type { Accounts, User, Workspaces } from '../accounts/index.ts';
import type { AuditMeta, Metrics } from '../audit/index.ts';
import type { Clients } from '../clients/index.ts';
import type { Config } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import type { Csrf } from '../http/index.ts';
import type { Resources } from '../resources/index.ts';
import type { IssuedToken, Tokens } from '../tokens/index.ts';
import type { Upstream } from '../upstream/index.ts';

/** What this room works with, built once in app.ts; what only provider/ can do is handed in. */
export interface ApiDeps {
  config: Config;
  /** Path of the issuer without a trailing slash; empty for a root issuer. */
  base: string;
  db: Database;
  accounts: Accounts;
  workspaces: Workspaces;
  clients: Clients;
  resources: Resources;
  tokens: Tokens;
  csrf: Csrf;
  metrics: Metrics;
  now: () => Date;
  /** Time, address, user agent and trace id of the current request, for the audit log. */
  auditMeta: () => AuditMeta;
  upstream: Upstream;
  bridge: ProviderBridge;
}

/** The way to provider/, which is on this room's level. */
export interface ProviderBridge {
  /** The record of a presented access token: ours, not expired, alive. Does NOT ask whom it is for. */
  findPresented(token: string): Promise<IssuedToken | undefined>;
  /** Notes that a token which needs it (a personal one) was used; goes on beside the answer. */
  noteUse(issued: IssuedToken): void;
  /** Who is signed in in this browser, if their account is active. */
  signedIn(ctx: Context): Promise<User | undefined>;
  /** The same with the session, for what is finished in the session in which it was begun. */
  signedInSession(ctx: Context): Promise<{ user: User; sessionUid: string } | undefined>;
  /** Sends the browser to sign in, by password or elsewhere, and back to a page below the issuer. */
  askToSignIn(ctx: Context, returnTo: string): void;
  /**
   * Answers a client that authenticates as at introspection (RFC 7662 §2.1); one that does not is refused,
   * a public client too.
   *
   * @param sent parameters of the body, of which only those of the authentication count
   */
  answerClient(
    ctx: Context,
    sent: Readonly<Record<string, string>>,
    answer: (clientId: string) => Promise<{ status: number; body: object }>,
  ): Promise<void>;
}
