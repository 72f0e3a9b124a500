import type { EventEmitter } from 'node:events';
import type { Middleware } from 'koa';
import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Metrics } from '../audit/index.ts';
import { renderError } from '../http/index.ts';
import { type ErrorCode, errorCodes, OAuthError } from '../oauth/index.ts';
import { stateOf } from './request-state.ts';

const failures = [
  'authorization.error',
  'pushed_authorization_request.error',
  'device_authorization.error',
  'device_resume.error',
  'grant.error',
  'introspection.error',
  'revocation.error',
  'server_error',
];

/** Keeps what the library only tells on events: the error itself, with its private detail. */
export function rememberErrors(provider: Provider): void {
  const emitter: EventEmitter = provider;
  for (const event of failures) {
    emitter.on(event, (ctx: KoaContextWithOIDC, error: unknown) => {
      stateOf(ctx).error = error;
    });
  }
}

/**
 * Turns the library's errors, whose descriptions say little, into ours, as JSON or as a page: the RFC's
 * code, what was wrong and what to do, a trace id, and the full reason in one log line with that id.
 */
export function explainErrors({
  metrics,
}: {
  metrics: Metrics;
}): Middleware<object, KoaContextWithOIDC> {
  return async (ctx, next) => {
    const thrown: unknown = await next().then(
      () => undefined,
      (error: unknown) => error,
    );
    const error = thrown ?? stateOf(ctx).error;
    stateOf(ctx).error = error;
    if (error === undefined) return;
    metrics.requestRefused({ endpoint: ctx.oidc?.route ?? 'other', error: codeOf(explain(error)) });
    if (thrown === undefined && ctx.status < 400) return; // told to the client by a redirect
    const { back } = stateOf(ctx);
    const told = back ? asRefusal(explain(error)) : explain(error);
    if (thrown !== undefined || isErrorBody(ctx.body)) renderError(ctx, told, back);
  };
}

/** What a request was refused with, also where the refusal went to the client by a redirect. */
export function refusalOf(ctx: KoaContextWithOIDC): OAuthError | undefined {
  const { error } = stateOf(ctx);
  if (error === undefined) return undefined;
  const told = explain(error);
  if (told instanceof OAuthError) return told;
  return new OAuthError('server_error', 'Something failed on this server.', { cause: error });
}

/** The library's errors for `prompt=none` have the status of the redirect that they are not any more. */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof OAuthError) || error.status >= 400) return error;
  return new OAuthError(error.error, error.description, { cause: error });
}

/** The same error with a description for its reader; unknown errors stay as they are. */
export function explain(error: unknown): unknown {
  if (error instanceof errors.OIDCProviderError && error.cause instanceof OAuthError) {
    return error.cause; // ours, which the library carried
  }
  if (!(error instanceof errors.OIDCProviderError) || !isErrorCode(error.error)) return error;
  const code = corrected[error.error_description ?? ''];
  const why = sentences[error.error_detail ?? ''] ?? sentences[error.error_description ?? ''];
  const description = why ?? plain(error.error_description) ?? fallback(error.error);
  return new OAuthError(code ?? error.error, description, {
    status: code ? undefined : error.statusCode,
    cause: error,
    detail: { reason: error.error_detail },
  });
}

/** Where the library says invalid_request and RFC 6749 §5.2 has a code of its own. */
const corrected: Record<string, ErrorCode> = {
  'no client authentication mechanism provided': 'invalid_client',
  'invalid authorization header value format': 'invalid_client',
  'client_secret must be provided in the Authorization header': 'invalid_client',
  'client_id and client_secret in the authorization header are not properly encoded':
    'invalid_client',
  'client_id mismatch': 'invalid_client',
  'invalid client_assertion format': 'invalid_client',
  'requested grant type is not allowed for this client': 'unauthorized_client',
  'urn:ietf:params:oauth:grant-type:device_code is not allowed for this client':
    'unauthorized_client',
};

/** The library's private reasons that a client may know, in words that say what to do. */
const sentences: Record<string, string> = {
  'authorization code not found': 'This authorization code is unknown. Start a new authorization.',
  'authorization code is expired':
    'This authorization code has expired. Start a new authorization.',
  'authorization code already consumed':
    'This authorization code has been used already. Start a new authorization.',
  'authorization code redirect_uri mismatch':
    'redirect_uri differs from the one of the authorization request. Send the same value.',
  'code_verifier does not match code_challenge':
    'code_verifier does not match the code_challenge (RFC 7636 section 4.6).',
  'code_verifier must be provided':
    'code_verifier is missing. Send the one that the code_challenge was made from (RFC 7636).',
  'refresh token not found': 'This refresh token is unknown. Start a new authorization.',
  'refresh token is expired': 'This refresh token has expired. Start a new authorization.',
  'refresh token already used':
    'This refresh token has been used already, so its tokens were revoked. Start a new authorization.',
  'client mismatch': 'This code or token was issued to another client.',
  'grant not found': 'This authorization has been revoked. Start a new authorization.',
  'grant is expired': 'This authorization has expired. Start a new authorization.',
  'failed jkt verification': 'The DPoP proof is signed by another key than the token is bound to.',
  'DPoP proof JWT not provided': 'This client must send a DPoP proof (RFC 9449).',
  'device code not found': 'This device code is unknown. Start again on the device.',
  'device code is expired': 'This device code has expired. Start again on the device.',
  'device code already consumed':
    'This device code has been used already, so its tokens were revoked. Start again on the device.',
  "authorization request is still pending as the end-user hasn't yet completed the user interaction steps":
    'Nobody has approved this device yet. Ask again after the interval.',
  'Pushed Authorization Request must be used':
    'This client must push its authorization requests (RFC 9126): send them to the pushed_authorization_request_endpoint and come back with the request_uri.',
  'request_uri is invalid, expired, or was already used':
    'This request_uri is unknown, has expired, or was used already. Go back to the app and start again.',
  'request client_id must equal the one in request parameters':
    'This request_uri was not given to this client. Go back to the app and start again.',
  'client not found':
    'This client_id is unknown here; it may have been removed. Register again or check the client_id.',
  'invalid secret provided': 'The client secret is wrong.',
  'no client authentication mechanism provided':
    'client_id is missing. Send it, and authenticate by the method that the client is registered with.',
  'client authentication failed':
    'Client authentication failed. Check client_id, method and credentials.',
  'unsupported grant_type requested':
    'This grant_type is not served here. grant_types_supported in the metadata lists those that are.',
  'grant request is invalid': 'This code or token is not valid. Start a new authorization.',
};

/** A sentence; one that begins with a parameter's name keeps its spelling. */
function plain(description: string | undefined): string | undefined {
  if (!description) return undefined;
  const isName = /^[a-z]+[_:]/.test(description);
  const first = description.charAt(0);
  return `${isName ? first : first.toUpperCase()}${description.slice(1).replace(/\.+$/, '')}.`;
}

function fallback(error: ErrorCode): string {
  return `The request was refused: ${error}.`;
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'error' in error ? error.error : undefined;
  return isErrorCode(code) ? code : 'server_error';
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && code in errorCodes;
}

function isErrorBody(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'error' in body;
}
