import { type CredentialKind, kindOfGrant } from './workspace-credentials-policy.ts';
import type { CredentialRow } from './workspace-credentials-queries.ts';

/** What made a credential, where no person did so by hand. */
export interface CredentialConnector {
  kind: 'reconnect_link';
  id: string;
}

/** A workspace credential as people see it. Never holds its value. */
export interface WorkspaceCredential {
  /** The part before the dot, which is no secret. */
  id: string;
  /** Of its issuance record: the hash of its value. */
  jti: string;
  kind: CredentialKind;
  label: string;
  workspaceId: string;
  /** URI of the one resource that it is for. */
  resource: string;
  /** The member whom it acts for. */
  createdBy: { id: string; email: string; name?: string };
  /** What made it, where no person did so by hand. */
  connector?: { kind: string; id: string };
  createdAt: Date;
  revokedAt?: Date;
  /** To the minute: when somebody last asked about it (introspection) or exchanged it. */
  lastUsedAt?: Date;
  /** Address of who asked, which is a resource server or a gateway, not the person. */
  lastUsedIp?: string;
  status: 'active' | 'revoked';
}

export function toCredential(row: CredentialRow): WorkspaceCredential {
  return {
    id: row.id,
    jti: row.jti,
    kind: kindOfGrant(row.grant_type),
    label: row.label,
    workspaceId: row.workspace_id,
    resource: row.resource,
    createdBy: {
      ...{ id: row.user_id, email: row.email },
      ...(row.user_name !== null && { name: row.user_name }),
    },
    ...(row.connector_kind !== null && {
      connector: { kind: row.connector_kind, id: row.connector_id ?? '' },
    }),
    createdAt: row.created_at,
    ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
    ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
    ...(row.last_used_from !== null && { lastUsedIp: row.last_used_from }),
    status: row.revoked_at === null ? 'active' : 'revoked',
  };
}
