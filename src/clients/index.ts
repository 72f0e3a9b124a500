/**
 * Who may ask: clients made by operators, registered by themselves (RFC 7591, 7592) or known by a metadata
 * document (CIMD draft-00 to -02); what each may do, its secrets and keys, and the accommodations for real
 * clients. Called by the provider's adapter, the registration endpoint, the admin API and the command line.
 */
export { authMethodFor } from './authentication.ts';
export { type Clients, type ClientsDeps, createClients } from './clients.ts';
export {
  type CompatibilityRule,
  compatibilityReference,
  compatibilityRules,
  type RuleName,
} from './compatibility.ts';
export { isDocumentUrl, isHostAllowed } from './document-url.ts';
export type { ClientEdit } from './edit.ts';
export { clientAssertionAlgorithms, readKeySet } from './jwks.ts';
export type { Check, Ended } from './lifecycle.ts';
export type { ListedClient } from './listing.ts';
export type { ListRequest } from './listing-queries.ts';
export { allowedGrants, decideDocument, decideRegistration } from './policy.ts';
export type { DeclaredClient, ReconcileReport } from './preregister.ts';
export type { RegistrationRequest, RegistrationResponse } from './register.ts';
export { secretsInForce, verifySecret } from './secrets.ts';
export type {
  AuthMethod,
  By,
  Client,
  ClientMetadata,
  ClientsConfig,
  PublicKey,
  PublicKeySet,
} from './types.ts';
