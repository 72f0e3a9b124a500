/**
 * Why a guarded fetch failed. For logs only: whoever sees the failure gets one message, because the
 * differences would make us a scanner of other people's networks (CIMD draft-02 §8.6).
 */
export type GuardedFetchReason =
  | { kind: 'url'; problem: string }
  | { kind: 'dns'; code: string }
  | { kind: 'address'; address: string; range: string }
  | { kind: 'connect'; code: string }
  | { kind: 'tls'; code: string }
  | { kind: 'timeout' }
  | { kind: 'redirect'; status: number }
  | { kind: 'status'; status: number }
  | { kind: 'content_type'; contentType: string }
  | { kind: 'content_encoding'; contentEncoding: string }
  | { kind: 'too_large'; limit: number }
  | { kind: 'json'; problem: string }
  | { kind: 'document'; problem: string }
  | { kind: 'busy'; scope: 'host' | 'global' | 'requester' };

/** The one error of the guarded fetch; `reason` stays inside, `message` says nothing about the target. */
export class GuardedFetchError extends Error {
  override readonly name = 'GuardedFetchError';
  readonly reason: GuardedFetchReason;

  constructor(reason: GuardedFetchReason, options?: { cause?: unknown }) {
    super('The document could not be fetched or is not valid.', options);
    this.reason = reason;
  }
}

/** Whether our own limits refused it, before anybody was asked. */
export function isBusy(error: unknown): boolean {
  return error instanceof GuardedFetchError && error.reason.kind === 'busy';
}

const tlsCodes = /CERT|TLS|SSL|ISSUER|SELF_SIGNED|SIGNATURE|CRL|HOSTNAME_MISMATCH|EPROTO/;

/** Sorts an error of the network stack into a reason. */
export function networkReason(error: unknown): GuardedFetchReason {
  const code = errorCode(error);
  if (/TIMEOUT|TIMEDOUT/.test(code)) return { kind: 'timeout' };
  return tlsCodes.test(code) ? { kind: 'tls', code } : { kind: 'connect', code };
}

/** The `code` of a Node error, looking through `cause`. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? error.name : errorCode(error.cause);
}
