import type { ColumnType } from 'kysely';

/** Answers to requests with an Idempotency-Key, until they expire. */
export interface IdempotentRequestsTable {
  key_hash: string;
  body_digest: string;
  /** Null while the request runs. */
  answer_sealed: ColumnType<string | null, string | null | undefined, string>;
  expires_at: ColumnType<Date, Date, never>;
}

/** Hosts that a client is found by; a trigger on `clients` keeps them. */
export interface ClientHostsTable {
  client_id: string;
  host: ColumnType<string, never, never>;
}
