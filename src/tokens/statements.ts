import { statement } from '../db/index.ts';
import { grantTypes } from '../oauth/index.ts';

/**
 * The token path in SQL: one statement reads all that a request presents, one writes all that it
 * does. A single use is a conditional write; whatever depends on it is inserted only when it won.
 */

/** Everything behind one presented code or refresh token: artifact, family, grant, person. */
export const readSource = statement(
  'read_source',
  `SELECT a.kind, a.client_id, a.payload, a.expires_at, a.consumed_at, a.successor_sealed,
          a.family_id, f.payload AS family, f.expires_at AS family_expires_at, f.grant_id,
          (f.revoked_at IS NOT NULL OR g.revoked_at IS NOT NULL) AS ended,
          f.created_at AS family_created_at, f.user_id,
          w.id AS workspace_id, w.slug AS workspace_slug, w.name AS workspace_name, m.role AS workspace_role,
          u.status AS user_status, u.email, u.name, u.role, u.groups, c.updated_at AS client_version
     FROM artifacts a
     LEFT JOIN families f ON f.id = a.family_id
     LEFT JOIN grants g ON g.id = f.grant_id
     LEFT JOIN users u ON u.id = f.user_id
     LEFT JOIN clients c ON c.client_id = a.client_id
     LEFT JOIN workspaces w ON w.id = nullif(g.workspace_id, '')
     LEFT JOIN workspace_members m ON m.workspace_id = w.id AND m.user_id = f.user_id
    WHERE a.id = $1 AND a.kind = $2`,
);

/** A consumed refresh token and its consumed successors, oldest first (the overlap window). */
export const readChain = statement(
  'read_chain',
  `WITH RECURSIVE chain AS (
     SELECT id, successor_id, successor_sealed, consumed_at, 0 AS depth FROM artifacts WHERE id = $1
     UNION ALL
     SELECT a.id, a.successor_id, a.successor_sealed, a.consumed_at, c.depth + 1
       FROM chain c JOIN artifacts a ON a.id = c.successor_id
      WHERE a.consumed_at IS NOT NULL AND c.depth < 1000
   ) SELECT successor_sealed, consumed_at FROM chain ORDER BY depth`,
);

const recordEvents = `INSERT INTO audit_events
    (at, type, actor_kind, actor_id, client_id, user_id, resource, ip, user_agent, trace_id, detail)`;
const eventColumns = `e.at, e.type, e.actor_kind, e.actor_id, e.client_id, e.user_id, e.resource, e.ip,
    e.user_agent, e.trace_id, (e.detail #>> '{}')::jsonb`;
const eventRecords = `AS e(at timestamptz, type text, actor_kind text, actor_id text, client_id text,
    user_id text, resource text, ip text, user_agent text, trace_id text, detail jsonb)`;
const claimReplays = `INSERT INTO replay_claims (id, expires_at)
    SELECT c.id, c.expires_at FROM jsonb_to_recordset($1::jsonb) AS c(id text, expires_at timestamptz)
    ON CONFLICT (id) DO NOTHING RETURNING id`;
const issuanceColumns = `jti, kind, grant_type, client_id, sub, resource, scope, token_type, jkt,
         workspace_id, parent_jti, root_jti, claims, issued_at, expires_at`;
const issuanceValues = `i.jti, i.kind, i.grant_type, i.client_id, i.sub, i.resource, i.scope, i.token_type,
         i.jkt, i.workspace_id, i.parent_jti, i.root_jti, i.claims, i.issued_at, i.expires_at`;
const issuanceRecords = `AS i(jti text, kind text, grant_type text, client_id text, sub text,
         resource text, scope text, token_type text, jkt text, workspace_id text, parent_jti text,
         root_jti text, claims jsonb, issued_at timestamptz, expires_at timestamptz)`;

/**
 * One exchange: replay claims, consumption, successor, issuances and audit events, or nothing but
 * the claims. `allowed` is where a cached client, person, grant or resource is asked again.
 *
 * $1 claims, $2 family, $3 resource, $4 now, $5 number of claims, $6 artifact to consume or null,
 * $7 successor or null, $8 sealed successor, $9 issuances, $10 events, $11 oldest time of last use
 * that is fresh enough
 */
