import { changes, event, flag, list, optional, text } from '../fields.ts';

/** Other issuers and who people are there. */
export const issuersEvents = {
  trusted_issuer_created: event('Identity assertions of an issuer are accepted from now on.', {
    issuer: text('its `iss`'),
    subject: text('`automatic` or `strict`'),
    clients: optional(list('who may present its assertions; absent means any client')),
    resources: optional(list('what it may speak for; absent means any resource')),
    scopes: optional(list('ceiling of its scopes; absent means any')),
    source: optional(text('`config` or `admin`')),
  }),
  trusted_issuer_updated: event('The trust in an issuer changed.', {
    issuer: text('its `iss`'),
    changes: changes('what changed'),
  }),
  trusted_issuer_removed: event(
    'The trust in an issuer ended for good; tokens that it had bought lived out their time.',
    { issuer: text('its `iss`') },
  ),
  assertion_refused: event(
    'An identity assertion (ID-JAG) was refused. It is not recorded itself; one that nobody vouches for, neither its issuer by a good signature nor a client that the operator made, is in the log only.',
    {
      reason: text('why; docs/enterprise.md says what each means'),
      issuer: optional(text('its `iss`, which anybody may have written unless `verified`')),
      subject: optional(text('its `sub`, where its signature is good')),
      jti_hash: optional(text('SHA-256 of its `jti`')),
      verified: optional(flag('whether its signature is good')),
      got: optional(text('what it had instead of what was expected')),
    },
  ),
  identity_linked: event('An account is known to an issuer under a subject from now on.', {
    issuer: text('the issuer'),
    subject: text('`sub` of the person there'),
    source: text('`cli`, `admin`, or `issuer` where its first assertion made the account'),
  }),
  identity_unlinked: event('An account is no longer known to an issuer under a subject.', {
    issuer: text('the issuer'),
    subject: text('`sub` of the person there'),
  }),
} as const;
