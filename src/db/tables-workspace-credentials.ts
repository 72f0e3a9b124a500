import type { ColumnType } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type OptionalTime = ColumnType<Date | null, Date | null | undefined, Date | null>;
type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>;

/** What belongs to an issuance of the kind `workspace_credential`. */
export interface WorkspaceCredentialsTable {
  jti: string;
  /** What people call it: the part before the dot. */
  id: string;
  workspace_id: string;
  user_id: string;
  label: string;
  /** How it came to be, where something else made it: `reconnect_link`. */
  connector_kind: Optional<string>;
  connector_id: Optional<string>;
  created_at: Time;
  last_used_at: OptionalTime;
  last_used_from: Optional<string>;
}