export const commitExchange = statement(
  'commit_exchange',
  `WITH claimed AS (${claimReplays}),
   allowed AS (
     SELECT f.id, f.grant_id, f.client_id
       FROM families f
       JOIN clients c ON c.client_id = f.client_id AND c.status = 'active'
       JOIN users u ON u.id = f.user_id AND u.status = 'active'
       JOIN resources r ON r.uri = $3 AND r.enabled
       JOIN grants g ON g.id = f.grant_id AND g.revoked_at IS NULL
      WHERE f.id = $2 AND f.revoked_at IS NULL AND f.expires_at > $4
        AND (SELECT count(*) FROM claimed) = $5::int
   ),
   consumed AS (
     UPDATE artifacts SET consumed_at = $4, successor_id = $7::jsonb ->> 'id', successor_sealed = $8
      WHERE id = $6::text AND consumed_at IS NULL AND EXISTS (SELECT 1 FROM allowed)
     RETURNING id
   ),
   done AS (
     SELECT grant_id, client_id FROM allowed WHERE $6::text IS NULL OR EXISTS (SELECT 1 FROM consumed)
   ),
   succeeded AS (
     INSERT INTO artifacts (id, kind, family_id, client_id, payload, expires_at, created_at)
     SELECT s.id, s.kind, s.family_id, s.client_id, s.payload, s.expires_at, $4
       FROM done, jsonb_to_record($7::jsonb)
         AS s(id text, kind text, family_id text, client_id text, payload jsonb, expires_at timestamptz)
      WHERE $7::jsonb IS NOT NULL
   ),
   issued AS (
     INSERT INTO issuances (family_id, grant_id, ${issuanceColumns})
     SELECT $2, done.grant_id, ${issuanceValues}
       FROM done, jsonb_to_recordset($9::jsonb) ${issuanceRecords}
   ),
   recorded AS (
     ${recordEvents}
     SELECT ${eventColumns} FROM done, jsonb_to_recordset($10::jsonb) ${eventRecords}
   ),
   grant_used AS (
     UPDATE grants SET last_used_at = $4
      WHERE id = (SELECT grant_id FROM done) AND (last_used_at IS NULL OR last_used_at < $11)
   ),
   client_used AS (
     UPDATE clients SET last_used_at = $4
      WHERE client_id = (SELECT client_id FROM done) AND (last_used_at IS NULL OR last_used_at < $11)
   )
   SELECT ARRAY(SELECT id FROM claimed) AS claimed,
          (SELECT count(*) FROM allowed)::int AS allowed,
          (SELECT count(*) FROM done)::int AS done`,
);

/**
 * Tokens that no family stands behind (machines, exchanges, identity assertions): claims, issuances and
 * audit events, or nothing but the claims. Person, membership and consent are locked until then: who ends
 * them waits, and then finds this token too. Attack: a token that is issued while its consent is withdrawn comes back
 * to life when the person consents again.
 *
 * $1 claims, $2 client, $3 user or null, $4 resource, $5 now, $6 number of claims, $7 parent token or
 * null, $8 grant or null, $9 issuances, $10 events, $11 oldest time of last use that is fresh enough,
 * $12 workspace or null
 */
export const commitIssuance = statement(
  'commit_issuance',
  `WITH claimed AS (${claimReplays}),
   person AS (SELECT id FROM users WHERE id = $3::text AND status = 'active' FOR SHARE),
   member AS (
     SELECT user_id FROM workspace_members WHERE workspace_id = $12::text AND user_id = $3::text FOR SHARE
   ),
   standing AS (
     SELECT id FROM grants WHERE id = $8::text AND revoked_at IS NULL FOR NO KEY UPDATE
   ),
   allowed AS (
     SELECT c.client_id
       FROM clients c
       JOIN resources r ON r.uri = $4 AND r.enabled
      WHERE c.client_id = $2 AND c.status = 'active'
        AND ($3::text IS NULL OR EXISTS (SELECT 1 FROM person))
        AND ($12::text IS NULL OR EXISTS (SELECT 1 FROM member))
        AND ($7::text IS NULL OR issuance_alive($7))
        AND ($8::text IS NULL OR EXISTS (SELECT 1 FROM standing))
        AND (SELECT count(*) FROM claimed) = $6::int
   ),
   issued AS (
     INSERT INTO issuances (grant_id, ${issuanceColumns})
     SELECT $8::text, ${issuanceValues}
       FROM allowed, jsonb_to_recordset($9::jsonb) ${issuanceRecords}
   ),
   recorded AS (
     ${recordEvents}
     SELECT ${eventColumns} FROM allowed, jsonb_to_recordset($10::jsonb) ${eventRecords}
   ),
   grant_used AS (
     UPDATE grants SET last_used_at = $5
      WHERE id = $8 AND EXISTS (SELECT 1 FROM allowed)
        AND (last_used_at IS NULL OR last_used_at < $11)
   ),
   client_used AS (
     UPDATE clients SET last_used_at = $5
      WHERE client_id = (SELECT client_id FROM allowed)
        AND (last_used_at IS NULL OR last_used_at < $11)
   )
   SELECT ARRAY(SELECT id FROM claimed) AS claimed,
          (SELECT count(*) FROM allowed)::int AS allowed,
          (SELECT count(*) FROM allowed)::int AS done`,
);

