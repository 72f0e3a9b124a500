/**
 * What is issued: codes and refresh tokens (stored as hashes), token families, the record of every
 * issued token, and the token endpoint's unit of work. RFC 6749, RFC 9700 §4.14, RFC 9068.
 */
export type { Artifact, Artifacts, NewArtifact } from './artifacts.ts';
export type {
  Exchange,
  ExchangeWrites,
  Issuance,
  IssuedToken,
  Outcome,
  ReplayClaim,
  Source,
} from './exchange.ts';
export type { Families, NewFamily } from './families.ts';
export { newOpaqueToken, type OpaqueKind, readOpaqueToken } from './opaque.ts';
export { judgeCode, judgeRefresh, refreshLifetime, reuseVerdict } from './policy.ts';
export { createTokens, type Tokens } from './tokens.ts';
