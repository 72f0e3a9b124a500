import type { ColumnType } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type OptionalTime = ColumnType<Date | null, Date | null | undefined, Date | null>;

export interface ReconnectLinksTable {
  /** `rl_…` */
  id: string;
  /** SHA-256 of the secret in the link, base64url. */
  secret_hash: string;
  /** The resource server that asked. */
  client_id: string;
  workspace_id: string;
  resource: string;
  /** For whom alone it is; null: for every admin of the workspace. */
  user_id: string | null;
  /** As the client calls the connector. */
  label: string | null;
  created_at: Time;
  expires_at: Time;
  used_at: OptionalTime;
}
