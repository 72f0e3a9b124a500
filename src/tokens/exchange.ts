import { type Database, hashId } from '../db/index.ts';
import type { NewArtifact } from './artifacts.ts';
import { type Source, type SourceRow, toSource } from './source.ts';
import {
  commitExchange,
  commitIssuance,
  commitRefusal,
  endIssuance,
  readChain,
  readIssuance,
  readSource,
} from './statements.ts';

export interface ReplayClaim {
  id: string;
  expiresAt: Date;
}

/** The record of one issued token, for people and for introspection. */
export interface Issuance {
  jti: string;
  kind: 'access_token' | 'refresh_token' | 'personal_access_token' | 'workspace_credential';
  grant_type: string;
  /** None for a personal access token and a workspace credential. */
  client_id: string | null;
  sub: string;
  resource: string;
  scope: string;
  token_type: 'Bearer' | 'DPoP';
  jkt?: string | null;
  workspace_id?: string | null;
  /** The token that it was exchanged from, or the refresh token that bought it. */
  parent_jti?: string | null;
  /** The first token of a chain of exchanges, or the family that it belongs to. */
  root_jti?: string | null;
  claims?: Record<string, unknown> | null;
  issued_at: Date;
  expires_at: Date;
}

/** An issued token as introspection sees it. */
export interface IssuedToken extends Issuance {
  family_id: string | null;
  grant_id: string | null;
  /** E-mail address of the person; none for a machine. */
  username: string | null;
  /** Groups of the person. */
  groups?: string[] | null;
  /** As its workspace is called now. */
  workspace_slug?: string | null;
  workspace_name?: string | null;
  /** What the person is in the workspace now; null for who is no member any more. */
  workspace_role?: 'member' | 'admin' | null;
  /** When a personal access token or a workspace credential was last seen. */
  last_used_at: Date | null;
  /** Of a workspace credential: the part before the dot. */
  credential_id?: string | null;
  /** Neither it nor anything that it hangs on has ended. Does NOT say that it has not expired. */
  alive: boolean;
}

/** What is written with tokens that no family stands behind. */
export interface IssuanceWrites {
  clientId: string;
  /** Whose account must be active; none for a machine. */
  userId?: string | undefined;
  resource: string;
  claims: ReplayClaim[];
  /** The token that is exchanged: it and all before it must be alive. */
  parentJti?: string | undefined;
  /** The consent that must be standing. */
  grantId?: string | undefined;
  /** Of which the person must be a member. */
  workspaceId?: string | undefined;
  issuances: Issuance[];
  events: object[];
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
export type Outcome = 'done' | 'not_allowed' | 'lost_race' | { replayed: ReplayClaim[] };

interface OutcomeRow {
  /** Ids that were claimed just now. */
  claimed: string[];
  allowed: number;
  done: number;
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
      const [row] = await db.run<OutcomeRow>(commitExchange, [
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
      ]);
      return outcomeOf(row, writes.claims);
    },

    /** Writes tokens that no family stands behind, or nothing but their replay claims. */
    async commitIssuance(writes: IssuanceWrites, now: Date): Promise<Outcome> {
      const [row] = await db.run<OutcomeRow>(commitIssuance, [
        claimsJson(writes.claims),
        writes.clientId,
        writes.userId ?? null,
        writes.resource,
        now,
        writes.claims.length,
        writes.parentJti ?? null,
        writes.grantId ?? null,
        JSON.stringify(writes.issuances),
        JSON.stringify(writes.events),
        new Date(now.getTime() - lastUsedResolution),
        writes.workspaceId ?? null,
      ]);
      return outcomeOf(row, writes.claims);
    },

    /**
     * Writes what a refused request leaves behind.
     *
     * @returns the claims that had been seen before
     */
    async refuse(
      writes: { claims: ReplayClaim[]; endFamily?: string; events: object[] },
      now: Date,
    ): Promise<ReplayClaim[]> {
      const [row] = await db.run<{ claimed: string[] }>(commitRefusal, [
        claimsJson(writes.claims),
        writes.endFamily ?? null,
        now,
        JSON.stringify(writes.events),
      ]);
      return seenBefore(writes.claims, row?.claimed);
    },

    /** The issuance record behind a token's `jti`; an opaque token's is the hash of its value. */
    async issued(jti: string): Promise<IssuedToken | undefined> {
      const [row] = await db.run<Omit<IssuedToken, 'jti'>>(readIssuance, [jti]);
      return row && { ...row, jti };
    },

    /**
     * Ends one token and everything that was exchanged from it.
     *
     * @param events rows for audit_events, written when it was alive until now
     * @returns the `jti` of every token that ended just now
     */
    async end(jti: string, events: object[], now: Date): Promise<string[]> {
      const rows = await db.run<{ jti: string }>(endIssuance, [jti, now, JSON.stringify(events)]);
      return rows.map((row) => row.jti);
    },
  };
}

export type Exchange = ReturnType<typeof createExchange>;

function seenBefore(claims: ReplayClaim[], claimed: readonly string[] = []): ReplayClaim[] {
  return claims.filter(({ id }) => !claimed.includes(id));
}

function outcomeOf(row: OutcomeRow | undefined, claims: ReplayClaim[]): Outcome {
  if (row?.done) return 'done';
  const replayed = seenBefore(claims, row?.claimed);
  if (replayed.length > 0) return { replayed };
  return row?.allowed ? 'lost_race' : 'not_allowed';
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
