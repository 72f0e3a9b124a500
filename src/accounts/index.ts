/**
 * People: local accounts and their passwords, sign-in with lockout per account and address, sign-in
 * sessions, and the one-time link that makes the first owner (NIST SP 800-63B).
 */
export { type Accounts, type AccountsDeps, createAccounts } from './accounts.ts';
export type { Authentication, Credentials } from './authenticate.ts';
export type { Identities, IdentityKey, NewPerson } from './identities.ts';
export type { Identity } from './identities-queries.ts';
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
export {
  newTokenPage,
  type ShownToken,
  tokenMadePage,
  tokenResourcePage,
} from './personal-token-pages.ts';
export { type LockoutLimits, minPasswordLength } from './policy.ts';
export type { DeclaredUser, UsersReport } from './reconcile.ts';
export type { SessionRow } from './sessions.ts';
export type { FirstOwner } from './setup.ts';
export { AccountRefusal, type ChangeMeta, type Role, type User } from './user.ts';
export type { NewUser, UserChange } from './user-changes.ts';
