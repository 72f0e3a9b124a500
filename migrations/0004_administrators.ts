import { type Kysely, sql } from 'kysely';

/** Who may use the administration: its sessions, API keys, and what its lists of people are read along. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Sign-in sessions of the admin listener; id is the hash of the cookie's value. What its person may do is
  // read from users at every request.
  `CREATE TABLE admin_sessions (
    id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider text,
    ip text,
    user_agent text,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
  )`,
  'CREATE INDEX admin_sessions_user ON admin_sessions (user_id)',
  'CREATE INDEX admin_sessions_expiry ON admin_sessions (expires_at)',

  // Keys of programs that call the admin API; prefix is how the value begins, enough to recognise it.
  `CREATE TABLE api_keys (
    id text PRIMARY KEY,
    name text NOT NULL,
    hash text NOT NULL UNIQUE,
    prefix text NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'operator', 'owner')),
    created_by text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    last_used_from text,
    revoked_at timestamptz
  )`,
  'CREATE INDEX api_keys_created ON api_keys (created_at, id)',
  'CREATE INDEX api_keys_id_prefix ON api_keys (lower(id) text_pattern_ops)',
  'CREATE INDEX api_keys_name_prefix ON api_keys (lower(name) text_pattern_ops)',
  'CREATE INDEX api_keys_value_prefix ON api_keys (lower(prefix) text_pattern_ops)',

  // Lists of people: newest first, by role, the disabled, of a group; searched by what an id, address or name
  // begins with.
  'CREATE INDEX users_created ON users (created_at, id)',
  'CREATE INDEX users_role ON users (role, created_at, id) WHERE role IS NOT NULL',
  `CREATE INDEX users_disabled ON users (created_at, id) WHERE status = 'disabled'`,
  'CREATE INDEX users_groups ON users USING gin (groups)',
  'CREATE INDEX users_id_prefix ON users (lower(id) text_pattern_ops)',
  'CREATE INDEX users_email_prefix ON users (email_key text_pattern_ops)',
  'CREATE INDEX users_name_prefix ON users (lower(name) text_pattern_ops) WHERE name IS NOT NULL',

  // Links that set a password, of one person: a new one replaces those before it.
  'CREATE INDEX one_time_links_subject ON one_time_links (subject) WHERE subject IS NOT NULL',
];
