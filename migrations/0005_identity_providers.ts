import { type Kysely, sql } from 'kysely';

/** Where people may sign in instead (OpenID Connect), and the sign-ins under way there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `CREATE TABLE identity_providers (
    slug text PRIMARY KEY,
    issuer text NOT NULL,
    client_id text NOT NULL,
    client_secret_sealed text,
    display_name text NOT NULL,
    settings jsonb NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    source text NOT NULL CHECK (source IN ('config', 'admin')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  )`,

  // A browser that was sent to a provider: what its answer must fit to. Deleted by the answer; the state and
  // the browser's cookie are known by their hashes, the code verifier is sealed.
  `CREATE TABLE provider_sign_ins (
    state_hash text PRIMARY KEY,
    provider text NOT NULL REFERENCES identity_providers (slug) ON DELETE CASCADE,
    browser_hash text NOT NULL,
    nonce text NOT NULL,
    verifier_sealed text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('login', 'account', 'admin')),
    interaction_uid text,
    origin text,
    return_to text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
  )`,
  'CREATE INDEX provider_sign_ins_expiry ON provider_sign_ins (expires_at)',
];
