import type { ColumnType } from 'kysely';

type Time = ColumnType<Date, Date, Date>;
type OptionalTime = ColumnType<Date | null, Date | null | undefined, Date | null>;
type Optional<T> = ColumnType<T | null, T | null | undefined, T | null>;

export interface AdminSessionsTable {
  /** Hash of the cookie's value. */
  id: string;
  user_id: string;
  /** Slug of the identity provider they signed in at; none for a password. */
  provider: Optional<string>;
  ip: Optional<string>;
  user_agent: Optional<string>;
  created_at: Time;
  /** To the minute. */
  last_seen_at: Time;
  /** When it ends if nothing is done; never after `ends_at`. */
  expires_at: Time;
  ends_at: Time;
}

export interface ApiKeysTable {
  id: string;
  name: string;
  hash: string;
  prefix: string;
  role: 'viewer' | 'operator' | 'owner';
  created_by: Optional<string>;
  created_at: Time;
  expires_at: OptionalTime;
  last_used_at: OptionalTime;
  last_used_from: Optional<string>;
  revoked_at: OptionalTime;
}
