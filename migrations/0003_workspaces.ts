import { type Kysely, sql } from 'kysely';

/** Workspaces and who is a member of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `CREATE TABLE workspaces (
    id text PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    source text NOT NULL CHECK (source IN ('config', 'admin', 'cli')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  )`,
  'CREATE INDEX workspaces_created ON workspaces (created_at, id)',
  // Search by the beginning of id, slug (both in lower case) or name.
  'CREATE INDEX workspaces_id_prefix ON workspaces (id text_pattern_ops)',
  'CREATE INDEX workspaces_slug_prefix ON workspaces (slug text_pattern_ops)',
  'CREATE INDEX workspaces_name_prefix ON workspaces (lower(name) text_pattern_ops)',

  // What a person may grant for a workspace hangs on this row: whoever lets somebody in through it locks it
  // FOR SHARE, and whoever deletes it ends everything that was granted under it in the same transaction.
  `CREATE TABLE workspace_members (
    workspace_id text NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('member', 'admin')),
    source text NOT NULL CHECK (source IN ('config', 'admin', 'cli')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
  )`,
  'CREATE INDEX workspace_members_user ON workspace_members (user_id, workspace_id)',
  'CREATE INDEX workspace_members_created ON workspace_members (workspace_id, created_at, user_id)',

  // What was granted for a workspace and issued under it; nothing else pays for these.
  `CREATE INDEX grants_workspace ON grants (workspace_id, created_at) WHERE workspace_id <> ''`,
  'CREATE INDEX issuances_workspace ON issuances (workspace_id, issued_at) WHERE workspace_id IS NOT NULL',
];
