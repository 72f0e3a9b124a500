/** Why somebody who came back, or came with a link, is not connected. */
export type ConnectFailure =
  /** The state is missing, made up, or was used before. */
  | 'state'
  /** Another browser, another session or another person began it. */
  | 'browser'
  | 'expired'
  /** The answer came to the address of another server (COAT). */
  | 'swapped'
  /** Server or membership is gone, or the server has changed meanwhile. */
  | 'gone'
  | 'cancelled'
  | 'refused_there'
  | 'unreachable'
  | 'not_accepted'
  /** A link that was used before, is too old, is another person's, or was made up. */
  | 'link'
  /** The way to the other server could not be begun. */
  | 'not_ready';

export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly failure: ConnectFailure;
  /** What the person may be told of it: made by us. */
  readonly detail: string | undefined;
  /** `mcp_…`, where it is known. */
  readonly serverId: string | undefined;
  readonly userId: string | undefined;

  constructor(
    failure: ConnectFailure,
    options: { detail?: string; serverId?: string; userId?: string; cause?: unknown } = {},
  ) {
    super(failure, options.cause === undefined ? undefined : { cause: options.cause });
    this.failure = failure;
    this.detail = options.detail;
    this.serverId = options.serverId;
    this.userId = options.userId;
  }
}
