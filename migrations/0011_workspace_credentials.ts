import { type Kysely, sql } from 'kysely';

/** Workspace credentials: what a client that knows no OAuth presents for one workspace. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Each hangs on its issuance, which says whose it is, what for, and whether it has ended. It has no expiry of
  // its own: expires_at of that issuance is the year 9999.
  `CREATE TABLE workspace_credentials (
    jti text PRIMARY KEY REFERENCES issuances (jti) ON DELETE CASCADE,
    id text NOT NULL UNIQUE,
    workspace_id text NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    label text NOT NULL,
    connector_kind text,
    connector_id text,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    last_used_from text
  )`,
  'CREATE INDEX workspace_credentials_created ON workspace_credentials (workspace_id, created_at, jti)',
  'CREATE INDEX workspace_credentials_user ON workspace_credentials (user_id)',

  // One live default for a workspace at a resource, whoever makes two at once. Other tokens are in none of these.
  `CREATE UNIQUE INDEX issuances_default_credential ON issuances (workspace_id, resource)
    WHERE kind = 'workspace_credential' AND grant_type = 'default_workspace_credential' AND revoked_at IS NULL`,
  // The live ones of a workspace, newest first; a workspace may have ended many.
  `CREATE INDEX issuances_live_credentials ON issuances (workspace_id, issued_at, jti)
    WHERE kind = 'workspace_credential' AND revoked_at IS NULL`,
  // Those that ended, for the clean-up: no expiry says when they may go.
  `CREATE INDEX issuances_ended_credentials ON issuances (revoked_at)
    WHERE kind = 'workspace_credential' AND revoked_at IS NOT NULL`,
];
