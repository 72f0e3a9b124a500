import * as oauth from 'oauth4webapi';
import { GuardedFetchError } from '../http/index.ts';
import { UpstreamProblem } from './problem.ts';

export interface Answer {
  response: Response;
  json: Record<string, unknown> | undefined;
}

/** An answer with its JSON object, where it has one. */
export async function readAnswer(response: Response): Promise<Answer> {
  const json: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  return { response, json: isObject ? { ...json } : undefined };
}

/** Seconds that a token is taken to live whose answer says what cannot be. */
const doubtfulLife = 300;

/**
 * Who the person is there is none of our business: an ID token is not looked at. A life that is no number of
 * seconds is refused, or cut short where refusing it would lose a refresh token that was just rotated (U09).
 */
export function withoutIdToken({ response, json }: Answer, doubtful: 'refuse' | 'cut'): Response {
  if (response.status !== 200 || !json) return response;
  const { id_token: _, expires_in: life, ...rest } = json;
  if (life === undefined) return Response.json(rest);
  const isGood = typeof life === 'number' && Number.isFinite(life) && life > 0;
  if (isGood) return Response.json({ ...rest, expires_in: life });
  if (doubtful === 'cut') return Response.json({ ...rest, expires_in: doubtfulLife });
  const problem = 'expires_in of the token answer is no number of seconds.';
  throw new UpstreamProblem('tokens', problem, { field: 'expires_in' });
}

/**
 * What the library or the way out said, in our words. Attack: their errors hold the whole answer, with tokens
 * in it, and would take it to the log (U10): nothing of them goes on but a plain code.
 */
export function problemOf(error: unknown): UpstreamProblem {
  if (error instanceof UpstreamProblem) return error;
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof UpstreamProblem) return one;
    if (one instanceof GuardedFetchError) return unanswered(one);
  }
  if (error instanceof oauth.ResponseBodyError) return refused(error.error, error.status);
  if (error instanceof oauth.AuthorizationResponseError) return refused(error.error, 400);
  if (error instanceof oauth.WWWAuthenticateChallengeError) return refused('invalid_client', 401);
  const status = error instanceof Error && error.cause instanceof Response ? error.cause.status : 0;
  if (status >= 500) return unanswered();
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new UpstreamProblem(
    'tokens',
    `The answer of the authorization server cannot be used (${code}).`,
  );
}

function unanswered(cause?: GuardedFetchError): UpstreamProblem {
  return new UpstreamProblem('unreachable', 'The authorization server did not answer.', { cause });
}

function refused(word: string, status: number): UpstreamProblem {
  const oauthError = /^[a-z_]{1,60}$/.test(word) ? word : 'invalid_request';
  const isDown = status >= 500 || oauthError === 'temporarily_unavailable';
  return new UpstreamProblem(
    isDown ? 'unreachable' : 'refused',
    `The authorization server refused: ${oauthError}.`,
    { oauthError },
  );
}
