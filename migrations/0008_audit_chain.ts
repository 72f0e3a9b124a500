import { type Kysely, sql } from 'kysely';

/** The audit log sealed into a hash chain, found by who and what, and delivered to a webhook. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // The transaction that wrote a row. Rows are sealed in this order, once no transaction before it can still
  // commit: ids come from a sequence and become visible out of order, transactions that ended never change.
  // Plus an offset, which is 0 until the rows move to a database that counts its transactions anew. It is no
  // row of a table, since it belongs to this database and not to what is restored into it.
  'CREATE FUNCTION audit_txn_offset() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 0::bigint $$',
  `ALTER TABLE audit_events ADD COLUMN txn bigint NOT NULL
     DEFAULT (pg_current_xact_id()::text::bigint + audit_txn_offset())`,
  'CREATE INDEX audit_events_txn ON audit_events (txn, id)',
  // What operators ask for by name; every other filter walks along these or along the key by time.
  'CREATE INDEX audit_events_client ON audit_events (client_id, at) WHERE client_id IS NOT NULL',
  'CREATE INDEX audit_events_user ON audit_events (user_id, at) WHERE user_id IS NOT NULL',
  `CREATE INDEX audit_events_trace ON audit_events (trace_id text_pattern_ops)
     WHERE trace_id IS NOT NULL`,

  // The chain: every block seals the events between the end of the one before and (last_txn, last_id).
  // entries: 48 bytes an event, in order: id (8), time in microseconds (8), SHA-256 of its canonical form (32).
  // hash: SHA-256 over number, hash of the block before, place of its first event, and entries.
  `CREATE TABLE audit_blocks (
    number bigint PRIMARY KEY,
    first_seq bigint NOT NULL,
    events int NOT NULL CHECK (events > 0),
    last_txn bigint NOT NULL,
    last_id bigint NOT NULL,
    latest_at timestamptz NOT NULL,
    entries bytea NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL
  )`,
  'CREATE UNIQUE INDEX audit_blocks_end ON audit_blocks (last_txn, last_id)',
  'CREATE UNIQUE INDEX audit_blocks_seq ON audit_blocks (first_seq)',
  // Hashes do not get smaller.
  'ALTER TABLE audit_blocks ALTER COLUMN entries SET STORAGE EXTERNAL',

  // Signed statements (JWS) that the chain was so long and ended in this hash. The public key is kept
  // for those who check them after the key is gone; what makes them trusted is a key of the server.
  `CREATE TABLE audit_checkpoints (
    number bigint PRIMARY KEY,
    block bigint NOT NULL,
    kid text NOT NULL,
    public_jwk jsonb NOT NULL,
    jws text NOT NULL,
    signed_at timestamptz NOT NULL
  )`,
  'CREATE INDEX audit_checkpoints_block ON audit_checkpoints (block)',
  'CREATE INDEX audit_checkpoints_signed ON audit_checkpoints (signed_at, number)',
  `CREATE FUNCTION audit_chain_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$`,
  ...['audit_blocks', 'audit_checkpoints'].flatMap((table) => [
    // Retention deletes what led to a checkpoint; nothing changes anything.
    `CREATE TRIGGER ${table}_append_only BEFORE UPDATE ON ${table}
      FOR EACH ROW EXECUTE FUNCTION audit_chain_append_only()`,
    `CREATE TRIGGER ${table}_no_truncate BEFORE TRUNCATE ON ${table}
      FOR EACH STATEMENT EXECUTE FUNCTION audit_chain_append_only()`,
  ]),

  // How far the webhook has delivered the chain: before event number "next_seq". Whoever holds the lease sends.
  `CREATE TABLE audit_webhook (
    name text PRIMARY KEY,
    next_seq bigint NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    single_until bigint NOT NULL DEFAULT 0,
    lease_owner text,
    lease_until timestamptz,
    last_error text
  )`,
  'CREATE SEQUENCE audit_dead_letters_id',
  `CREATE TABLE audit_dead_letters (
    id bigint PRIMARY KEY DEFAULT nextval('audit_dead_letters_id'),
    event_id bigint NOT NULL,
    event_at timestamptz NOT NULL,
    type text NOT NULL,
    reason text NOT NULL,
    attempts int NOT NULL,
    failed_at timestamptz NOT NULL
  )`,
  'CREATE INDEX audit_dead_letters_failed ON audit_dead_letters (failed_at, id)',
];
