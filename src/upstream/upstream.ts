import type { Logger } from 'pino';
import type { Database } from '../db/index.ts';
import {
  createCircuit,
  createGuardedRequest,
  createGuardedSessions,
  type FetchLimits,
  type GuardedRequest,
  type GuardedSessions,
} from '../http/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { createConnections } from './connections.ts';
import { createEndings } from './connections-endings.ts';
import { createIcons } from './icon.ts';
import { createLiveServers } from './live.ts';
import { createProbe } from './probe.ts';
import type { McpServer } from './server.ts';
import { checkAddress } from './server-input-policy.ts';
import { createServers } from './servers.ts';
import { createVending, type VendingDeps } from './vending.ts';
import { createWays } from './ways.ts';

export interface UpstreamDeps {
  db: Database;
  box: SecretBox;
  now: () => Date;
  log: Logger;
  workspaces: VendingDeps['workspaces'];
  /** Our own issuer. */
  issuer: string;
  /** This server is on this computer, or may reach private networks: so may what it talks to. */
  development: boolean;
  /** Of the tokens in the addresses of icons: 32 bytes, the same on every replica. */
  iconKey: Buffer;
  /** Ways out in place of {@link waysOut}, for tests. */
  waysOut?: Partial<WaysOut> | undefined;
}

/** Each has limits of its own: who hangs in one takes no place in another (R26). */
export interface WaysOut {
  /** To MCP servers. */
  sessions: GuardedSessions;
  /** To their authorization servers. */
  authorizationServers: GuardedRequest;
  /** To what they have as a picture. */
  pictures: GuardedRequest;
}

/** Time limits in milliseconds. */
const patience = { session: 10_000, authorizationServer: 10_000, picture: 2000 };
/** Bytes that one conversation with an MCP server may bring. */
const mostOfSession = 4 * 1024 * 1024;
const mostOfPicture = 256 * 1024;
/** A server that did not answer so often in a row is left alone for so many seconds. */
const rest = { failures: 3, pause: 30 };

const few: Partial<FetchLimits> = { concurrency: 16, concurrencyPerHost: 2 };
/** Of one workspace half at most, so that none can lock the others out of a host that they share. */
const shared: Record<'sessions' | 'authorizationServers', Partial<FetchLimits>> = {
  sessions: {
    ...{ concurrencyPerHost: 16, burstPerHost: 120, perSecondAndHost: 10, requesterShare: 0.5 },
  },
  authorizationServers: {
    ...{ concurrency: 256, concurrencyPerRequester: 32, concurrencyPerHost: 64 },
    requesterShare: 0.5,
  },
};

function waysOut(now: () => Date): WaysOut {
  return {
    sessions: createGuardedSessions({
      ...{ timeoutMs: patience.session, maxBytes: mostOfSession, now, limits: shared.sessions },
    }),
    authorizationServers: createGuardedRequest({
      ...{ timeoutMs: patience.authorizationServer, now, limits: shared.authorizationServers },
    }),
    pictures: createGuardedRequest({
      ...{ timeoutMs: patience.picture, maxBytes: mostOfPicture, limits: few, now },
    }),
  };
}

/** Other MCP servers, as the rest of this server uses them. */
export type Upstream = ReturnType<typeof createUpstream>;

export function createUpstream(deps: UpstreamDeps) {
  const { db, box, now, log, issuer, development } = deps;
  const out = { ...waysOut(now), ...deps.waysOut };
  const { reachOf } = createWays({ privateAddresses: development });
  const endings = createEndings({ now });
  const servers = createServers({ db, box, now, development, endings });
  const connections = createConnections({
    ...{ db, box, now, log, issuer, development, servers, endings },
    request: out.authorizationServers,
  });
  const icons = createIcons({
    ...{ servers, request: out.pictures, reachOf, now, tokenKey: deps.iconKey },
  });
  const probe = createProbe({
    ...{ sessions: out.sessions, circuit: createCircuit(rest, now), reachOf },
  });
  const live = createLiveServers({ servers, connections, probe, icons });
  const vending = createVending({
    ...{ db, now, servers, connections },
    workspaces: deps.workspaces,
  });
  return {
    ...{ servers, connections, endings, icons, live, vending },
    /** Where browsers find the picture of a server; undefined without one. */
    iconUrl(server: McpServer): string | undefined {
      const token = icons.tokenOf(server);
      const place = `${issuer.replace(/\/$/, '')}/api/v2/w/${server.workspaceId}/mcp-servers`;
      return token && `${place}/${server.id}/icon?token=${token}`;
    },
    /** An address that a person typed. @throws OAuthError that names the field */
    checkUrl: (url: string): string => checkAddress('url', url, { development }).href,
    /** @throws OAuthError 409 where members do not connect without tokens */
    requireDirectAuth({ authType }: Pick<McpServer, 'authType'>): void {
      if (authType === 'direct_auth') return;
      const sentence = `Credentials are for servers with direct_auth, and this one has ${authType}.`;
      throw new OAuthError('invalid_request', sentence, { status: 409 });
    },
  };
}
