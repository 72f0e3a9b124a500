import { createGuardedCache, type GuardedFetch, GuardedFetchError } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { readKeySet } from './jwks.ts';
import type { Client, Log, PublicKeySet } from './types.ts';

const mostBytes = 64 * 1024;

export interface ClientKeysDeps {
  /** For addresses that strangers named, in documents and registrations. */
  fetch: GuardedFetch;
  /** For addresses that operators named: strangers must not be able to use up its limits. */
  operatorFetch: GuardedFetch;
  now: () => Date;
  log: Log;
}

/**
 * The public keys that a client signs with: those in its metadata, or those at its `jwks_uri`, which are
 * fetched through the guarded fetch, kept for ten minutes, and asked for again when a signature names a
 * key that is not among them (at most once a minute).
 *
 * @returns `keysFor(client, { kid })`: the keys, or undefined for a client that has none; throws
 *   OAuthError invalid_client when they cannot be had
 */
export function createClientKeys({ fetch, operatorFetch, now, log }: ClientKeysDeps) {
  const keysNamedBy = { strangers: keysVia(fetch, now), operators: keysVia(operatorFetch, now) };

  return async function keysFor(
    client: Pick<Client, 'clientId' | 'kind' | 'metadata'>,
    { kid }: { kid?: string | undefined } = {},
  ): Promise<PublicKeySet | undefined> {
    const { jwks, jwks_uri: uri } = client.metadata;
    if (jwks || !uri) return jwks;
    const keysAt = keysNamedBy[client.kind === 'preregistered' ? 'operators' : 'strangers'];
    try {
      return await keysAt(
        uri,
        ({ keys }) => kid === undefined || keys.some((key) => key.kid === kid),
      );
    } catch (cause) {
      if (!(cause instanceof GuardedFetchError)) throw cause;
      log.warn({ client_id: client.clientId, reason: cause.reason }, 'keys of a client not usable');
      throw new OAuthError('invalid_client', 'The keys of the client could not be loaded', {
        cause,
      });
    }
  };
}

function keysVia(fetch: GuardedFetch, now: () => Date) {
  return createGuardedCache({
    now,
    load: async (uri) =>
      (await fetch(uri, { read: (json) => readKeySet(json), maxBytes: mostBytes })).json,
  });
}
