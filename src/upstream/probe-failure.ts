import {
  InsufficientScopeError,
  ProtocolError,
  SdkError,
  SdkHttpError,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { GuardedFetchError } from '../http/index.ts';

/**
 * Why a server could not be spoken to:
 * - `unreachable`, `slow`: no answer, or none in time
 * - `redirect`, `too_large`, `refused_address`: what the way out refuses
 * - `unauthorized`, `forbidden`: it wants (other) credentials
 * - `not_mcp`: it answers, but not as an MCP server does
 * - `busy`: too much is under way there or for this workspace
 * - `resting`: it failed repeatedly just now and is left alone
 */
export type ProbeReason =
  | 'unreachable'
  | 'slow'
  | 'redirect'
  | 'too_large'
  | 'refused_address'
  | 'unauthorized'
  | 'forbidden'
  | 'not_mcp'
  | 'busy'
  | 'resting';

const sentences: Record<ProbeReason, string> = {
  unreachable: 'The server cannot be reached at this address.',
  slow: 'The server did not answer in time.',
  redirect: 'The server answers with a redirect. Register the address that it leads to.',
  too_large: 'The server answered more than is read of it.',
  refused_address: 'The address of the server is not a public one.',
  unauthorized: 'The server does not accept the credentials that it was sent.',
  forbidden: 'The server refuses these credentials, or wants other scopes.',
  not_mcp: 'What answers at this address is no MCP server that speaks Streamable HTTP.',
  busy: 'Too many requests to this server are under way. Try again in a moment.',
  resting: 'The server did not answer several times and is left alone for a while.',
};

/** Its message is one of our sentences, and repeats nothing of what the other server said. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
  readonly reason: ProbeReason;
  /** Seconds, where waiting helps. */
  readonly retryAfter: number | undefined;

  constructor(reason: ProbeReason, retryAfter?: number, cause?: unknown) {
    super(sentences[reason], cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.retryAfter = retryAfter ?? (reason === 'busy' ? 5 : undefined);
  }
}

/** Whether nobody answered, which the next one who asks would wait for too. */
export function isNetworkFailure({ reason }: ProbeFailure): boolean {
  return reason === 'unreachable' || reason === 'slow';
}

/**
 * Sorts what the client or the way out threw. Attack: a server that repeats the credentials that it was sent;
 * errors of the client hold its answer, and would take them to the log (U10). Only ours go on.
 */
export function probeFailure(error: unknown): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  return new ProbeFailure(reasonOf(error), undefined, ours(error));
}

function ours(error: unknown): GuardedFetchError | undefined {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof GuardedFetchError) return one;
  }
  return undefined;
}

function reasonOf(error: unknown): ProbeReason {
  if (error instanceof GuardedFetchError) return guardedReason(error.reason.kind);
  if (error instanceof UnauthorizedError) return 'unauthorized';
  if (error instanceof InsufficientScopeError) return 'forbidden';
  if (error instanceof SdkHttpError) return httpReason(error.status);
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'slow';
  if (error instanceof ProtocolError || error instanceof SdkError) return causeReason(error.cause);
  return causeReason(error instanceof Error ? error.cause : undefined);
}

/** The SDK wraps what its `fetch` threw. */
function causeReason(cause: unknown): ProbeReason {
  return cause === undefined ? 'not_mcp' : reasonOf(cause);
}

function httpReason(status: number | undefined): ProbeReason {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  return status !== undefined && status >= 500 ? 'unreachable' : 'not_mcp';
}

function guardedReason(kind: GuardedFetchError['reason']['kind']): ProbeReason {
  switch (kind) {
    case 'timeout':
      return 'slow';
    case 'redirect':
    case 'too_large':
    case 'busy':
      return kind;
    case 'address':
    case 'url':
      return 'refused_address';
    case 'dns':
    case 'connect':
    case 'tls':
      return 'unreachable';
    default:
      return 'not_mcp';
  }
}
