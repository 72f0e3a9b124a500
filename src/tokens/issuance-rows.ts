import type { Issuance } from './exchange.ts';

/**
 * `revoked`: it, or something that it hangs on, has ended, or its client is suspended or its person
 * disabled; `used`: a refresh token that was exchanged for its successor.
 */
export type IssuanceStatus = 'active' | 'used' | 'expired' | 'revoked';

/** The record of an issued token as operators see it. */
export interface IssuanceRow {
  jti: string;
  kind: string;
  grant_type: string;
  status: IssuanceStatus;
  sub: string;
  /** E-mail address of the person; none for a machine. */
  username: string | null;
  client_id: string | null;
  resource: string;
  scope: string;
  token_type: string;
  jkt: string | null;
  workspace_id: string | null;
  family_id: string | null;
  grant_id: string | null;
  parent_jti: string | null;
  root_jti: string | null;
  issued_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
}

export interface IssuanceQuery {
  /** These have an index each. */
  /** Only what was issued for one of these workspaces. */
  workspaceIds?: readonly string[] | undefined;
  sub?: string | undefined;
  client_id?: string | undefined;
  parent?: string | undefined;
  resource?: string | undefined;
  grant_type?: string | undefined;
  kind?: Issuance['kind'] | undefined;
  status?: IssuanceStatus | undefined;
  /** Case-insensitive prefix of jti, sub, client_id or e-mail address. */
  q?: string | undefined;
  sort?: '-issued_at' | 'issued_at' | undefined;
  cursor?: string | undefined;
  /** 1 to 200. */
  limit: number;
}
