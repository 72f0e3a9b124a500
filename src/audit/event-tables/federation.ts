import { changes, event, flag, list, optional, text } from '../fields.ts';

/** Identity providers at which people sign in. Their secrets are in no event. */
export const federationEvents = {
  identity_provider_created: event('People may sign in at an identity provider from now on.', {
    slug: text('its short name'),
    issuer: text('its issuer'),
    client_id: text('our client_id there'),
    display_name: text('text of its button'),
    scopes: list('what we ask for there'),
    groups_claim: text('claim that lists the groups of a person'),
    roles: list('`group=role`'),
    groups: list('`group there=group here`'),
    automatic: flag('whether an unknown person gets an account'),
    private_network: flag('whether it may be at an address of a private network'),
    source: text('`config` or `admin`'),
  }),
  identity_provider_updated: event('An identity provider changed.', {
    slug: text('its short name'),
    changes: changes('what changed; of a secret only that it did'),
  }),
  identity_provider_removed: event(
    'Nobody signs in at an identity provider any more; accounts that it made stay.',
    { slug: text('its short name'), issuer: text('its issuer') },
  ),
  last_owner_kept: event(
    'An identity provider would have taken the role of the last owner, who keeps it.',
    { provider: text('slug of the identity provider'), role: optional(text('what they would be')) },
  ),
} as const;
