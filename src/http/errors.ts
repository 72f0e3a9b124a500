import type { Context, Middleware } from 'koa';
import { answerTo, answerToUnhandled, type ErrorAnswer } from './error-answer.ts';
import { type ErrorOrigin, errorPage } from './error-page.ts';
import { currentRequest } from './request-context.ts';
import { sendPage } from './send-page.ts';

/**
 * The one renderer: what a client or a person is told about an error, and the log line with its full
 * reason under the same trace id. JSON, or a page for those who prefer HTML.
 *
 * @param back for an authorization that failed before sign-in for a client that registered itself:
 *   the page names its redirect host and links there instead of redirecting
 */
export function renderError(ctx: Context, error: unknown, back?: ErrorOrigin): void {
  const answer = answerTo(error);
  logError(answer, error);
  if (ctx.headerSent) ctx.res.destroy();
  else send(ctx, answer, back);
}

/** Renders what the handlers throw, and what none of them answered (404, 405 with `Allow`). */
export function errors(): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      renderError(ctx, error);
      return;
    }
    const unhandled = ctx.status === 404 || ctx.status === 405 || ctx.status === 501;
    if (!unhandled || ctx.respond === false || ctx.headerSent || ctx.body != null) return;
    send(ctx, answerToUnhandled(ctx.status, ctx.response.get('allow')));
  };
}

function send(ctx: Context, answer: ErrorAnswer, back?: ErrorOrigin): void {
  const { traceId, site } = currentRequest();
  const { status, error, description } = answer;
  ctx.remove('Location');
  ctx.set(answer.headers);
  if (status === 401 && !ctx.response.get('www-authenticate')) {
    ctx.set('WWW-Authenticate', challenge(error, site.host));
  }
  ctx.vary('Accept');
  if (ctx.accepts(['json', 'html']) === 'html') {
    const page = errorPage({ status, error, description, traceId, back });
    sendPage(ctx, page, { status, opener: 'keep' });
    return;
  }
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.body = { ...answer.members, error, error_description: description, trace_id: traceId };
}

// RFC 6749 §5.2, RFC 6750 §3: a 401 names the scheme to use.
function challenge(error: string, realm: string): string {
  if (error === 'invalid_client') return `Basic realm="${realm}"`;
  return error === 'invalid_token' ? `Bearer error="${error}"` : 'Bearer';
}

function logError(answer: ErrorAnswer, error: unknown): void {
  const { log } = currentRequest();
  const line = { error: answer.error, description: answer.description, reason: answer.reason };
  if (answer.status >= 500) {
    log.error({ ...line, err: error }, 'request failed');
    return;
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const text = cause instanceof Error ? cause.message : cause;
  log.info({ ...line, ...(text === undefined ? {} : { cause: text }) }, 'request refused');
}
