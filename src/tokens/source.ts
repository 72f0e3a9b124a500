import { type ClaimsUser, type ClaimsWorkspace, workspaceOf } from './claims.ts';

/** One presented code or refresh token with all that it hangs on, as read in one statement. */
export interface Source {
  kind: string;
  /** The presented value. */
  value: string;
  clientId: string;
  payload: Record<string, unknown>;
  expiresAt: Date;
  consumedAt?: Date;
  hasSuccessor: boolean;
  familyId: string;
  family: Record<string, unknown>;
  familyExpiresAt: Date;
  /** The family or its grant has been revoked. */
  ended: boolean;
  userId: string;
  accountActive: boolean;
  /** The person, for claims. */
  user: ClaimsUser;
  /** When the client's row last changed: a client known by that version need not be read again. */
  clientVersion?: Date;
  /** That was granted, where the resource is workspace-scoped. */
  workspace?: ClaimsWorkspace;
}

/** As `read_source` gives it. */
export interface SourceRow {
  kind: string;
  client_id: string;
  payload: Record<string, unknown>;
  expires_at: Date;
  consumed_at: Date | null;
  successor_sealed: string | null;
  family_id: string | null;
  family: Record<string, unknown> | null;
  family_expires_at: Date | null;
  ended: boolean;
  workspace_id: string | null;
  workspace_slug: string | null;
  workspace_name: string | null;
  workspace_role: string | null;
  user_id: string | null;
  user_status: string | null;
  email: string | null;
  name: string | null;
  role: string | null;
  groups: string[] | null;
  client_version: Date | null;
}

/** @returns undefined for an artifact without a family: it cannot be exchanged, its authorization is gone */
export function toSource(value: string, row: SourceRow): Source | undefined {
  if (!row.family_id || !row.family || !row.family_expires_at || !row.user_id) return undefined;
  return {
    kind: row.kind,
    value,
    clientId: row.client_id,
    payload: row.payload,
    expiresAt: row.expires_at,
    consumedAt: row.consumed_at ?? undefined,
    hasSuccessor: row.successor_sealed !== null,
    familyId: row.family_id,
    family: row.family,
    familyExpiresAt: row.family_expires_at,
    ended: row.ended,
    userId: row.user_id,
    accountActive: row.user_status === 'active',
    user: {
      id: row.user_id,
      email: row.email ?? '',
      name: row.name ?? undefined,
      role: row.role ?? undefined,
      groups: row.groups ?? [],
    },
    clientVersion: row.client_version ?? undefined,
    workspace: workspaceOf(row),
  };
}
