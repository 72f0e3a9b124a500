import {
  type Circuit,
  GuardedFetchError,
  type GuardedRequest,
  parseStrictJson,
  readChallenge,
} from '../http/index.ts';
import { parseScope } from '../oauth/index.ts';
import { resourceMetadataPlaces, serverMetadataPlaces } from './discovery-places.ts';
import {
  type OAuthDiscovery,
  readResourceMetadata,
  readServerMetadata,
} from './discovery-policy.ts';
import { UpstreamProblem } from './problem.ts';
import type { Ways } from './ways.ts';

export type { OAuthDiscovery } from './discovery-policy.ts';

export interface DiscoveryDeps {
  /** The guarded way out. */
  request: GuardedRequest;
  ways: Ways;
  circuit: Circuit;
}

interface Found {
  url: string;
  document: Record<string, unknown>;
}

/**
 * Finds the authorization server of an MCP server as MCP authorization 2026-07-28 says: the challenge of its
 * 401, its protected resource metadata, the metadata of the issuer named there; for servers of 2025-03-26 the
 * metadata at its own origin. Everything that is read comes from a stranger.
 *
 * @returns a function of the URL and who wants to know, such as the id of a workspace; it throws
 *   UpstreamProblem with the name of the member that is wrong
 */
export function createDiscovery(deps: DiscoveryDeps) {
  const { ways } = deps;

  return async (url: string, requester = ''): Promise<OAuthDiscovery> => {
    if (!ways.isWay(url)) {
      throw new UpstreamProblem('metadata', 'url is not an https URL.', { field: 'url' });
    }
    const { challengeOf, firstOf } = createReader(deps, requester);
    const challenge = await challengeOf(url);
    const named = challenge?.resourceMetadata;
    // Attack: a challenge that has us read, or trust, what is on another host than the server itself.
    const isOwn = named !== undefined && URL.parse(named)?.origin === new URL(url).origin;
    const places = [...(isOwn ? [named] : []), ...resourceMetadataPlaces(url)];
    const found = await firstOf(places);
    const resource = found && readResourceMetadata(found.document, url, ways.isWay);
    const issuers = resource ? [resource.issuer] : originIssuers(url);
    for (const issuer of issuers) {
      const metadata = await firstOf(serverMetadataPlaces(issuer));
      if (!metadata) continue;
      const server = readServerMetadata(metadata.document, issuerIn(metadata, issuers), ways.isWay);
      const asked = parseScope(challenge?.scope);
      const scopes = asked.length > 0 ? asked : resource?.scopes;
      return {
        resource: resource?.resource ?? url,
        ...server,
        ...(scopes && scopes.length > 0 && { scopesRequested: scopes }),
        ...(found && { resourceMetadataUrl: found.url }),
      };
    }
    throw resource ? withoutMetadata(resource.issuer) : withoutServer();
  };
}

/**
 * Reads what one issuer says of itself.
 *
 * @returns a function of the issuer and who wants to know; undefined where there is nothing to be read
 */
export function createIssuerLookup(deps: DiscoveryDeps) {
  return async (issuer: string, requester: string) => {
    if (!deps.ways.isWay(issuer)) return undefined;
    const found = await createReader(deps, requester).firstOf(serverMetadataPlaces(issuer));
    return found && readServerMetadata(found.document, issuer, deps.ways.isWay);
  };
}

/** Who does not answer is left alone for a while, for the one who asked: nobody else is kept from asking. */
function createReader({ request, ways, circuit }: DiscoveryDeps, requester: string) {
  async function ask(url: string, question: Parameters<GuardedRequest>[1]): Promise<Response> {
    const { host } = new URL(url);
    const key = `${requester} ${host}`;
    if (!circuit.allows(key)) {
      const retryAfter = circuit.retryAfter(key);
      throw new UpstreamProblem('paused', `${host} did not answer several times.`, { retryAfter });
    }
    try {
      const response = await request(url, { ...question, requester });
      circuit.answered(key);
      return response;
    } catch (cause) {
      if (!(cause instanceof GuardedFetchError)) throw cause;
      if (cause.reason.kind === 'timeout') circuit.failed(key);
      throw cause;
    }
  }

  /** A JSON object at an address. @returns undefined where there is none */
  async function read(url: string): Promise<Found | undefined> {
    if (!ways.isWay(url)) return undefined;
    const headers = { accept: 'application/json', 'mcp-protocol-version': '2025-06-18' };
    try {
      const response = await ask(url, { method: 'GET', headers, reach: ways.reachOf(url) });
      if (response.status !== 200) return undefined;
      const bytes = new Uint8Array(await response.arrayBuffer());
      const document = parseStrictJson(bytes, { maxDepth: 16 });
      const isObject =
        typeof document === 'object' && document !== null && !Array.isArray(document);
      return isObject ? { url, document: { ...document } } : undefined;
    } catch (error) {
      if (error instanceof UpstreamProblem) throw error;
      // Time is the one thing that another place does not bring back.
      if (error instanceof GuardedFetchError && error.reason.kind === 'timeout') throw silent(url);
      return undefined;
    }
  }

  async function firstOf(places: readonly string[]): Promise<Found | undefined> {
    for (const place of places) {
      const found = await read(place);
      if (found) return found;
    }
    return undefined;
  }

  /** What the server says when nobody is signed in. */
  async function challengeOf(url: string) {
    const headers = {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'ping' });
    try {
      const reach = ways.reachOf(url);
      const response = await ask(url, { method: 'POST', headers, body, reach });
      if (response.status !== 401) return undefined;
      return readChallenge(response.headers.get('www-authenticate') ?? '');
    } catch (error) {
      if (error instanceof UpstreamProblem) throw error;
      if (error instanceof GuardedFetchError && error.reason.kind === 'timeout') throw silent(url);
      return undefined;
    }
  }

  return { challengeOf, firstOf };
}

/** Both spellings of an origin as an issuer, for servers that are their own (MCP 2025-03-26). */
function originIssuers(url: string): string[] {
  const { origin } = new URL(url);
  return [origin, `${origin}/`];
}

/** Which of the spellings the metadata uses; else the first one, which it then differs from. */
function issuerIn({ document }: Found, issuers: readonly string[]): string {
  return issuers.find((one) => one === document.issuer) ?? issuers[0] ?? '';
}

function silent(url: string): UpstreamProblem {
  return new UpstreamProblem('unreachable', `${new URL(url).host} did not answer in time.`);
}

function withoutMetadata(issuer: string): UpstreamProblem {
  return new UpstreamProblem(
    'unreachable',
    `The authorization server ${issuer} has no metadata that can be read.`,
    { field: 'authorization_servers' },
  );
}

function withoutServer(): UpstreamProblem {
  return new UpstreamProblem(
    'no_authorization_server',
    'The server names no authorization server: it has no protected resource metadata, and its origin no authorization server metadata.',
    { field: 'authorization_servers' },
  );
}
