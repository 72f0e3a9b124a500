import type { AuditEvent } from '../audit/index.ts';
import type {
  ClaimsWorkspace,
  Issuance,
  NewArtifact,
  ReplayClaim,
  Source,
} from '../tokens/index.ts';

/** A `jti` that may be used once: of a client assertion, a DPoP proof or an authorization grant. */
export type Claim = ReplayClaim & { kind: 'assertion' | 'proof' | 'authorization' };

/** What a token of ours is made from, and must stay alive for it. */
export interface Derivation {
  /** Whose account must be active; none for a machine. */
  userId?: string | undefined;
  /** The token that is exchanged (RFC 8693). */
  parent?: { jti: string; rootJti: string } | undefined;
  /** The consent that stands behind it. */
  grantId?: string | undefined;
  /** That the token is for; the person must be a member. */
  workspace?: ClaimsWorkspace | undefined;
  /** Claims of the grant itself (`act` …), for the token and its introspection. */
  claims?: Record<string, unknown> | undefined;
  /** Tells of this issuance in place of `token_issued`. */
  event?: ((issuance: Issuance) => AuditEvent) | undefined;
}

/**
 * The unit of work of one token request. The library's adapter calls only fill it; one statement
 * writes it when the request succeeds: a refused request consumes nothing.
 */
export interface TokenRequest {
  receivedAt: Date;
  /** The presented code or refresh token, as read before the library ran. */
  source?: Source;
  /**
   * `fresh`: use it up. `overlap`: a parallel or repeated refresh, answered with the same successor.
   * `raced`: lost to a rival on the way. `reused`: presented again much later.
   */
  mode: 'fresh' | 'overlap' | 'raced' | 'reused';
  claims: Claim[];
  /** What our own grants (grants.ts) hang the token on, in place of a source. */
  derivation?: Derivation;
  consume?: string;
  successor?: NewArtifact;
  issuances: Issuance[];
  events: AuditEvent[];
  endFamily?: string;
  /** The answer is a token of another server: what it uses up has been claimed, and no record is ours. */
  handedOn?: true;
}

/** An empty unit of work. */
export function newTokenRequest(receivedAt: Date): TokenRequest {
  return { receivedAt, mode: 'fresh', claims: [], issuances: [], events: [] };
}
