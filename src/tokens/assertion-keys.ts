import { type CompactVerifyGetKey, compactVerify, createLocalJWKSet, errors } from 'jose';
import { z } from 'zod';
import { readKeySet } from '../clients/index.ts';
import { createGuardedCache, type GuardedFetch, GuardedFetchError, isBusy } from '../http/index.ts';
import { wellKnownPath } from '../oauth/index.ts';
import { idJagAlgorithms } from './id-jag-policy.ts';
import { IdJagRefusal } from './id-jag-refusals.ts';
import type { TrustedIssuer } from './trusted-issuer-row.ts';

/** Identity providers publish more keys than clients do, some with certificates. */
const keyLimits = { keys: 50, kibibytes: 128 };
const mostBytes = 160 * 1024;

/** The keys of an issuer, ready to verify with. */
interface IssuerKeys {
  kids: ReadonlySet<string | undefined>;
  pick: CompactVerifyGetKey;
}

export interface AssertionKeysDeps {
  fetch: GuardedFetch;
  now: () => Date;
}

/**
 * Verifies signatures of identity assertions by the keys of their issuer: those in its row, those at its
 * `jwks_uri`, or those that its metadata leads to (RFC 8414, OpenID Connect Discovery). Fetched keys are
 * kept as {@link createGuardedCache} says: an unknown kid asks again, at most once a minute.
 */
export function createAssertionKeys({ fetch, now }: AssertionKeysDeps) {
  const metadataOf = createGuardedCache({ now, load: (issuer) => discover(fetch, issuer) });
  const keysAt = createGuardedCache({
    now,
    load: async (uri) => (await fetch(uri, { read: readKeys, maxBytes: mostBytes })).json,
  });

  const own = new WeakMap<TrustedIssuer, IssuerKeys>();

  async function keysOf(issuer: TrustedIssuer, kid: string | undefined): Promise<IssuerKeys> {
    if (issuer.jwks) {
      const keys = own.get(issuer) ?? readKeys(issuer.jwks);
      own.set(issuer, keys);
      return keys;
    }
    const uri = issuer.jwksUri ?? (await metadataOf(issuer.issuer, () => true));
    return keysAt(uri, ({ kids }) => kid === undefined || kids.has(kid));
  }

  /**
   * Does NOT look at what the assertion says.
   *
   * @throws IdJagRefusal `keys_unavailable`, `key_unknown` or `signature`
   */
  return async function verifySignature(
    assertion: string,
    { issuer, kid }: { issuer: TrustedIssuer; kid: string | undefined },
  ): Promise<void> {
    const keys = await keysOf(issuer, kid).catch((cause: unknown) => {
      const why = cause instanceof GuardedFetchError ? cause.reason : String(cause);
      throw new IdJagRefusal('keys_unavailable', why, { cause });
    });
    try {
      await compactVerify(assertion, keys.pick, { algorithms: idJagAlgorithms });
    } catch (cause) {
      throw new IdJagRefusal(isUnknownKey(cause) ? 'key_unknown' : 'signature', kid, { cause });
    }
  };
}

/** Nothing private or symmetric is in it; a key with an `alg` verifies that one only. */
function readKeys(value: unknown): IssuerKeys {
  const set = readKeySet(value, keyLimits);
  const kids = new Set(set.keys.map((key) => key.kid));
  return { kids, pick: createLocalJWKSet({ keys: set.keys.map((key) => ({ ...key })) }) };
}

/** Without a kid there must be one key that fits: we do not try one after the other. */
function isUnknownKey(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys
  );
}

/** Where an issuer's metadata says that its keys are, looked for where either standard puts it. */
async function discover(fetch: GuardedFetch, issuer: string): Promise<string> {
  const { origin } = new URL(issuer);
  const read = (json: unknown) => readMetadata(json, issuer);
  const ask = async (path: string) =>
    (await fetch(`${origin}${path}`, { read, maxBytes: mostBytes })).json;
  try {
    return await ask(wellKnownPath('openid-configuration', issuer).appended);
  } catch (error) {
    if (!(error instanceof GuardedFetchError) || isBusy(error)) throw error;
    return ask(wellKnownPath('oauth-authorization-server', issuer).inserted);
  }
}

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.string() });

/** RFC 8414 §3.3. Attack: metadata of another issuer, whose keys would then sign for this one. */
function readMetadata(json: unknown, issuer: string): string {
  const metadata = metadataSchema.parse(json);
  if (metadata.issuer !== issuer) throw new Error('issuer in the metadata is another one');
  return metadata.jwks_uri;
}
