import type { AuditEvent } from '../audit/index.ts';
import type { Issuance, NewArtifact, ReplayClaim, Source } from '../tokens/index.ts';

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
  claims: (ReplayClaim & { kind: 'assertion' | 'proof' })[];
  consume?: string;
  successor?: NewArtifact;
  issuances: Issuance[];
  events: AuditEvent[];
  endFamily?: string;
}

/** An empty unit of work. */
export function newTokenRequest(receivedAt: Date): TokenRequest {
  return { receivedAt, mode: 'fresh', claims: [], issuances: [], events: [] };
}
