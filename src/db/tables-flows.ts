import type { ColumnType, JSONColumnType } from 'kysely';

type Time = ColumnType<Date, Date, Date>;

/** One step of an attempt at rest; see flows/ for what it means. */
export interface StoredFlowStep {
  state: 'ok' | 'failed';
  /** ISO 8601. */
  at: string;
  /** Milliseconds. */
  ms?: number;
  trace?: string;
  request?: string;
  answer?: string;
  note?: string;
  error?: string;
  sentence?: string;
  differences?: { what: string; sent: string | null; expected: string[] }[];
  facts?: Record<string, string>;
  rules?: string[];
}

export interface FlowsTable {
  id: string;
  status: 'open' | 'succeeded' | 'failed';
  failed_step: string | null;
  error: string | null;
  sentence: string | null;
  client_id: string | null;
  /** As it was at the time. */
  client_name: string | null;
  client_kind: 'preregistered' | 'dcr' | 'cimd' | null;
  user_id: string | null;
  /** The registered URI, or what was sent in its place. */
  resource: string | null;
  redirect_host: string | null;
  scope: string | null;
  family_id: string | null;
  attempts: number;
  first_trace: string;
  last_trace: string;
  trace_ids: string[];
  /** By name of the step. */
  steps: JSONColumnType<Record<string, StoredFlowStep>, string, string>;
  created_at: Time;
  updated_at: Time;
  expires_at: Time;
}
