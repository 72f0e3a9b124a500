import { isUnavailable } from '../db/index.ts';
import { OAuthError, safeDescription } from '../oauth/index.ts';

/** What an error says to whom: `error`, `description` and `headers` to the client, `reason` to the log. */
export type ErrorAnswer = {
  status: number;
  error: string;
  description: string;
  headers: Readonly<Record<string, string>>;
  /** further members of a JSON answer */
  members?: Readonly<Record<string, string>> | undefined;
  /** from the request that failed, for the log only */
  reason?: unknown;
};

/**
 * Decides what an error says on the wire. Knows `OAuthError`, the errors of Koa (`expose`, `status`),
 * those of the OAuth library (`error`, `error_description`, `error_detail`) and an unavailable
 * database; everything else is `server_error`, whose text says nothing about its cause.
 */
export function answerTo(error: unknown): ErrorAnswer {
  const answer = translate(error);
  const isBusy = answer.status === 429 || answer.status === 503;
  if (!isBusy || answer.headers['Retry-After']) return answer;
  return { ...answer, headers: { ...answer.headers, 'Retry-After': '5' } };
}

function translate(error: unknown): ErrorAnswer {
  if (error instanceof OAuthError) return fromOAuth(error);
  if (isUnavailable(error)) return unavailable;
  return fromHttp(error) ?? unexpected;
}

const unavailable: ErrorAnswer = {
  status: 503,
  error: 'temporarily_unavailable',
  description: 'The server cannot answer at the moment. Try again in a few seconds.',
  headers: {},
};

const unexpected: ErrorAnswer = {
  status: 500,
  error: 'server_error',
  description: 'Something failed on this server. Its log has the reason under the trace id.',
  headers: {},
};

function fromOAuth(error: OAuthError): ErrorAnswer {
  const { status, description, headers = {}, members, detail } = error;
  return { status, error: error.error, description, headers, members, reason: detail };
}

function fromHttp(error: unknown): ErrorAnswer | undefined {
  const status = numberIn(error, 'status') ?? numberIn(error, 'statusCode');
  if (!isExposed(error) || status === undefined || status < 400 || status > 599) return undefined;
  const code = textIn(error, 'error');
  const text = textIn(error, 'error_description') ?? (code ? undefined : textIn(error, 'message'));
  return {
    status,
    error: safeDescription(code ?? codeOf(status)),
    description: safeDescription(text ?? sentenceOf(status)),
    headers: {},
    reason: textIn(error, 'error_detail'),
  };
}

/** What an answer without a body says: nobody handled the path, or not with this method. */
export function answerToUnhandled(status: number, allow: string): ErrorAnswer {
  const isMethod = status === 405 || status === 501;
  return {
    status: isMethod ? 405 : status,
    error: codeOf(status),
    description: isMethod && allow ? `Use ${allow} here.` : sentenceOf(isMethod ? 405 : status),
    headers: {},
  };
}

function codeOf(status: number): string {
  if (status === 403) return 'access_denied';
  if (status === 401) return 'invalid_token';
  if (status === 429 || status === 503) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}

const sentences = new Map([
  [401, 'This needs an access token or a sign-in.'],
  [403, 'This is not allowed.'],
  [404, 'Nothing is at this address. Check the path.'],
  [405, 'This address does not take requests of this method.'],
  [408, 'The request took too long to arrive.'],
  [413, 'The request is too large.'],
  [415, 'The body has a content type that this address does not read.'],
  [429, unavailable.description],
  [503, unavailable.description],
]);

function sentenceOf(status: number): string {
  const other = status >= 500 ? unexpected.description : 'The request is not valid.';
  return sentences.get(status) ?? other;
}

function isExposed(error: unknown): error is object {
  return typeof error === 'object' && error !== null && 'expose' in error && error.expose === true;
}

function textIn(error: unknown, name: string): string | undefined {
  const value = member(error, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberIn(error: unknown, name: string): number | undefined {
  const value = member(error, name);
  return typeof value === 'number' ? value : undefined;
}

function member(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
