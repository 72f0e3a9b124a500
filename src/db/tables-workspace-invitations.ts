import type { ColumnType } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type OptionalTime = ColumnType<Date | null, Date | null | undefined, Date | null>;

export interface WorkspaceInvitationsTable {
  /** `inv_…` */
  id: string;
  /** SHA-256 of the token in the link, base64url. */
  token_hash: string;
  workspace_id: string;
  email: string;
  email_key: string;
  role: 'member' | 'admin';
  /** `account`: by an admin of the workspace. */
  source: 'account' | 'admin' | 'cli';
  /** The person; null for a program. */
  invited_by: string | null;
  created_at: Time;
  expires_at: Time;
  used_at: OptionalTime;
  revoked_at: OptionalTime;
}
