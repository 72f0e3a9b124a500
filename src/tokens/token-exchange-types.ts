import { OAuthError, tokenTypes } from '../oauth/index.ts';

/** Parameters of a token exchange request (RFC 8693 §2.1) that say what is given and what is wanted. */
export interface ExchangeParameters {
  subject_token?: string | undefined;
  subject_token_type?: string | undefined;
  actor_token?: string | undefined;
  actor_token_type?: string | undefined;
  requested_token_type?: string | undefined;
}

/** What was presented, once its types have been checked. */
export interface PresentedTokens {
  subjectToken: string;
  actorToken?: string;
}

/**
 * Holds a request to what is exchanged here: our own access tokens, for access tokens (RFC 8693 §2.1).
 * Attack: an ID token, an assertion or a refresh token that is taken for an access token, or that is
 * asked for, buys what its audience was never given (RFC 8725 §3.11). Does NOT verify the tokens.
 *
 * @throws OAuthError invalid_request (§2.2.2)
 */
export function presentedTokens(sent: ExchangeParameters): PresentedTokens {
  const { subject_token: subjectToken, actor_token: actorToken } = sent;
  if (!subjectToken) throw invalid(`subject_token is missing. ${ownTokens}`);
  requireAccessToken('subject_token_type', sent.subject_token_type);
  requireActorPair(actorToken, sent.actor_token_type);
  if (sent.requested_token_type) {
    requireAccessToken('requested_token_type', sent.requested_token_type);
  }
  return { subjectToken, ...(actorToken ? { actorToken } : {}) };
}

const ownTokens = 'Send an access token of this server.';

/** RFC 8693 §2.1: the type is REQUIRED beside an actor_token, and MUST NOT be there without one. */
function requireActorPair(token: string | undefined, type: string | undefined): void {
  if (token) requireAccessToken('actor_token_type', type);
  else if (type)
    throw invalid('actor_token_type is there without an actor_token. Send both or none.');
}

function requireAccessToken(parameter: string, type: string | undefined): void {
  if (type === tokenTypes.accessToken) return;
  if (!type) throw invalid(`${parameter} is missing. Send ${tokenTypes.accessToken}.`);
  throw invalid(
    `${parameter} must be ${tokenTypes.accessToken}: this server exchanges its own access tokens for access tokens, and nothing else.`,
  );
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_request', description);
}
