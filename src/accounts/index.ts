/**
 * People: local accounts and their passwords, sign-in with lockout per account and address, sign-in
 * sessions, and the one-time link that makes the first owner (NIST SP 800-63B).
 */
export { type Accounts, type AccountsDeps, createAccounts } from './accounts.ts';
export {
  type AdminSession,
  type AdminSessionLimits,
  createAdminSessions,
  recordAdminRefusal,
} from './admin-sessions.ts';
export type { Authentication, Credentials } from './authenticate.ts';
export { endAllSignIns } from './end-all.ts';
export { createFederation, type Federation, type Returned } from './federation.ts';
export {
  type BeganAt,
  type ProviderFailure,
  ProviderSignInError,
  reasonsOf,
} from './federation-problems.ts';
export type { Identities, IdentityKey, NewPerson } from './identities.ts';
export type { Identity } from './identities-queries.ts';
export type { IdentityProvider } from './identity-provider-row.ts';
export {
  createIdentityProviders,
  type IdentityProviders,
} from './identity-providers.ts';
export {
  acceptInvitationPage,
  deadInvitationPage,
  invitationMadePage,
  openInvitationPage,
  otherAddressPage,
  type ShownInvite,
} from './invitation-pages.ts';
export type { ListedUser, PeopleQuery } from './listing.ts';
export {
  type AccountView,
  accountPage,
  type ConnectedApp,
  linkUsedPage,
  type SetupView,
  type SignInProblem,
  type SignInView,
  setupPage,
  signedOutPage,
  signInPage,
} from './page.ts';
export { passwordPage, passwordSetPage } from './password-page.ts';
export {
  newTokenPage,
  type ShownToken,
  tokenMadePage,
  tokenResourcePage,
} from './personal-token-pages.ts';
export { type LockoutLimits, minPasswordLength } from './policy.ts';
export { providerProblemPage, providerProblemStatus } from './provider-problem-page.ts';
export type { DeclaredUser, UsersReport } from './reconcile.ts';
export type { SessionRow } from './sessions.ts';
export type { FirstOwner } from './setup.ts';
export { AccountRefusal, type ChangeMeta, type Role, type User } from './user.ts';
export type { NewUser, UserChange } from './user-changes.ts';
export {
  type ConfirmView,
  confirmPage,
  credentialMadePage,
  type Leaving,
  whatBreaks,
  whatEnds,
} from './workspace-confirm-pages.ts';
export { type WorkspaceView, workspacePage } from './workspace-page.ts';
export type { Connector, DefaultCredential } from './workspace-page-access.ts';
export type { ShownEndpoint } from './workspace-page-connect.ts';
export type { ConnectedServer } from './workspace-page-servers.ts';
export { createWorkspaces, type Workspaces } from './workspaces.ts';
export type { NewWorkspace } from './workspaces-changes.ts';
export type { Invitations } from './workspaces-invitations.ts';
export { invitationUrl, isInvited } from './workspaces-invitations-links.ts';
export type { Invitation } from './workspaces-invitations-listing.ts';
export type { OpenInvitation } from './workspaces-invitations-queries.ts';
export { findMembership, lockMembership, type MemberKey } from './workspaces-members-queries.ts';
export {
  type Member,
  type Membership,
  type Workspace,
  WorkspaceRefusal,
  type WorkspaceRole,
} from './workspaces-policy.ts';
