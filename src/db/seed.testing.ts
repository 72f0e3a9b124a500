import pg from 'pg';

/** How many rows of each kind. */
export interface Crowd {
  clients: number;
  people: number;
  grants: number;
  issuances: number;
  events: number;
}

/** What the console must stay fast with. */
export const million: Crowd = {
  clients: 100_000,
  people: 100_000,
  grants: 300_000,
  issuances: 1_000_000,
  events: 1_000_000,
};

/**
 * Fills a migrated database with a crowd, spread over the last 60 days, for the benchmark and for the test of
 * query plans. The resources `https://mcp-0.example.test/mcp` to 9 are named in the rows and not registered.
 */
export async function seedCrowd(connectionString: string, crowd: Crowd): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    for (const statement of statements(crowd)) await client.query(statement);
    await client.query('VACUUM (ANALYZE)');
  } finally {
    await client.end();
  }
}

/** A moment of the last 60 days, the higher `n` the later. */
function moment(n: string, of: number): string {
  return `now() - interval '60 days' * (1 - ${n}::float8 / ${of})`;
}

function statements({ clients, people, grants, issuances, events }: Crowd): string[] {
  const person = (n: string) => `'usr_seed_' || lpad((${n} % ${people})::text, 7, '0')`;
  const app = (n: string) => `'dcr_seed_' || lpad((${n} % ${clients})::text, 7, '0')`;
  const resource = (n: string) => `'https://mcp-' || (${n} % 10) || '.example.test/mcp'`;
  return [
    `INSERT INTO users (id, email, email_key, name, status, source, created_at, updated_at)
     SELECT ${person('n')}, 'person' || n || '@example.test', 'person' || n || '@example.test',
            'Person ' || n, 'active', 'admin', ${moment('n', people)}, ${moment('n', people)}
       FROM generate_series(0, ${people - 1}) n`,
    `INSERT INTO clients (client_id, kind, client_name, metadata, source, created_at, updated_at, last_used_at)
     SELECT ${app('n')}, CASE n % 10 WHEN 0 THEN 'preregistered' ELSE 'dcr' END,
            (ARRAY['Claude', 'Cursor', 'VS Code', 'Inspector'])[1 + n % 4] || ' ' || n,
            jsonb_build_object('redirect_uris', jsonb_build_array('http://127.0.0.1/callback'),
              'grant_types', jsonb_build_array('authorization_code', 'refresh_token'),
              'response_types', jsonb_build_array('code'), 'application_type', 'native',
              'token_endpoint_auth_method', 'none'),
            CASE n % 10 WHEN 0 THEN 'admin' ELSE 'registration' END,
            ${moment('n', clients)}, ${moment('n', clients)}, ${moment('n', clients)}
       FROM generate_series(0, ${clients - 1}) n`,
    `INSERT INTO grants (id, user_id, client_id, resource, scopes, offered_scopes, redirect_host, created_at,
                         updated_at, last_used_at)
     SELECT 'gr_seed_' || n, ${person('n')}, ${app('n * 7')}, ${resource('n / 100000 + n')}, '{a,b}', '{a,b,c}',
            '127.0.0.1', ${moment('n', grants)}, ${moment('n', grants)}, ${moment('n', grants)}
       FROM generate_series(0, ${grants - 1}) n ON CONFLICT DO NOTHING`,
    `INSERT INTO families (id, grant_id, client_id, user_id, payload, expires_at, revoked_at, created_at)
     SELECT 'fam_seed_' || g.id, g.id, g.client_id, g.user_id, '{}', g.created_at + interval '90 days',
            CASE WHEN hashtext(g.id) % 10 = 0 THEN now() END, g.created_at
       FROM grants g WHERE g.id LIKE 'gr_seed_%'`,
    `INSERT INTO issuances (jti, kind, grant_type, family_id, grant_id, client_id, sub, resource, scope, token_type,
                            root_jti, issued_at, expires_at)
     SELECT 'jti_seed_' || n, CASE n % 2 WHEN 0 THEN 'access_token' ELSE 'refresh_token' END,
            CASE n % 5 WHEN 0 THEN 'authorization_code' ELSE 'refresh_token' END,
            'fam_seed_gr_seed_' || (n % ${grants}), 'gr_seed_' || (n % ${grants}), ${app(`(n % ${grants}) * 7`)},
            ${person(`(n % ${grants})`)}, ${resource('n')}, 'a b', 'Bearer', 'fam_seed_gr_seed_' || (n % ${grants}),
            ${moment('n', issuances)}, ${moment('n', issuances)} + interval '1 hour'
       FROM generate_series(0, ${issuances - 1}) n`,
    `INSERT INTO audit_events (at, type, actor_kind, actor_id, client_id, user_id, resource, ip, user_agent, trace_id,
                               detail)
     SELECT ${moment('n', events)},
            (ARRAY['token_issued', 'token_refreshed', 'token_refreshed', 'user_login', 'consent_granted'])[1 + n % 5],
            'client', ${app('n * 7')}, ${app('n * 7')}, ${person('n')}, ${resource('n')}, '192.0.2.' || (n % 250),
            'node', 'SEED' || lpad(n::text, 6, '0'), '{"scope": "a b", "grant_type": "refresh_token"}'
       FROM generate_series(0, ${events - 1}) n`,
  ];
}
