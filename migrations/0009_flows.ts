import { type Kysely, sql } from 'kysely';

/** Authorization attempts as operators see them: one row each, from metadata to token. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `CREATE TABLE flows (
    id text PRIMARY KEY,
    status text NOT NULL,
    failed_step text,
    error text,
    sentence text,
    client_id text,
    client_name text,
    client_kind text,
    user_id text,
    resource text,
    redirect_host text,
    scope text,
    family_id text,
    attempts integer NOT NULL,
    first_trace text NOT NULL,
    last_trace text NOT NULL,
    trace_ids text[] NOT NULL,
    steps jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
  )`,
  // Newest first: of all, and along each filter that operators begin with.
  'CREATE INDEX flows_created ON flows (created_at, id)',
  'CREATE INDEX flows_client ON flows (client_id, created_at, id)',
  'CREATE INDEX flows_user ON flows (user_id, created_at, id) WHERE user_id IS NOT NULL',
  'CREATE INDEX flows_resource ON flows (resource, created_at, id)',
  'CREATE INDEX flows_status ON flows (status, created_at, id)',
  'CREATE INDEX flows_error ON flows (error, created_at, id) WHERE error IS NOT NULL',
  'CREATE INDEX flows_failed_step ON flows (failed_step, created_at, id) WHERE failed_step IS NOT NULL',
  // Any trace id that an error page showed.
  'CREATE INDEX flows_traces ON flows USING gin (trace_ids)',
  // Prefix search.
  'CREATE INDEX flows_client_prefix ON flows (lower(client_id) text_pattern_ops)',
  'CREATE INDEX flows_name_prefix ON flows (lower(client_name) text_pattern_ops)',
  'CREATE INDEX flows_host_prefix ON flows (lower(redirect_host) text_pattern_ops)',
  'CREATE INDEX flows_first_trace_prefix ON flows (lower(first_trace) text_pattern_ops)',
  'CREATE INDEX flows_last_trace_prefix ON flows (lower(last_trace) text_pattern_ops)',
  // The first call at the resource server is told by the token that it came with.
  'CREATE INDEX flows_family ON flows (family_id) WHERE family_id IS NOT NULL',
  'CREATE INDEX flows_expires ON flows (expires_at)',
];
