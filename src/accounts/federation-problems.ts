import * as openid from 'openid-client';
import { GuardedFetchError } from '../http/index.ts';

/** Why somebody could not sign in at a provider: closed, for the audit log and the page. */
export type ProviderFailure =
  | 'gone' // disabled or removed in the meantime
  | 'state' // missing, used before, or unknown
  | 'browser' // of another browser
  | 'expired'
  | 'swapped' // the answer of one provider at the callback of another (COAT)
  | 'cancelled' // by the person, at the provider
  | 'refused_there' // the provider answered with an error
  | 'unreachable'
  | 'not_accepted' // what the provider sent does not hold
  | 'unknown' // no account, and none is made
  | 'disabled'
  | 'no_role'; // no part in the administration

/** Where a sign-in began, so that its page leads back there. */
export interface BeganAt {
  purpose: 'login' | 'account' | 'admin';
  interactionUid?: string;
  /** Of the admin listener. */
  origin?: string;
}

/** Somebody could not sign in at a provider; `detail` is for the log. */
export class ProviderSignInError extends Error {
  override readonly name = 'ProviderSignInError';
  readonly failure: ProviderFailure;
  readonly provider: string | undefined;
  readonly beganAt: BeganAt | undefined;
  readonly userId: string | undefined;

  constructor(
    failure: ProviderFailure,
    about: { provider?: string; beganAt?: BeganAt; userId?: string; cause?: unknown } = {},
  ) {
    super(`sign-in at an identity provider failed: ${failure}`, { cause: about.cause });
    this.failure = failure;
    this.provider = about.provider;
    this.beganAt = about.beganAt;
    this.userId = about.userId;
  }
}

/** Sorts what the library and the way out throw. */
export function failureOf(error: unknown): ProviderFailure {
  if (error instanceof openid.AuthorizationResponseError) {
    return error.error === 'access_denied' ? 'cancelled' : 'refused_there';
  }
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof GuardedFetchError) return 'unreachable';
    if (one instanceof openid.ResponseBodyError) {
      return one.status >= 500 ? 'unreachable' : 'refused_there';
    }
  }
  const response = error instanceof Error ? error.cause : undefined;
  if (response instanceof Response && response.status >= 500) return 'unreachable';
  return 'not_accepted';
}

/** What the log says of it: the reasons inside, none of the tokens. */
export function reasonsOf(error: unknown): string[] {
  const reasons: string[] = [];
  for (let one = error; one instanceof Error && reasons.length < 5; one = one.cause) {
    if (one instanceof GuardedFetchError) reasons.push(JSON.stringify(one.reason));
    else if (
      one instanceof openid.AuthorizationResponseError ||
      one instanceof openid.ResponseBodyError
    ) {
      reasons.push(short(`${one.error}: ${one.error_description ?? ''}`));
    } else reasons.push(short(one.message));
  }
  return reasons;
}

function short(text: string): string {
  return text.slice(0, 300);
}
