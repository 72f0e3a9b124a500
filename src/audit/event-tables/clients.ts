import { changes, event, list, optional, text, time } from '../fields.ts';

/** Clients. */
export const clientsEvents = {
  client_registered: event('A client became known.', {
    kind: text('`preregistered`, `dcr` or `cimd`'),
    client_name: optional(text('the name it gave')),
    redirect_uris: optional(list('where answers may go')),
    grant_types: optional(list('the grants it may use')),
    token_endpoint_auth_method: optional(text('how it authenticates')),
    scope: optional(text('its ceiling, space-separated')),
    resources: optional(list('the resources it may ask for')),
    rules: optional(list('compatibility rules that were applied')),
    source: optional(text('`config`, `admin`, `cli`, `registration` or `document`')),
  }),
  initial_access_token_created: event(
    'Somebody got a token with which one client can be registered.',
    {
      expires_at: time('until when it works'),
    },
  ),
  client_updated: event('A client changed.', { changes: changes('what changed') }),
  client_secret_rotated: event('A client got a new secret.', {
    old_secret_until: optional(time('until when the old one is also accepted')),
  }),
  client_suspended: event('A client was suspended; none of its tokens is active now.', {
    reason: optional(text('why')),
  }),
  client_resumed: event('A suspended client may ask again.', { reason: optional(text('why')) }),
  client_removed: event('A client and everything granted to it was removed.', {
    kind: optional(text('`preregistered`, `dcr` or `cimd`')),
    client_name: optional(text('the name it had')),
    reason: optional(text('why')),
  }),
  client_reaped: event('A self-registered client was removed because nobody used it.', {
    client_name: optional(text('the name it had')),
    created_at: optional(time('when it registered')),
    last_used_at: optional(time('when it was last used')),
  }),
  client_document_changed: event(
    'The metadata document of a client changed; consent is asked anew.',
    {
      changes: changes('what changed: redirect hosts, keys or name'),
    },
  ),
} as const;
