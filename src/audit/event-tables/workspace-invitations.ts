import { event, text, time } from '../fields.ts';

/** Invitations to workspaces; `userId` of an accepted one is who joined. */
export const workspaceInvitationsEvents = {
  workspace_invitation_created: event('A one-time link that makes somebody a member was made.', {
    workspace_id: text('the workspace'),
    invitation_id: text('its id; its token is nowhere'),
    email: text('the address that it is for'),
    role: text('`member` or `admin`'),
    expires_at: time('until when it works'),
  }),
  workspace_invitation_revoked: event('An invitation was taken back before somebody used it.', {
    workspace_id: text('the workspace'),
    invitation_id: text('its id'),
    email: text('the address that it was for'),
  }),
  workspace_invitation_accepted: event('Somebody became a member through an invitation.', {
    workspace_id: text('the workspace'),
    invitation_id: text('its id'),
    role: text('`member` or `admin`'),
  }),
} as const;
