/** Error codes this kit answers with (RFC 6750 §3.1, RFC 9449 §7.1, RFC 6749 §4.1.2.1). */
export type RefusalCode =
  | 'invalid_request'
  | 'invalid_token'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_scope'
  | 'temporarily_unavailable';

const statusOf: Record<RefusalCode, number> = {
  invalid_request: 400,
  invalid_token: 401,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
  insufficient_scope: 403,
  temporarily_unavailable: 503,
};

/**
 * A request that is not let through, with a sentence that is safe to show the client.
 * `scopes` are those the call needs (403).
 */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly error: RefusalCode;
  readonly status: number;
  readonly scopes: readonly string[] | undefined;

  /** @param description printable ASCII without quote or backslash (RFC 6750 §3). */
  constructor(
    error: RefusalCode,
    description: string,
    options: { scopes?: readonly string[]; cause?: unknown } = {},
  ) {
    super(description, { cause: options.cause });
    this.error = error;
    this.status = statusOf[error];
    this.scopes = options.scopes;
  }
}

/** No token was sent: challenged without an error code (RFC 6750 §3.1). */
export class MissingToken extends Error {
  override name = 'MissingToken';
}

/** The body cannot be judged, so it is answered as JSON-RPC does and not dispatched. */
export class UnreadableBody extends Error {
  override name = 'UnreadableBody';
  readonly status: 400 | 413 | 415;

  constructor(status: 400 | 413 | 415, message: string) {
    super(message);
    this.status = status;
  }
}

/** A tool that this MCP server does not offer to its callers; no scope would help, so there is no challenge. */
export class ClosedTool extends Error {
  override name = 'ClosedTool';
}
