/**
 * What is issued: codes and refresh tokens (stored as hashes), token families, the record of every
 * issued token, and the token endpoint's unit of work. RFC 6749, RFC 9700 §4.14, RFC 9068.
 */

export type { Artifact, Artifacts, NewArtifact } from './artifacts.ts';
export {
  type ClaimsClient,
  type ClaimsUser,
  type ClaimsWorkspace,
  customClaims,
  requireFitting,
  tellsOfUser,
  workspaceOf,
} from './claims.ts';
export { type ClaimsHooks, createClaimsHooks } from './claims-hook.ts';
export { claimsReference, standardClaims } from './claims-reference.ts';
export {
  type Devices,
  deviceCodeKind,
  pollingInterval,
  type WaitingDevice,
} from './devices.ts';
export { endAllIssued } from './ending-all.ts';
export type {
  Exchange,
  ExchangeWrites,
  Issuance,
  IssuanceWrites,
  IssuedToken,
  Outcome,
  ReplayClaim,
} from './exchange.ts';
export type { Families, NewFamily } from './families.ts';
export {
  type AcceptedAssertion,
  createIdentityAssertions,
  type IdentityAssertions,
} from './id-jag.ts';
export { type IdJagReason, idJagRefusals } from './id-jag-refusals.ts';
export {
  type EndRequest,
  endIssued,
  endIssuedFor,
  endIssuedIn,
  endIssuedUnder,
} from './issuance-ending.ts';
export { findIssuanceFacts, type IssuanceFacts } from './issuance-facts.ts';
export type { Issuances } from './issuance-listing.ts';
export type { IssuanceQuery, IssuanceRow, IssuanceStatus } from './issuance-rows.ts';
export { mintForTesting, type TestToken, type TestTokenRequest } from './mint-for-testing.ts';
export {
  isCheckedSecret,
  newCheckedSecret,
  newOpaqueToken,
  type OpaqueKind,
  readOpaqueToken,
} from './opaque.ts';
export {
  type By,
  createPersonalTokens,
  type NewPersonalToken,
  type PersonalTokens,
} from './personal-access-tokens.ts';
export {
  offeredLives,
  PersonalTokenRefusal,
  type RefusedTokenField,
  resourcesFor,
  standingScopes,
} from './personal-access-tokens-policy.ts';
export type { PersonalToken } from './personal-access-tokens-rows.ts';
export { judgeCode, judgeRefresh, refreshLifetime, reuseVerdict } from './policy.ts';
export type { Source } from './source.ts';
export { type Delegation, delegate } from './token-exchange-actors.ts';
export {
  authorityFor,
  chooseTarget,
  type ExchangeCaller,
  exchangeLifetime,
  isPerson,
  keyToProve,
  requireActor,
  requireConsent,
  requireSubject,
} from './token-exchange-policy.ts';
export {
  type ExchangeSubject,
  findSubject,
  type StandingConsent,
} from './token-exchange-queries.ts';
export { narrowedScopes, scopesForTarget } from './token-exchange-scopes.ts';
export { type PresentedTokens, presentedTokens } from './token-exchange-types.ts';
export { createTokens, type Tokens } from './tokens.ts';
export type { TrustedIssuer } from './trusted-issuer-row.ts';
export {
  createTrustedIssuers,
  type TrustedIssuers,
} from './trusted-issuers.ts';
export { signWebhook } from './webhook.ts';
export {
  newWorkspaceCredential,
  readWorkspaceCredential,
  workspaceCredentialPattern,
} from './workspace-credential-form.ts';
export {
  type ConnectorRequest,
  createWorkspaceCredentials,
  type WorkspaceCredentials,
} from './workspace-credentials.ts';
export type { NewCredential } from './workspace-credentials-making.ts';
export {
  CredentialRefusal,
  checkCredentialResource,
  credentialScopes,
  isEndless,
  type RefusedCredentialField,
} from './workspace-credentials-policy.ts';
export type { CredentialConnector, WorkspaceCredential } from './workspace-credentials-rows.ts';
