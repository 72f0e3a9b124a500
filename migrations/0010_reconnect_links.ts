import { type Kysely, sql } from 'kysely';

/** One-time links with which somebody gets a new workspace credential for a client. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // user_id: for whom alone the link is; null: for every admin of the workspace.
  `CREATE TABLE reconnect_links (
    id text PRIMARY KEY,
    secret_hash text NOT NULL UNIQUE,
    client_id text NOT NULL,
    workspace_id text NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    resource text NOT NULL,
    user_id text REFERENCES users (id) ON DELETE CASCADE,
    label text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
  )`,
  'CREATE INDEX reconnect_links_asked ON reconnect_links (workspace_id, client_id, created_at)',
  'CREATE INDEX reconnect_links_user ON reconnect_links (user_id) WHERE user_id IS NOT NULL',
  'CREATE INDEX reconnect_links_expires ON reconnect_links (expires_at)',
];
