import { type Database, statement } from '../db/index.ts';
import type { IssuedToken } from './exchange.ts';
import { readIssuance } from './statements.ts';

/** A standing consent of the subject's user to one resource. */
export interface StandingConsent {
  id: string;
  scopes: string[];
}

/** The record of a subject token, and what may speak for exchanging it. */
export interface ExchangeSubject extends IssuedToken {
  /** Groups of the person. */
  groups: string[];
  /** What the person lets the caller do, by resource, as long as it stands. */
  consents: Record<string, StandingConsent>;
  /** The same for the workspace of the token. */
  workspace_consents: Record<string, StandingConsent>;
}

const readSubject = statement(
  'read_subject',
  `SELECT s.*, coalesce(p.groups, '{}') AS groups,
          coalesce((SELECT jsonb_object_agg(g.resource, jsonb_build_object('id', g.id, 'scopes', g.scopes))
                      FROM grants g
                     WHERE g.user_id = s.sub AND g.client_id = $2 AND g.workspace_id = ''
                       AND g.revoked_at IS NULL), '{}') AS consents,
          coalesce((SELECT jsonb_object_agg(g.resource, jsonb_build_object('id', g.id, 'scopes', g.scopes))
                      FROM grants g
                     WHERE g.user_id = s.sub AND g.client_id = $2
                       AND g.workspace_id = nullif(s.workspace_id, '')
                       AND g.revoked_at IS NULL), '{}') AS workspace_consents
     FROM (${readIssuance.text}) s
     LEFT JOIN users p ON p.id = s.sub`,
);

/**
 * The record of a subject token with the consents of its user to the caller, by indexed reads in one
 * round trip: those without a workspace, and those for the workspace of the token.
 */
export function findSubject(db: Database) {
  return async (jti: string, callerId: string): Promise<ExchangeSubject | undefined> => {
    const [row] = await db.run<Omit<ExchangeSubject, 'jti'>>(readSubject, [jti, callerId]);
    return row && { ...row, jti };
  };
}
