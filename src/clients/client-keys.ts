import type { GuardedFetch } from '../http/index.ts';
import { GuardedFetchError } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { readKeySet } from './jwks.ts';
import type { Client, Log, PublicKeySet } from './types.ts';

const second = 1000;
const freshFor = 600 * second;
/** Keys that cannot be fetched again stay good for this long. */
const usableFor = 3600 * second;
/** An unknown kid makes us ask again, but strangers can send as many unknown kids as they like. */
const pause = { withKeys: 60 * second, withoutKeys: 15 * second };
const mostSets = 1000;
const mostBytes = 64 * 1024;

interface Entry {
  keys?: PublicKeySet;
  fetchedAt: number;
  triedAt: number;
  running?: Promise<PublicKeySet>;
}

export interface ClientKeysDeps {
  fetch: GuardedFetch;
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
export function createClientKeys(deps: ClientKeysDeps) {
  const entries = new Map<string, Entry>();

  return async function keysFor(
    client: Pick<Client, 'clientId' | 'metadata'>,
    { kid }: { kid?: string | undefined } = {},
  ): Promise<PublicKeySet | undefined> {
    const { jwks, jwks_uri: uri } = client.metadata;
    if (jwks || !uri) return jwks;
    const entry = entryOf(entries, uri);
    const now = deps.now().getTime();
    if (isEnough(entry, kid, now)) return entry.keys;
    const wait = entry.keys ? pause.withKeys : pause.withoutKeys;
    if (!entry.running && now - entry.triedAt < wait) return stillUsable(entry, now);
    entry.running ??= load(deps, uri, entry);
    try {
      return await entry.running;
    } catch (cause) {
      if (!(cause instanceof GuardedFetchError)) throw cause;
      deps.log.warn(
        { client_id: client.clientId, reason: cause.reason },
        'keys of a client not usable',
      );
      return stillUsable(entry, deps.now().getTime(), cause);
    }
  };
}

function isEnough(entry: Entry, kid: string | undefined, now: number): boolean {
  if (!entry.keys || now - entry.fetchedAt >= freshFor) return false;
  return kid === undefined || entry.keys.keys.some((key) => key.kid === kid);
}

function stillUsable(entry: Entry, now: number, cause?: unknown): PublicKeySet {
  if (entry.keys && now - entry.fetchedAt < usableFor) return entry.keys;
  throw new OAuthError('invalid_client', 'The keys of the client could not be loaded', { cause });
}

async function load({ fetch, now }: ClientKeysDeps, uri: string, entry: Entry) {
  entry.triedAt = now().getTime();
  try {
    const { json } = await fetch(uri, { read: readKeySet, maxBytes: mostBytes });
    entry.keys = json;
    entry.fetchedAt = now().getTime();
    return json;
  } finally {
    delete entry.running;
  }
}

/** The set used longest ago makes room. */
function entryOf(entries: Map<string, Entry>, uri: string): Entry {
  const never = Number.NEGATIVE_INFINITY;
  const entry = entries.get(uri) ?? { fetchedAt: never, triedAt: never };
  entries.delete(uri);
  entries.set(uri, entry);
  const [oldest] = entries.keys();
  if (entries.size > mostSets && oldest !== undefined) entries.delete(oldest);
  return entry;
}
