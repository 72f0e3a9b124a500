import type { McpServer } from './server.ts';

/** How a person stands to a server. */
export type ConnectorStatus = 'connected' | 'disconnected' | 'error';

/** What a request to the server is made with, or why there is nothing to make it with. */
export type Access = Granted | NotGranted;

export interface Granted {
  ok: true;
  /** Headers to send; empty where there are no tokens (`none`, `api_key`, `direct_auth`). */
  headers: Record<string, string>;
  /** What was connected with OAuth. */
  token?: { value: string; scopes: readonly string[]; issuer: string; expiresAt?: Date };
}

export interface NotGranted {
  ok: false;
  /** `upstream_unavailable`: connected, but its authorization server does not answer now. */
  code: 'authentication_required' | 'upstream_unavailable';
  authType: McpServer['authType'];
  /** Seconds, where waiting helps. */
  retryAfter?: number;
}

/** A member who has connected. */
export interface ConnectedMember {
  userId: string;
  email: string;
  name?: string;
  status: 'connected' | 'error';
  scopes: string[];
  connectedAt: Date;
  lastUsedAt: Date | undefined;
  /** Of the access token. */
  expiresAt: Date | undefined;
}

/** The browser in which a connection is made. */
export interface ConnectingBrowser {
  /** Value of the browser's own cookie. */
  mark: string;
  /** uid of the sign-in session. */
  sessionUid: string;
}
