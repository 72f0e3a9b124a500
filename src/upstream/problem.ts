/** What is wrong with another server, in words for the person who registered it. */
export type UpstreamProblemCode =
  /** Cannot be reached, or answers what nobody understands. */
  | 'unreachable'
  /** Its metadata is not good enough, or it lies; `field` names the member. */
  | 'metadata'
  /** It does not say where its authorization server is. */
  | 'no_authorization_server'
  /** It registers no clients, and no credentials were given. */
  | 'registration'
  /** It refused: `oauthError` says why. */
  | 'refused'
  /** Its token answer cannot be used. */
  | 'tokens'
  /** It did not answer several times, so it is left alone for a while. */
  | 'paused';

export class UpstreamProblem extends Error {
  override readonly name = 'UpstreamProblem';
  readonly code: UpstreamProblemCode;
  /** Member of the metadata or of the answer that is wrong. */
  readonly field: string | undefined;
  /** `error` of the other server, where it is a plain word. */
  readonly oauthError: string | undefined;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter: number | undefined;

  constructor(
    code: UpstreamProblemCode,
    message: string,
    options: {
      field?: string;
      oauthError?: string | undefined;
      retryAfter?: number;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field;
    this.oauthError = options.oauthError;
    this.retryAfter = options.retryAfter;
  }
}
