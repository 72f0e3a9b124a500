import { type Kysely, sql } from 'kysely';

/** What operators search, count and edit: hosts of clients, labels and counts of grants, repeated requests. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Answers to POST requests with an Idempotency-Key. The key is hashed with who sent it to what; the answer
  // may hold a secret, so it is sealed. Without an answer the request is running, or broke off.
  `CREATE TABLE idempotent_requests (
    key_hash text PRIMARY KEY,
    body_digest text NOT NULL,
    answer_sealed text,
    expires_at timestamptz NOT NULL
  )`,
  'CREATE INDEX idempotent_requests_expiry ON idempotent_requests (expires_at)',

  // Where the answers of a client go and where its document is, for search: derived from clients by a trigger,
  // so that no writer of metadata can forget it. Native clients take a new port at every start: it is left out.
  `CREATE TABLE client_hosts (
    client_id text NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    host text NOT NULL,
    PRIMARY KEY (client_id, host)
  )`,
  'CREATE INDEX client_hosts_host ON client_hosts (host text_pattern_ops, client_id)',
  `CREATE FUNCTION hosts_of_client(metadata jsonb, document_host text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE AS $$
      SELECT DISTINCT left(lower(host), 300) FROM (
        SELECT CASE
          WHEN uri ~* '^http://(localhost|127[.]0[.]0[.]1|\\[::1\\])(:[0-9]+)?([/?]|$)'
            THEN substring(uri FROM '^[^/]+//(\\[::1\\]|[^:/?]+)')
          WHEN uri ~* '^https?://' THEN regexp_replace(substring(uri FROM '^[^/]+//([^/?]+)'), ':443$', '')
          ELSE substring(uri FROM '^[^:/?]+:')
        END AS host
        FROM jsonb_array_elements_text(coalesce(metadata->'redirect_uris', '[]')) AS uris(uri)
        UNION SELECT document_host
      ) AS hosts WHERE host <> ''
    $$`,
  `CREATE FUNCTION keep_client_hosts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' THEN
        IF NEW.metadata->'redirect_uris' IS NOT DISTINCT FROM OLD.metadata->'redirect_uris'
           AND NEW.document_host IS NOT DISTINCT FROM OLD.document_host THEN
          RETURN NULL;
        END IF;
        DELETE FROM client_hosts WHERE client_id = NEW.client_id;
      END IF;
      INSERT INTO client_hosts (client_id, host)
        SELECT NEW.client_id, host FROM hosts_of_client(NEW.metadata, NEW.document_host) AS host
        ON CONFLICT DO NOTHING;
      RETURN NULL;
    END $$`,
  `CREATE TRIGGER keep_client_hosts AFTER INSERT OR UPDATE OF metadata, document_host ON clients
    FOR EACH ROW EXECUTE FUNCTION keep_client_hosts()`,
  `INSERT INTO client_hosts (client_id, host)
    SELECT client_id, host FROM clients, hosts_of_client(metadata, document_host) AS host
    ON CONFLICT DO NOTHING`,

  // Lists of clients: each order has an index that ends in the key, and what is rare has one of its own.
  'DROP INDEX clients_created',
  'CREATE INDEX clients_created ON clients (created_at, client_id)',
  'CREATE INDEX clients_kind ON clients (kind, created_at, client_id)',
  `CREATE INDEX clients_suspended ON clients (created_at, client_id) WHERE status = 'suspended'`,
  `CREATE INDEX clients_last_used ON clients
    ((coalesce(last_used_at, '1970-01-01 00:00:00+00'::timestamptz)), client_id)`,
  'CREATE INDEX clients_id_prefix ON clients (lower(client_id) text_pattern_ops)',
  'CREATE INDEX clients_name_prefix ON clients (lower(client_name) text_pattern_ops)',
  `CREATE INDEX audit_events_document_changes ON audit_events (client_id, at)
    WHERE type = 'client_document_changed'`,

  // Grants: a label of the operator's, orders and counts.
  'ALTER TABLE grants ADD COLUMN label text',
  'DROP INDEX grants_created',
  'CREATE INDEX grants_created ON grants (created_at, id)',
  'CREATE INDEX grants_resource ON grants (resource, created_at, id)',
  'CREATE INDEX grants_revoked ON grants (created_at, id) WHERE revoked_at IS NOT NULL',
  'CREATE INDEX grants_live_client ON grants (client_id, created_at) WHERE revoked_at IS NULL',
  'CREATE INDEX grants_live_user ON grants (user_id, created_at) WHERE revoked_at IS NULL',
  'CREATE INDEX grants_live_resource ON grants (resource, created_at) WHERE revoked_at IS NULL',
  'CREATE INDEX grants_id_prefix ON grants (lower(id) text_pattern_ops)',
];
