interface ErrorFacts {
  /** Usual HTTP status. */
  readonly status: number;
  readonly spec: string;
  readonly means: string;
  /** What its reader can do. */
  readonly fix: string;
}

/** Every error code that a client can be sent; docs/errors.md comes from it too. */
const codes = {
  invalid_request: {
    status: 400,
    spec: 'RFC 6749 §5.2, RFC 9126 §2.3',
    means:
      'A parameter is missing, malformed or repeated, or the request is not what the endpoint takes.',
    fix: 'Read the description: it names the parameter and what to send.',
  },
  invalid_client: {
    status: 401,
    spec: 'RFC 6749 §5.2',
    means: 'The client is unknown, suspended, or did not prove who it is.',
    fix: 'Check client_id, the authentication method it is registered with, and its secret or key.',
  },
  invalid_grant: {
    status: 400,
    spec: 'RFC 6749 §5.2',
    means:
      'The code, token or assertion is wrong, has expired, was used, was revoked, or belongs to somebody else.',
    fix: 'Start a new authorization; for an assertion, ask its issuer for a new one.',
  },
  unauthorized_client: {
    status: 400,
    spec: 'RFC 6749 §5.2',
    means: 'The client may not use this grant.',
    fix: 'Register the client with that grant type; machine grants are for pre-registered clients.',
  },
  unsupported_grant_type: {
    status: 400,
    spec: 'RFC 6749 §5.2',
    means: 'This server does not serve the grant.',
    fix: 'Choose one of `grant_types_supported` in the metadata.',
  },
  unsupported_response_type: {
    status: 400,
    spec: 'RFC 6749 §4.1.2.1',
    means: 'Only `code` is served.',
    fix: 'Send `response_type=code`.',
  },
  unsupported_response_mode: {
    status: 400,
    spec: 'OAuth 2.0 Multiple Response Types',
    means: 'The response mode is not served.',
    fix: 'Leave `response_mode` out.',
  },
  invalid_scope: {
    status: 400,
    spec: 'RFC 6749 §5.2',
    means:
      'No requested scope is known at the resource, or none may be used by this client or person.',
    fix: 'Ask for scopes that the description or `scopes_supported` lists.',
  },
  access_denied: {
    status: 400,
    spec: 'RFC 6749 §4.1.2.1',
    means: 'The person refused, or may not do this.',
    fix: 'Ask the person, or whoever administers the server.',
  },
  server_error: {
    status: 500,
    spec: 'RFC 6749 §4.1.2.1',
    means: 'Something unexpected happened here.',
    fix: 'Try again; if it stays, give the trace id to whoever runs the server.',
  },
  temporarily_unavailable: {
    status: 503,
    spec: 'RFC 6749 §4.1.2.1',
    means: 'The server, or something that it needs, does not answer at the moment.',
    fix: 'Try again after the time in `Retry-After`; nothing was used up.',
  },
  invalid_token: {
    status: 401,
    spec: 'RFC 6750 §3.1',
    means: 'The access token is missing, wrong, has expired or was revoked.',
    fix: 'Refresh it, or start a new authorization.',
  },
  insufficient_scope: {
    status: 403,
    spec: 'RFC 6750 §3.1',
    means: 'The token lacks a scope that is needed.',
    fix: 'Authorize again with the scopes that the challenge names.',
  },
  unsupported_token_type: {
    status: 400,
    spec: 'RFC 7009 §2.2.1',
    means: 'The token cannot be revoked here.',
    fix: 'Send an access token or a refresh token of this server.',
  },
  invalid_redirect_uri: {
    status: 400,
    spec: 'RFC 7591 §3.2.2',
    means: 'A redirect URI may not be registered.',
    fix: 'Use https, http on this computer, or a private-use scheme.',
  },
  invalid_client_metadata: {
    status: 400,
    spec: 'RFC 7591 §3.2.2',
    means: 'A member of the registration is wrong.',
    fix: 'Read the description: it names the member.',
  },
  invalid_software_statement: {
    status: 400,
    spec: 'RFC 7591 §3.2.2',
    means: 'The software statement is wrong.',
    fix: 'Leave it out.',
  },
  unapproved_software_statement: {
    status: 400,
    spec: 'RFC 7591 §3.2.2',
    means: 'The software statement is not accepted.',
    fix: 'Leave it out.',
  },
  authorization_pending: {
    status: 400,
    spec: 'RFC 8628 §3.5',
    means: 'The person has not finished on the device page.',
    fix: 'Ask again after `interval` seconds.',
  },
  slow_down: {
    status: 400,
    spec: 'RFC 8628 §3.5',
    means: 'The device asks too often.',
    fix: 'Wait five seconds longer between requests from now on.',
  },
  expired_token: {
    status: 400,
    spec: 'RFC 8628 §3.5',
    means: 'The device code has expired.',
    fix: 'Start a new device authorization.',
  },
  invalid_target: {
    status: 400,
    spec: 'RFC 8707 §2, RFC 8693 §2.2.2',
    means: 'The resource is missing, unknown, more than one, or not allowed here.',
    fix: 'Send one `resource` that the description lists.',
  },
  invalid_request_uri: {
    status: 400,
    spec: 'RFC 9101 §6.2',
    means: 'The request_uri is unknown, has expired or was used.',
    fix: 'Push the request again.',
  },
  invalid_request_object: {
    status: 400,
    spec: 'RFC 9101 §6.2',
    means: 'The request object is wrong.',
    fix: 'Send plain parameters.',
  },
  request_not_supported: {
    status: 400,
    spec: 'OpenID Connect Core §3.1.2.6',
    means: 'Request objects are not served.',
    fix: 'Send plain parameters, or push them (RFC 9126).',
  },
  request_uri_not_supported: {
    status: 400,
    spec: 'OpenID Connect Core §3.1.2.6',
    means: 'Only a request_uri that this server handed out is accepted.',
    fix: 'Push the request first (RFC 9126).',
  },
  invalid_dpop_proof: {
    status: 400,
    spec: 'RFC 9449 §5',
    means:
      'The DPoP proof is missing where one is demanded, wrong, used before, or signed by another key.',
    fix: 'Sign a new proof for this request with the key that the token is bound to.',
  },
  use_dpop_nonce: {
    status: 400,
    spec: 'RFC 9449 §8',
    means: 'The proof must hold a nonce of this server.',
    fix: 'Sign a new proof with the nonce of the `DPoP-Nonce` header.',
  },
  login_required: {
    status: 400,
    spec: 'OpenID Connect Core §3.1.2.6',
    means: '`prompt=none`, and nobody is signed in.',
    fix: 'Authorize again without `prompt=none`.',
  },
  consent_required: {
    status: 400,
    spec: 'OpenID Connect Core §3.1.2.6',
    means: 'The person has not consented to this.',
    fix: 'Authorize again without `prompt=none`.',
  },
  interaction_required: {
    status: 400,
    spec: 'OpenID Connect Core §3.1.2.6',
    means: '`prompt=none`, and a person must answer something.',
    fix: 'Authorize again without `prompt=none`.',
  },
  account_selection_required: {
    status: 400,
    spec: 'OpenID Connect Core §3.1.2.6',
    means: '`prompt=none`, and an account must be chosen.',
    fix: 'Authorize again without `prompt=none`.',
  },
} as const satisfies Record<string, ErrorFacts>;

/** Every error code that a client can be sent. */
export type ErrorCode = keyof typeof codes;

/** Every error code with its usual HTTP status and what it means. */
export const errorCodes: Readonly<Record<ErrorCode, ErrorFacts>> = codes;

/** docs/errors.md */
export function errorReference(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { status, spec, means, fix }]) =>
      `| \`${code}\` | ${status} | ${means} | ${fix} | ${spec} |`,
  );
  return `${[
    '# Errors',
    '<!-- Generated from the source by `npm run docs`; a test fails when it is stale. -->',
    'An error is JSON `{error, error_description, trace_id}` for programs and a page for people. `error` is one of the codes below, `error_description` says what was wrong in this request and what to do, and the line of the log with the same `trace_id` has the full reason. At the authorization endpoint a trusted client gets the code by redirect, with `state` and `iss`. `429` and `503` carry `Retry-After`.',
    'The status is the usual one. `invalid_request` also comes with 404 and 405 (no such address, another method), 413 and 415 (a body that is too large or of another type), and `temporarily_unavailable` with 429 (too many requests).',
    [
      '| error | usual status | what is wrong | what to do | defined in |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n'),
  ].join('\n\n')}\n`;
}
