import { type Database, hashId } from '../db/index.ts';
import type { NewArtifact } from './artifacts.ts';
import {
  commitExchange,
  commitRefusal,
  readChain,
  readIssuance,
  readSource,
} from './statements.ts';

/** One presented code or refresh token with all that it hangs on, as read in one statement. */
export interface Source {
  kind: string;
  /** The presented value. */
  value: string;
  clientId: string;
  payload: Record<string, unknown>;
  expiresAt: Date;
  consumedAt?: Date;
  hasSuccessor: boolean;
  familyId: string;
  family: Record<string, unknown>;
  familyExpiresAt: Date;
  /** The family or its grant has been revoked. */
  ended: boolean;
  userId: string;
  accountActive: boolean;
  /** When the client's row last changed: a client known by that version need not be read again. */
  clientVersion?: Date;
  workspaceId?: string;
}

export interface ReplayClaim {
  id: string;
  expiresAt: Date;
}

/** The record of one issued token, for people and for introspection. */
export interface Issuance {
  jti: string;
  kind: 'access_token' | 'refresh_token';
  grant_type: string;
  client_id: string;
  sub: string;
  resource: string;
  scope: string;
  token_type: 'Bearer' | 'DPoP';
  jkt?: string;
  workspace_id?: string;
  claims?: Record<string, unknown>;
  issued_at: Date;
  expires_at: Date;
}

/** An issued access token as introspection sees it. */
export interface IssuedToken extends Omit<Issuance, 'kind'> {
  family_id: string | null;
  family: Record<string, unknown> | null;
  alive: boolean;
}

export interface ExchangeWrites {
  familyId: string;
  resource: string;
  claims: ReplayClaim[];
  /** Value of the code or refresh token that this exchange uses up; none in the overlap window. */
  consume?: string;
  successor?: NewArtifact & { sealed?: string };
  issuances: Issuance[];
  /** Rows for audit_events. */
  events: object[];
}

/** How the one write of an exchange ended. */
export type Outcome = 'done' | 'replayed_proof' | 'not_allowed' | 'lost_race';

interface SourceRow {
  kind: string;
  client_id: string;
  payload: Record<string, unknown>;
  expires_at: Date;
  consumed_at: Date | null;
  successor_sealed: string | null;
  family_id: string | null;
  family: Record<string, unknown> | null;
  family_expires_at: Date | null;
  ended: boolean;
  workspace_id: string | null;
  user_id: string | null;
  user_status: string | null;
  client_version: Date | null;
}

const lastUsedResolution = 60_000; // milliseconds; a row used by thousands is not rewritten at each refresh

/** The token endpoint's unit of work: one read, one write. */
export function createExchange(db: Database) {
  return {
    /** Reads what a code or refresh token stands for. */
    async read(kind: string, value: string): Promise<Source | undefined> {
      const [row] = await db.run<SourceRow>(readSource, [hashId(value), kind]);
      return row && toSource(value, row);
    },

    /** The sealed successors of a used refresh token, oldest first. */
    async chain(value: string): Promise<(string | null)[]> {
      const rows = await db.run<{ successor_sealed: string | null }>(readChain, [hashId(value)]);
      return rows.map((row) => row.successor_sealed);
    },

    /** Writes everything or, but for replay claims, nothing. */
    async commit(writes: ExchangeWrites, now: Date): Promise<Outcome> {
      const { successor, consume } = writes;
      const [row] = await db.run<{ claimed: number; allowed: number; done: number }>(
        commitExchange,
        [
          claimsJson(writes.claims),
          writes.familyId,
          writes.resource,
          now,
          writes.claims.length,
          consume === undefined ? null : hashId(consume),
          successor ? successorJson(successor) : null,
          successor?.sealed ?? null,
          JSON.stringify(writes.issuances),
          JSON.stringify(writes.events),
          new Date(now.getTime() - lastUsedResolution),
        ],
      );
      if (row?.done) return 'done';
      if ((row?.claimed ?? 0) < writes.claims.length) return 'replayed_proof';
      return row?.allowed ? 'lost_race' : 'not_allowed';
    },

    /**
     * Writes what a refused request leaves behind.
     *
     * @returns false when one of the claims had been seen before
     */
    async refuse(
      writes: { claims: ReplayClaim[]; endFamily?: string; events: object[] },
      now: Date,
    ): Promise<boolean> {
      const [row] = await db.run<{ claimed: number }>(commitRefusal, [
        claimsJson(writes.claims),
        writes.endFamily ?? null,
        now,
        JSON.stringify(writes.events),
      ]);
      return row?.claimed === writes.claims.length;
    },

    /** The issuance record behind an access token's `jti`. */
    async issued(jti: string): Promise<IssuedToken | undefined> {
      const [row] = await db.run<Omit<IssuedToken, 'jti'>>(readIssuance, [jti]);
      return row && { ...row, jti };
    },
  };
}

export type Exchange = ReturnType<typeof createExchange>;

function toSource(value: string, row: SourceRow): Source | undefined {
  // An artifact without a family cannot be exchanged: its authorization is gone.
  if (!row.family_id || !row.family || !row.family_expires_at || !row.user_id) return undefined;
  return {
    kind: row.kind,
    value,
    clientId: row.client_id,
    payload: row.payload,
    expiresAt: row.expires_at,
    consumedAt: row.consumed_at ?? undefined,
    hasSuccessor: row.successor_sealed !== null,
    familyId: row.family_id,
    family: row.family,
    familyExpiresAt: row.family_expires_at,
    ended: row.ended,
    userId: row.user_id,
    accountActive: row.user_status === 'active',
    clientVersion: row.client_version ?? undefined,
    workspaceId: row.workspace_id || undefined,
  };
}

function claimsJson(claims: ReplayClaim[]): string {
  return JSON.stringify(claims.map(({ id, expiresAt }) => ({ id, expires_at: expiresAt })));
}

function successorJson(successor: NewArtifact): string {
  return JSON.stringify({
    id: hashId(successor.value),
    kind: successor.kind,
    family_id: successor.familyId,
    client_id: successor.clientId,
    payload: successor.payload,
    expires_at: successor.expiresAt,
  });
}
