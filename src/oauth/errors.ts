import { type ErrorCode, errorCodes } from './error-codes.ts';
import { safeDescription } from './text.ts';

export interface OAuthErrorOptions {
  cause?: unknown;
  /** For the log and the audit event, never sent. */
  detail?: Record<string, unknown>;
  /** HTTP status where it differs from the usual one of the code. */
  status?: number;
  /** Response headers, such as `Retry-After` (seconds). */
  headers?: Record<string, string>;
  /** Further members of a JSON answer, such as where the person has to go. */
  members?: Record<string, string>;
}

/** An error that is meant for the client; everything else becomes `server_error`. */
export class OAuthError extends Error {
  readonly error: ErrorCode;
  readonly description: string;
  readonly status: number;
  readonly detail: Record<string, unknown> | undefined;
  readonly headers: Record<string, string> | undefined;
  readonly members: Record<string, string> | undefined;

  /**
   * @param error the code of the RFC
   * @param description what was wrong and what to do; made safe for RFC 6749 §5.2
   */
  constructor(error: ErrorCode, description: string, options: OAuthErrorOptions = {}) {
    super(`${error}: ${description}`, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'OAuthError';
    this.error = error;
    this.description = safeDescription(description);
    this.status = options.status ?? errorCodes[error].status;
    this.detail = options.detail;
    this.headers = options.headers;
    this.members = options.members;
  }
}
