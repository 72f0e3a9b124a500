import { event, optional, text } from '../fields.ts';

/** Workspace credentials; `userId` is the member whom they act for. */
export const workspaceCredentialsEvents = {
  credential_created: event('A workspace credential was made.', {
    workspace_id: text('the workspace that it is for'),
    credential_id: text('what people call it: the part before the dot, which is no secret'),
    kind: text('`default` or `connector`'),
    label: text('its name'),
    jti: text('its issuance record'),
    scope: text('what it may do at first; later what the member may do then'),
    connector_kind: optional(text('what made it: `reconnect_link`')),
    connector_id: optional(text('which one')),
  }),
  credential_revoked: event('A workspace credential ended.', {
    workspace_id: text('the workspace that it was for'),
    credential_id: text('the part before the dot'),
    kind: text('`default` or `connector`'),
    jti: text('its issuance record'),
    reason: text('`regenerated`, `member`, `operator` or `revocation_request`'),
  }),
} as const;
