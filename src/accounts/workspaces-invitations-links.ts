import { emailKey } from './policy.ts';
import type { User } from './user.ts';
import type { OpenInvitation } from './workspaces-invitations-queries.ts';

/** Where an invitation is accepted. Nobody but the browser that has it sees the token: our logs leave it out. */
export function invitationUrl(issuer: string, token: string): string {
  return `${issuer.replace(/\/+$/, '')}/account/invitations/${token}`;
}

/** Whether an invitation is for this account. */
export function isInvited(
  { emailKey: key }: OpenInvitation,
  { email }: Pick<User, 'email'>,
): boolean {
  return emailKey(email) === key;
}