/**
 * What commits even when the request is refused: replay claims, the end of a family after reuse,
 * and the audit of the refusal (a family that has ended before ends silently). $1 claims, $2 family to end or null, $3 now, $4 events
 */
export const commitRefusal = statement(
  'commit_refusal',
  `WITH claimed AS (${claimReplays}),
   ended AS (UPDATE families SET revoked_at = $3 WHERE id = $2::text AND revoked_at IS NULL RETURNING id),
   erased AS (
     UPDATE artifacts SET successor_sealed = NULL
      WHERE family_id = $2::text AND successor_sealed IS NOT NULL AND EXISTS (SELECT 1 FROM ended)
   ),
   recorded AS (
     ${recordEvents}
     SELECT ${eventColumns} FROM jsonb_to_recordset($4::jsonb) ${eventRecords}
      WHERE $2::text IS NULL OR EXISTS (SELECT 1 FROM ended)
   )
   SELECT ARRAY(SELECT id FROM claimed) AS claimed`,
);

/**
 * One issued token and whether everything it hangs on is still alive: one indexed read. What it was
 * exchanged from is asked only where it was exchanged.
 */
export const readIssuance = statement(
  'read_issuance',
  `SELECT i.kind, i.grant_type, i.family_id, i.grant_id, i.client_id, i.sub, i.resource, i.scope,
          i.token_type, i.jkt, i.workspace_id, i.parent_jti, i.root_jti, i.claims, i.issued_at,
          i.expires_at, u.email AS username, u.groups,
          coalesce(p.last_used_at, k.last_used_at) AS last_used_at, k.id AS credential_id,
          w.slug AS workspace_slug, w.name AS workspace_name, m.role AS workspace_role,
          (i.revoked_at IS NULL
            AND (i.client_id IS NULL OR c.status = 'active')
            AND (NOT starts_with(i.sub, 'usr_') OR u.status = 'active')
            AND (i.family_id IS NULL OR (f.id IS NOT NULL AND f.revoked_at IS NULL))
            AND (i.grant_id IS NULL OR (g.id IS NOT NULL AND g.revoked_at IS NULL))
            AND (i.grant_type <> '${grantTypes.tokenExchange}' OR issuance_alive(i.parent_jti))) AS alive
     FROM issuances i
     LEFT JOIN families f ON f.id = i.family_id
     LEFT JOIN grants g ON g.id = i.grant_id
     LEFT JOIN clients c ON c.client_id = i.client_id
     LEFT JOIN users u ON u.id = i.sub
     LEFT JOIN personal_access_tokens p ON p.jti = i.jti AND i.kind = 'personal_access_token'
     LEFT JOIN workspace_credentials k ON k.jti = i.jti AND i.kind = 'workspace_credential'
     LEFT JOIN workspaces w ON w.id = i.workspace_id
     LEFT JOIN workspace_members m ON m.workspace_id = i.workspace_id AND m.user_id = i.sub
    WHERE i.jti = $1`,
);

/**
 * Ends one issued token and everything that was exchanged from it, at any depth, with its audit events;
 * what has ended before ends silently. A reader asks the whole chain anyway, so that a token which is
 * exchanged at this very moment dies too.
 *
 * $1 token, $2 now, $3 events
 */
export const endIssuance = statement(
  'end_issuance',
  `WITH RECURSIVE tree AS (
     SELECT jti FROM issuances WHERE jti = $1
     UNION
     SELECT i.jti FROM tree JOIN issuances i ON i.parent_jti = tree.jti
      WHERE i.grant_type = '${grantTypes.tokenExchange}'
   ),
   ended AS (
     UPDATE issuances SET revoked_at = $2
      WHERE jti IN (SELECT jti FROM tree) AND revoked_at IS NULL AND expires_at > $2
     RETURNING jti
   ),
   recorded AS (
     ${recordEvents}
     SELECT ${eventColumns} FROM jsonb_to_recordset($3::jsonb) ${eventRecords}
      WHERE EXISTS (SELECT 1 FROM ended)
   )
   SELECT jti FROM ended`,
);
