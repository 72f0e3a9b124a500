import type { ColumnType, Generated } from 'kysely';

/** Numbers of 64 bits come as text, so that no digit is lost. */
type Big = ColumnType<string, number | string, number | string>;
type Time = ColumnType<Date, Date, Date>;

export interface AuditBlocksTable {
  number: Big;
  first_seq: Big;
  events: number;
  last_txn: Big;
  last_id: Big;
  latest_at: Time;
  entries: Buffer;
  previous_hash: Buffer;
  hash: Buffer;
  sealed_at: Time;
}

export interface AuditCheckpointsTable {
  number: Big;
  block: Big;
  kid: string;
  public_jwk: ColumnType<Record<string, unknown>, string, string>;
  jws: string;
  signed_at: Time;
}

export interface AuditWebhookTable {
  name: string;
  next_seq: Big;
  attempts: Generated<number>;
  next_attempt_at: Time;
  single_until: Generated<string>;
  lease_owner: string | null;
  lease_until: Date | null;
  last_error: string | null;
}

export interface AuditDeadLettersTable {
  id: Generated<string>;
  event_id: Big;
  event_at: Time;
  type: string;
  reason: string;
  attempts: number;
  failed_at: Time;
}
