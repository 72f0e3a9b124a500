import { type Database, statement } from '../db/index.ts';

/** An issued token with the state of everything that it hangs on. */
export interface IssuanceFacts {
  jti: string;
  kind: string;
  grant_type: string;
  sub: string;
  client_id: string | null;
  resource: string;
  scope: string;
  token_type: string;
  jkt: string | null;
  workspace_id: string | null;
  /** What the person is in the workspace now. */
  workspace_role: 'member' | 'admin' | null;
  family_id: string | null;
  grant_id: string | null;
  parent_jti: string | null;
  claims: Record<string, unknown> | null;
  issued_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  /** When a refresh token was exchanged for its successor. */
  consumed_at: Date | null;
  client_status: string | null;
  client_name: string | null;
  user_status: string | null;
  email: string | null;
  groups: string[] | null;
  family_known: boolean;
  family_revoked_at: Date | null;
  grant_known: boolean;
  grant_revoked_at: Date | null;
  /** Whether what it was exchanged from is alive; null where it was not exchanged. */
  parent_alive: boolean | null;
}

const readFacts = statement(
  'read_issuance_facts',
  `SELECT i.jti, i.kind, i.grant_type, i.sub, i.client_id, i.resource, i.scope, i.token_type, i.jkt,
          i.workspace_id, i.family_id, i.grant_id, i.parent_jti, i.claims, i.issued_at, i.expires_at,
          i.revoked_at, a.consumed_at, c.status AS client_status, c.client_name,
          u.status AS user_status, u.email, u.groups, m.role AS workspace_role,
          f.id IS NOT NULL AS family_known, f.revoked_at AS family_revoked_at,
          g.id IS NOT NULL AS grant_known, g.revoked_at AS grant_revoked_at,
          CASE WHEN i.grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
            THEN issuance_alive(i.parent_jti) END AS parent_alive
     FROM issuances i
     LEFT JOIN artifacts a ON a.id = i.jti AND i.kind = 'refresh_token'
     LEFT JOIN clients c ON c.client_id = i.client_id
     LEFT JOIN users u ON u.id = i.sub
     LEFT JOIN workspace_members m ON m.workspace_id = i.workspace_id AND m.user_id = i.sub
     LEFT JOIN families f ON f.id = i.family_id
     LEFT JOIN grants g ON g.id = coalesce(i.grant_id, f.grant_id)
    WHERE i.jti = $1`,
);

/** Why a token is or is not good for anything, for people: reads one token by its `jti`. */
export async function findIssuanceFacts(
  db: Pick<Database, 'run'>,
  jti: string,
): Promise<IssuanceFacts | undefined> {
  const [facts] = await db.run<IssuanceFacts>(readFacts, [jti]);
  return facts;
}
