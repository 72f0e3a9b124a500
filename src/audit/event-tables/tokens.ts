import { event, flag, list, number, optional, text, time } from '../fields.ts';

/** Tokens: issued, renewed, exchanged, ended, and what came twice. */
export const tokensEvents = {
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
} as const;
