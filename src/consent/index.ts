/**
 * Whether the person must be asked, the page that asks, and the memory of the answer: one grant row
 * per person, client, resource and workspace, which spans token families. Called by provider/, admin/.
 */

export {
  type DeviceCodeProblem,
  type DeviceCodeView,
  deviceCodePage,
  deviceConnectedPage,
  deviceRefusedPage,
} from './device-page.ts';
export {
  findListedGrant,
  type GrantQuery,
  type GrantStatus,
  type ListedGrant,
  listGrantsPage,
} from './listing.ts';
export { type ConsentView, consentPage } from './page.ts';
export {
  type ConsentClient,
  type ConsentQuestion,
  type ConsentReason,
  type GrantRow,
  needsConsent,
} from './policy.ts';
export {
  type Approval,
  approveGrant,
  findGrant,
  findWorkspaceGrants,
  type GrantKey,
  listGrants,
  lockLabel,
  setLabel,
  touchGrant,
} from './queries.ts';
export {
  type Revocation,
  type RevokedGrant,
  revokeForClient,
  revokeForMember,
  revokeForResource,
  revokeGrant,
} from './revoke.ts';
export { revokeAllGrants } from './revoke-all.ts';
export { countGrantsFor, type GrantGroup, type SummaryQuery, summarizeGrants } from './summary.ts';
export {
  createWithdrawals,
  type Withdrawal,
  type WithdrawalDeps,
  type Withdrawals,
} from './withdraw.ts';
export { listWorkspaceGrants, type WorkspaceGrant } from './workspace-grants.ts';
