/**
 * The kit for MCP server authors, published as `authserver/resource-server`: protects an MCP server with access tokens of
 * one authorization server. RFC 9728 metadata, RFC 9068 tokens, RFC 7662 introspection, RFC 6750 and 9449 challenges,
 * scopes per tool. Imports nothing of the server, keeps no state of its own in module scope, and runs wherever web
 * `Request` and `fetch` exist.
 */
export type { Authorized } from './adapters.ts';
export type { AuthInfo } from './auth-info.ts';
export { type CapStore, memoryCapStore } from './cap-store.ts';
export { type ProvenRequest, verifyProof } from './dpop.ts';
export type {
  DailyCapOptions,
  DpopMode,
  DpopNonceOptions,
  IntrospectionOptions,
  ProtectMcpOptions,
} from './options.ts';
export { type InvalidToken, protectMcp } from './protect.ts';
export { Refusal, type RefusalCode } from './refusal.ts';
export type { ReplayStore } from './replay.ts';
export {
  type TestIssuer,
  type TestIssuerOptions,
  type TestTokenOptions,
  testIssuer,
  testToken,
} from './test-issuer.ts';
