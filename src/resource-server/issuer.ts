import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { isRecord } from './record.ts';
import { Refusal } from './refusal.ts';
import { transportProblem } from './settings.ts';

/** The authorization server as this resource server sees it. */
export type Issuer = {
  /** Its metadata (RFC 8414), as the bytes it sent. @throws Refusal temporarily_unavailable */
  metadata(): Promise<string>;
  /** Where it answers about tokens (RFC 8414 `introspection_endpoint`). @throws Refusal temporarily_unavailable */
  introspectionEndpoint(): Promise<string>;
  /** Finds the key of a token. @throws Refusal temporarily_unavailable; jose's JWKSNoMatchingKey */
  key: JWTVerifyGetKey;
};

type Metadata = {
  text: string;
  jwksUri: string;
  introspectionEndpoint: string | undefined;
  fetchedAt: number;
};

const metadataMaxAge = 600;
const pauseAfterFailure = 5;
const timeoutMs = 5_000;

/**
 * Discovers the issuer at first use and keeps what it said. After a failure it is left alone for five seconds, so that
 * an outage there is not made worse by every request here.
 */
export function connectIssuer(
  { issuer, jwks }: { issuer: string; jwks: { maxAge: number; cooldown: number } },
  deps: { fetch: typeof fetch; now: () => Date },
): Issuer {
  const seconds = () => deps.now().getTime() / 1000;
  let known: Metadata | undefined;
  let pending: Promise<Metadata> | undefined;
  let keySet: { uri: string; find: JWTVerifyGetKey } | undefined;
  let pause: { until: number; cause: unknown } | undefined;

  async function reach<T>(work: () => Promise<T>): Promise<T> {
    if (pause && seconds() < pause.until) throw unavailable(pause.cause);
    try {
      return await work();
    } catch (cause) {
      pause = { until: seconds() + pauseAfterFailure, cause };
      throw unavailable(cause);
    }
  }

  async function load(): Promise<Metadata> {
    const fetched = await reach(() => fetchMetadata(issuer, deps.fetch));
    known = { ...fetched, fetchedAt: seconds() };
    return known;
  }

  async function current(): Promise<Metadata> {
    const cached = known;
    if (cached && seconds() < cached.fetchedAt + metadataMaxAge) return cached;
    pending ??= load().finally(() => {
      pending = undefined;
    });
    // Old metadata only tells where the keys are; the keys themselves have their own, strict age.
    return cached ? pending.catch(() => cached) : pending;
  }

  function keysAt(uri: string): JWTVerifyGetKey {
    if (keySet?.uri !== uri) {
      const find = createRemoteJWKSet(new URL(uri), {
        cacheMaxAge: jwks.maxAge * 1000,
        cooldownDuration: jwks.cooldown * 1000,
        [customFetch]: (url, init) => reach(() => fetchJwks(url, init, deps.fetch)),
      });
      keySet = { uri, find };
    }
    return keySet.find;
  }

  return {
    metadata: async () => (await current()).text,
    async introspectionEndpoint() {
      const { introspectionEndpoint } = await current();
      if (introspectionEndpoint !== undefined) return introspectionEndpoint;
      throw unavailable(new Error(`${issuer} names no introspection_endpoint over https`));
    },
    async key(header, token) {
      const { jwksUri } = await current();
      try {
        return await keysAt(jwksUri)(header, token);
      } catch (cause) {
        throw isAboutTheToken(cause) ? cause : unavailable(cause);
      }
    },
  };
}

const isAboutTheToken = (error: unknown) =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;

const unavailable = (cause: unknown) =>
  cause instanceof Refusal
    ? cause
    : new Refusal('temporarily_unavailable', 'The authorization server cannot be reached', {
        cause,
      });

/** Where a document of the issuer lies: RFC 8414 §3.1 inserts before the path, OpenID Discovery appends to it. */
function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}

async function fetchMetadata(issuer: string, fetchImpl: typeof fetch) {
  for (const url of metadataUrls(issuer)) {
    const response = await fetchImpl(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status === 404) continue;
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
    return checkMetadata(issuer, url, await response.text());
  }
  throw new Error(`no metadata at ${metadataUrls(issuer).join(' or ')}`);
}

function checkMetadata(issuer: string, url: string, text: string) {
  const document: unknown = JSON.parse(text);
  if (!isRecord(document)) throw new Error(`${url} is not a JSON object`);
  // RFC 8414 §3.3: identical, or another server speaks for this issuer.
  if (document.issuer !== issuer) {
    throw new Error(`${url} says issuer ${JSON.stringify(document.issuer)}, not ${issuer}`);
  }
  const jwksUri = document.jwks_uri;
  if (typeof jwksUri !== 'string' || !URL.canParse(jwksUri)) throw new Error(`${url}: no jwks_uri`);
  return { text, jwksUri, introspectionEndpoint: safeEndpoint(document.introspection_endpoint) };
}

/** Our credentials and the tokens go there: https, or loopback for development, as the issuer itself. */
function safeEndpoint(value: unknown): string | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url && transportProblem(url) === undefined ? url.href : undefined;
}

/** Reads the key set here, so that a broken answer counts as a failure of the issuer and starts the pause. */
async function fetchJwks(url: string, init: RequestInit, fetchImpl: typeof fetch) {
  const response = await fetchImpl(url, init);
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  const text = await response.text();
  const document: unknown = JSON.parse(text);
  if (!isRecord(document) || !Array.isArray(document.keys))
    throw new Error(`${url}: not a key set`);
  return new Response(text);
}
