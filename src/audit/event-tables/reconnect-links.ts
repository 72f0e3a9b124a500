import { event, optional, text, time } from '../fields.ts';

/** Links with which people connect a client to their workspace again. */
export const reconnectLinksEvents = {
  reconnect_link_created: event(
    'A resource server asked for a one-time link that makes a credential.',
    {
      workspace_id: text('the workspace'),
      link_id: text('its id; its secret is nowhere'),
      expires_at: time('until when it works'),
      label: optional(text('as the client calls what is connected')),
    },
  ),
  reconnect_link_used: event('Somebody opened such a link, confirmed it, and got a credential.', {
    workspace_id: text('the workspace'),
    link_id: text('its id'),
    credential_id: text('the credential that it made'),
  }),
} as const;
