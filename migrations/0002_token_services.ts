import { type Kysely, sql } from 'kysely';

/** Machine tokens, token exchange, identity assertions, personal access tokens, configured claims. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // A personal access token belongs to a person, not to a client.
  'ALTER TABLE issuances ALTER COLUMN client_id DROP NOT NULL',
  // The first token of a chain of exchanges, or the family that a token belongs to.
  'ALTER TABLE issuances ADD COLUMN root_jti text',
  'CREATE INDEX issuances_parent ON issuances (parent_jti) WHERE parent_jti IS NOT NULL',
  'CREATE INDEX issuances_grant ON issuances (grant_id) WHERE grant_id IS NOT NULL AND family_id IS NULL',
  // What a person or a client was issued, newest first: the two questions that operators begin with. Every
  // other filter walks along these or the index of all by time, so that a token costs two entries more, not six.
  'CREATE INDEX issuances_sub ON issuances (sub, issued_at)',
  'CREATE INDEX issuances_client ON issuances (client_id, issued_at) WHERE client_id IS NOT NULL',
  // Grants newest first, of everybody and of one client; a person's are few and found by the unique key.
  'CREATE INDEX grants_created ON grants (created_at)',
  'DROP INDEX grants_client',
  'CREATE INDEX grants_client ON grants (client_id, created_at)',

  // Whether an issued token and all that it was exchanged from are still alive. Edges of a refresh are not
  // followed: the family says that. What nobody knows any more (a deleted client) is not alive.
  `CREATE FUNCTION issuance_alive(start_jti text) RETURNS boolean LANGUAGE sql STABLE AS $$
     WITH RECURSIVE chain AS (
       SELECT start_jti AS jti, 0 AS depth
       UNION ALL
       SELECT i.parent_jti, chain.depth + 1
         FROM chain JOIN issuances i ON i.jti = chain.jti
        WHERE i.grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange' AND chain.depth < 32
     )
     SELECT coalesce(bool_and(coalesce(
              i.jti IS NOT NULL AND i.revoked_at IS NULL
              AND (i.client_id IS NULL OR c.status = 'active')
              AND (NOT starts_with(i.sub, 'usr_') OR u.status = 'active')
              AND (i.family_id IS NULL OR (f.id IS NOT NULL AND f.revoked_at IS NULL))
              AND (i.grant_id IS NULL OR (g.id IS NOT NULL AND g.revoked_at IS NULL)), false)), false)
       FROM chain
       LEFT JOIN issuances i ON i.jti = chain.jti
       LEFT JOIN clients c ON c.client_id = i.client_id
       LEFT JOIN users u ON u.id = i.sub
       LEFT JOIN families f ON f.id = i.family_id
       LEFT JOIN grants g ON g.id = i.grant_id
   $$`,

  // Named, long-lived tokens that people make for themselves; scope, expiry and end are in the issuance.
  `CREATE TABLE personal_access_tokens (
    jti text PRIMARY KEY REFERENCES issuances (jti) ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    last_used_from text
  )`,
  'CREATE INDEX personal_access_tokens_user ON personal_access_tokens (user_id, created_at)',
  'CREATE INDEX personal_access_tokens_created ON personal_access_tokens (created_at)',

  // Who a person is at another issuer: never linked by e-mail address.
  `CREATE TABLE user_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    PRIMARY KEY (issuer, subject)
  )`,
  'CREATE INDEX user_identities_user ON user_identities (user_id)',
  'ALTER TABLE users DROP CONSTRAINT users_source_check',
  `ALTER TABLE users ADD CONSTRAINT users_source_check
     CHECK (source IN ('config', 'admin', 'cli', 'setup', 'issuer'))`,

  // Issuers whose identity assertions (ID-JAG) are accepted; absent lists mean any that is registered.
  `CREATE TABLE trusted_issuers (
    issuer text PRIMARY KEY,
    jwks_uri text,
    jwks jsonb,
    clients text[],
    resources text[],
    scopes text[],
    subject text NOT NULL DEFAULT 'automatic' CHECK (subject IN ('automatic', 'strict')),
    enabled boolean NOT NULL DEFAULT true,
    source text NOT NULL CHECK (source IN ('config', 'admin')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  )`,

  // Claims that a resource's tokens carry beside the standard ones, and the hook that may add to them.
  `ALTER TABLE resources ADD COLUMN claims jsonb NOT NULL DEFAULT '{}'`,
  'ALTER TABLE resources ADD COLUMN claims_hook jsonb',
];
