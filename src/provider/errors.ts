import { errors } from 'oidc-provider';
import { OAuthError } from '../oauth/index.ts';

export const { InvalidClientAuth, InvalidDpopProof, InvalidGrant, InvalidTarget } = errors;

/** Our error in the library's words, so that it may redirect with it, keep `state` and add `iss`. */
export function toLibraryError(error: unknown): unknown {
  if (!(error instanceof OAuthError)) return error;
  const translated = new errors.CustomOIDCProviderError(error.error, error.description);
  translated.status = error.status;
  translated.statusCode = error.status;
  translated.cause = error;
  return translated;
}

/** Runs a hook and translates what it throws. */
export async function inLibraryWords<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toLibraryError(error);
  }
}
