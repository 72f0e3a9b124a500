import { changes, type Fields, flag, list, number, optional, text, time } from './fields.ts';

function event<const F extends Fields>(description: string, detail: F) {
  return { description, detail };
}

/**
 * Every audit event there is: the one table from which the `AuditEvent` type and docs/audit-events.md
 * come. Detail fields keep wire names; none may ever hold a secret, a token or a password.
 */
export const auditEvents = {
  token_issued: event('A token was issued.', {
    grant_type: text('the grant that bought it, as in the token request'),
    token_type: text('`Bearer` or `DPoP`'),
    scope: text('the granted scope, space-separated'),
    jti: optional(text('identifier of the issuance record')),
    kind: optional(text('what was issued, where it is no access token: `personal_access_token` …')),
    format: optional(text('`jwt` or `opaque`')),
    expires_at: optional(time('when the access token expires')),
    refresh_token: optional(flag('whether a refresh token came with it')),
    family_id: optional(text('the authorization (token family) it belongs to')),
    grant_id: optional(text('the grant row it belongs to')),
    workspace_id: optional(text('the workspace that it is for')),
    dropped_scopes: optional(list('requested scopes that were not granted')),
    assertion_issuer: optional(text('issuer of the identity assertion that bought it')),
    assertion_jti_hash: optional(text('SHA-256 of the `jti` of that assertion')),
  }),
  token_refreshed: event('A refresh token was rotated and a new access token issued.', {
    family_id: text('the token family'),
    scope: text('scope of the new access token'),
    token_type: optional(text('`Bearer` or `DPoP`')),
    jti: optional(text('issuance record of the new access token')),
    expires_at: optional(time('when the new access token expires')),
    grant_id: optional(text('the grant row')),
    overlap: optional(
      flag('true when a repeated use within `oauth.refresh_overlap` got the same successor'),
    ),
  }),
  token_revoked: event('Tokens ended before their time.', {
    reason: text('`revocation_request`, `code_reused`, `refresh_reused`, `grant_revoked` …'),
    token_type_hint: optional(text('what was presented for revocation')),
    jti: optional(text('issuance record, when one token ended')),
    family_id: optional(text('token family, when a family ended')),
    grant_id: optional(text('grant row, when all its families ended')),
    count: optional(number('how many tokens or families ended')),
  }),
  token_exchanged: event('A token was exchanged for another (RFC 8693).', {
    subject_token_type: text('URN of the presented token type'),
    issued_token_type: text('URN of the issued token type'),
    scope: text('scope of the issued token'),
    subject_jti: optional(text('issuance record of the presented token')),
    jti: optional(text('issuance record of the issued token')),
    chain_depth: optional(number('how many actors the `act` chain now has')),
  }),
  refresh_token_reused: event(
    'A refresh token that had been rotated came again after the overlap window; its family ended.',
    {
      family_id: text('the token family that was ended'),
      verdict: text('what the circumstances suggest: `late_retry`, `possible_theft` …'),
      age: optional(number('seconds since the token had been rotated')),
      generation: optional(number('how many rotations behind it was')),
      same_address: optional(flag('whether it came from the address that rotated it')),
      same_key: optional(flag('whether it came with the DPoP key that it is bound to')),
    },
  ),
  auth_code_reused: event('An authorization code came a second time; its tokens ended.', {
    family_id: optional(text('the token family that was ended')),
    age: optional(number('seconds since the code had been redeemed')),
  }),
  dpop_proof_reused: event('A DPoP proof came a second time and was refused (RFC 9449 §11.1).', {
    jkt: text('thumbprint of the key that signed it'),
    endpoint: optional(text('where it was presented')),
  }),
  client_assertion_reused: event('A client assertion came a second time and was refused.', {
    endpoint: optional(text('where it was presented')),
  }),
  consent_granted: event('Someone allowed a client to act for them.', {
    scopes: list('the scopes that were ticked'),
    redirect_host: text('where the answer went'),
    grant_id: optional(text('the grant row')),
    family_id: optional(text('the token family of this authorization')),
    offered_scopes: optional(list('the scopes that the page offered')),
    workspace_id: optional(text('the workspace that was chosen')),
    reasons: optional(list('why the page was shown')),
    remembered: optional(flag('true when an earlier consent answered without a page')),
  }),
  consent_denied: event('Someone refused a client.', {
    scopes: list('the scopes that the page offered'),
    redirect_host: text('where the answer went'),
  }),
  consent_revoked: event('A grant was withdrawn; every token under it ended.', {
    grant_id: text('the grant row'),
    reason: optional(text('who or what withdrew it')),
    families: optional(number('how many token families ended')),
  }),

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

  user_login: event('Someone signed in.', {
    method: text('`password`, `setup_link` …'),
    purpose: optional(text('what for: `authorize`, `admin`, `account` …')),
    provider: optional(text('slug of the identity provider')),
  }),
  user_login_failed: event('A sign-in failed. What was typed is not recorded.', {
    reason: text('`invalid`, `locked`, `disabled` …'),
    method: optional(text('`password` …')),
    known_account: optional(flag('whether the account exists')),
    provider: optional(text('slug of the identity provider')),
  }),
  user_locked_out: event('Too many failed sign-ins locked an account or an address for a while.', {
    what: text('`account` or `address`'),
    until: time('when it may be tried again'),
    failures: optional(number('how many failures led to it')),
    address: optional(text('the locked address or IPv6 /64')),
    guessed: optional(text('what was guessed where it was no password: `user_code`')),
  }),
  user_logout: event('Someone signed out.', { reason: optional(text('why')) }),
  user_created: event('A local account was made.', {
    email: text('its e-mail address'),
    source: text('`config`, `admin`, `cli`, `setup` or `issuer`'),
    name: optional(text('its name')),
    role: optional(text('its role in the administration')),
    groups: optional(list('its groups')),
  }),
  user_updated: event('An account changed.', { changes: changes('what changed') }),
  user_password_changed: event('The password of an account was set.', {
    source: optional(text('`config`, `admin`, `cli`, `account` …')),
  }),
  user_disabled: event('An account was disabled; its sessions and tokens ended.', {
    reason: optional(text('why')),
  }),
  user_enabled: event('A disabled account may sign in again.', { reason: optional(text('why')) }),
  owner_created: event('The first owner was made through the one-time link.', {
    email: text('its e-mail address'),
  }),
  setup_link_created: event('A one-time link that makes the first owner was printed.', {
    expires_at: time('until when it works'),
  }),
  sessions_ended: event('Sign-in sessions were ended.', {
    count: number('how many'),
    reason: text('why'),
  }),

  key_published: event('A new signing key was made and published; it signs later.', {
    kid: text('the key'),
    alg: text('its algorithm'),
    signs_from: time('when it begins to sign'),
    reason: text('why: `first_start`, `schedule`, `algorithm_changed` or `command`'),
  }),
  key_rotated: event('Another signing key signs now; the old one stays published for a while.', {
    kid: text('the key that signs now'),
    alg: text('its algorithm'),
    previous_kid: text('the key that signed before'),
    published_until: time('until when the previous key stays published'),
  }),
  key_removed: event('A retired signing key was deleted; no token signed by it can be alive.', {
    kid: text('the key'),
  }),

  resource_created: event('A resource (protected MCP server) was registered.', {
    slug: text('its short name'),
    scopes: list('its scopes'),
    source: optional(text('`config`, `admin` or `builtin`')),
    token_format: optional(text('`jwt` or `opaque`')),
  }),
  resource_updated: event('A resource changed.', {
    slug: text('its short name'),
    changes: changes('what changed'),
  }),

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

  config_reconciled: event('Declared rows were compared with the database at start.', {
    noun: text('`resources`, `clients`, `users` …'),
    created: list('rows that were made'),
    updated: list('rows that were changed'),
    undeclared: list('rows that are no longer declared; they were left alone'),
  }),
} as const;
