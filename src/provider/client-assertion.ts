import { InvalidClientAuth } from './errors.ts';

/** Longest time until a client assertion expires, in seconds. */
const longestLife = 3600;

/**
 * What the library does not ask of a client assertion (RFC 7523 §3): that it ends soon, since its
 * `jti` is remembered as long as it lives, and that it is for us alone.
 *
 * @param accepted audiences by which this server is known
 * @throws InvalidClientAuth
 */
export function checkClientAssertion(
  { aud, exp }: Record<string, unknown>,
  accepted: ReadonlySet<unknown>,
  now: Date,
): void {
  if (typeof exp !== 'number' || exp > now.getTime() / 1000 + longestLife) {
    throw new InvalidClientAuth('client assertion ends too late');
  }
  if (![aud].flat().every((one) => accepted.has(one))) {
    throw new InvalidClientAuth('client assertion is for others too');
  }
}
