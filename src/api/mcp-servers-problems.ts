import type { Context } from 'koa';
import { currentTraceId } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import {
  MustConnectError,
  ProbeFailure,
  ServerOffError,
  UpstreamProblem,
} from '../upstream/index.ts';

/**
 * Does what a route does, and says what other servers did wrong. That a member has to connect first is a 403
 * whose body says how: `code`, `authType`, and `authorizeUrl` or `appUuid`, also within `detail`.
 *
 * @throws OAuthError
 */
export async function withUpstream(ctx: Context, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof MustConnectError) sayHowToConnect(ctx, error);
    else throw translated(error);
  }
}

function sayHowToConnect(ctx: Context, { message, detail }: MustConnectError): void {
  ctx.status = 403;
  ctx.body = {
    error: 'access_denied',
    error_description: message,
    trace_id: currentTraceId(),
    ...detail,
    detail,
  };
}

function translated(error: unknown): unknown {
  if (error instanceof ServerOffError) {
    return new OAuthError('invalid_request', 'This MCP server is disabled. Enable it first.', {
      status: 409,
    });
  }
  if (error instanceof ProbeFailure) return fromProbe(error);
  return error instanceof UpstreamProblem ? fromProblem(error) : error;
}

function fromProbe(failure: ProbeFailure): OAuthError {
  const { reason, message, retryAfter } = failure;
  const isOurs = reason === 'busy' || reason === 'resting';
  return new OAuthError('temporarily_unavailable', message, {
    ...{ status: isOurs ? 503 : 502, cause: failure, detail: { reason } },
    ...(retryAfter !== undefined && { headers: { 'Retry-After': String(retryAfter) } }),
  });
}

const whatTheyNamed = new Set(['metadata', 'no_authorization_server', 'registration']);

function fromProblem(problem: UpstreamProblem): OAuthError {
  const { code, field, message, retryAfter } = problem;
  const detail = { code, field };
  if (whatTheyNamed.has(code)) {
    const said = field === undefined || message.includes(field) ? message : `${field}: ${message}`;
    return new OAuthError('invalid_request', said, { cause: problem, detail });
  }
  return new OAuthError('temporarily_unavailable', message, {
    ...{ status: code === 'paused' ? 503 : 502, cause: problem, detail },
    ...(retryAfter !== undefined && { headers: { 'Retry-After': String(retryAfter) } }),
  });
}
