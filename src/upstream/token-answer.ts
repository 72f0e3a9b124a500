import { parseScope } from '../oauth/index.ts';
import { scopesOf } from './discovery-policy.ts';
import { UpstreamProblem } from './problem.ts';

/** What a member holds at an authorization server. */
export interface UpstreamTokens {
  accessToken: string;
  refreshToken?: string;
  scopes: string[];
  /** None where it was not told. */
  expiresAt?: Date;
}

const longestToken = 16 * 1024;
/** Seconds; what is said to live longer is asked for again after that. */
const longestLife = 90 * 86_400;
const visible = /^[!-~]+$/;

/**
 * Holds a token answer to what can be stored and sent (RFC 6749 §5.1, U09). Attack: an answer that breaks
 * out of a header, fills the database, or is good for ever.
 *
 * @param asked scopes, which are granted where the answer names none
 * @throws UpstreamProblem naming the member
 */
export function readTokenAnswer(
  answer: Record<string, unknown>,
  { asked, now }: { asked: readonly string[]; now: Date },
): UpstreamTokens {
  const { access_token: accessToken, refresh_token: refreshToken, scope } = answer;
  if (!isToken(accessToken)) throw unusable('access_token', 'is no token');
  if (refreshToken !== undefined && !isToken(refreshToken)) {
    throw unusable('refresh_token', 'is no token');
  }
  if (typeof answer.token_type !== 'string' || !/^bearer$/i.test(answer.token_type)) {
    throw unusable('token_type', 'is not Bearer');
  }
  const life = answer.expires_in;
  if (life !== undefined && (typeof life !== 'number' || !Number.isFinite(life) || life <= 0)) {
    throw unusable('expires_in', 'is no number of seconds');
  }
  const scopes = typeof scope === 'string' ? parseScope(scope.slice(0, longestToken)) : asked;
  return {
    accessToken,
    ...(refreshToken !== undefined && { refreshToken }),
    scopes: scopesOf([...scopes]) ?? [],
    ...(life !== undefined && { expiresAt: after(now, Math.min(life, longestLife)) }),
  };
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longestToken && visible.test(value);
}

function after(now: Date, seconds: number): Date {
  return new Date(now.getTime() + Math.floor(seconds * 1000));
}

function unusable(field: string, problem: string): UpstreamProblem {
  return new UpstreamProblem('tokens', `${field} of the token answer ${problem}.`, { field });
}
