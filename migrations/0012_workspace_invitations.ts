import { type Kysely, sql } from 'kysely';

/** One-time links with which people become members of a workspace. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Every invitation has one address, and works for the account with it alone. invited_by is null where no
  // person made it (an API key, the command line): then only time, use and revocation end it.
  `CREATE TABLE workspace_invitations (
    id text PRIMARY KEY,
    token_hash text NOT NULL UNIQUE,
    workspace_id text NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    email text NOT NULL,
    email_key text NOT NULL,
    role text NOT NULL CHECK (role IN ('member', 'admin')),
    source text NOT NULL CHECK (source IN ('account', 'admin', 'cli')),
    invited_by text REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz
  )`,
  'CREATE INDEX workspace_invitations_created ON workspace_invitations (workspace_id, created_at, id)',
  'CREATE INDEX workspace_invitations_expires ON workspace_invitations (expires_at)',
  'CREATE INDEX workspace_invitations_inviter ON workspace_invitations (invited_by) WHERE invited_by IS NOT NULL',
];
