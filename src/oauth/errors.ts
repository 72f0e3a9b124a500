import { safeDescription } from './text.ts';

const statuses = {
  // RFC 6749 §4.1.2.1 and §5.2
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_response_type: 400,
  unsupported_response_mode: 400,
  invalid_scope: 400,
  access_denied: 400,
  server_error: 500,
  temporarily_unavailable: 503,
  // RFC 6750 §3.1
  invalid_token: 401,
  insufficient_scope: 403,
  // RFC 7009 §2.2.1
  unsupported_token_type: 400,
  // RFC 7591 §3.2.2
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  invalid_software_statement: 400,
  unapproved_software_statement: 400,
  // RFC 8628 §3.5
  authorization_pending: 400,
  slow_down: 400,
  expired_token: 400,
  // RFC 8707 §2, also RFC 8693 §2.2.2
  invalid_target: 400,
  // RFC 9101 §6.2, RFC 9126 §2.3
  invalid_request_uri: 400,
  invalid_request_object: 400,
  request_not_supported: 400,
  request_uri_not_supported: 400,
  // RFC 9449 §5 and §8
  invalid_dpop_proof: 400,
  use_dpop_nonce: 400,
  // OpenID Connect Core §3.1.2.6, for prompt=none
  login_required: 400,
  consent_required: 400,
  interaction_required: 400,
  account_selection_required: 400,
} as const;

/** Every error code that a client can be sent. */
export type ErrorCode = keyof typeof statuses;

/** Every error code with its usual HTTP status. */
export const errorCodes: Readonly<Record<ErrorCode, number>> = statuses;

export interface OAuthErrorOptions {
  cause?: unknown;
  /** For the log and the audit event, never sent. */
  detail?: Record<string, unknown>;
  /** HTTP status where it differs from the usual one of the code. */
  status?: number;
  /** Response headers, such as `Retry-After` (seconds). */
  headers?: Record<string, string>;
}

/** An error that is meant for the client; everything else becomes `server_error`. */
export class OAuthError extends Error {
  readonly error: ErrorCode;
  readonly description: string;
  readonly status: number;
  readonly detail: Record<string, unknown> | undefined;
  readonly headers: Record<string, string> | undefined;

  /**
   * @param error the code of the RFC
   * @param description what was wrong and what to do; made safe for RFC 6749 §5.2
   */
  constructor(error: ErrorCode, description: string, options: OAuthErrorOptions = {}) {
    super(`${error}: ${description}`, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'OAuthError';
    this.error = error;
    this.description = safeDescription(description);
    this.status = options.status ?? statuses[error];
    this.detail = options.detail;
    this.headers = options.headers;
  }
}
