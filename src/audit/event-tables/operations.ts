import { changes, event, number, optional, text } from '../fields.ts';

/** What operators do to clients, resources and grants beside editing them. */
export const operationsEvents = {
  client_revoked: event('Everything granted to a client was ended; the client may ask again.', {
    grants: number('how many grants ended'),
    families: number('how many token families ended'),
    reason: optional(text('why')),
  }),
  resource_enabled: event('Tokens are issued for a disabled resource again.', {
    slug: text('its short name'),
    reason: optional(text('why')),
  }),
  resource_disabled: event('No more tokens are issued for a resource.', {
    slug: text('its short name'),
    reason: optional(text('why')),
  }),
  resource_removed: event('A resource was removed; its grants and tokens ended.', {
    slug: text('its short name'),
    grants: number('how many grants ended'),
    families: number('how many token families ended'),
  }),
  grant_updated: event('The label of a grant changed.', {
    grant_id: text('the grant row'),
    changes: changes('what changed'),
  }),
} as const;
