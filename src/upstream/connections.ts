import type { Logger } from 'pino';
import { lockMembership } from '../accounts/index.ts';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import { createCircuit, type GuardedRequest } from '../http/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { createAuthorization, newId } from './authorization.ts';
import { ConnectError } from './authorization-problem.ts';
import { createConnectLinks } from './connect-links.ts';
import type { EndedBy, Endings } from './connections-endings.ts';
import {
  type ConnectionRow,
  findConnection,
  findMembers,
  findStatuses,
  purgePending,
  putConnection,
  touchConnection,
} from './connections-queries.ts';
import { openIfReadable } from './connections-sealing.ts';
import type { Access, ConnectedMember, ConnectorStatus } from './connections-types.ts';
import { createDiscovery, createIssuerLookup } from './discovery.ts';
import { createOAuthClient } from './oauth-client.ts';
import { createRefresh, isGood } from './refresh.ts';
import { createRegistrations } from './registration.ts';
import { createRevocations } from './revocations.ts';
import type { McpServer } from './server.ts';
import { lockServer } from './server-queries.ts';
import type { Servers } from './servers.ts';
import { createWays } from './ways.ts';

export interface ConnectionsDeps {
  db: Database;
  box: SecretBox;
  now: () => Date;
  log: Logger;
  /** Our own issuer. */
  issuer: string;
  /** This server is on this computer, or may reach private networks: so may what it talks to. */
  development: boolean;
  /** The guarded way out, for other authorization servers only. */
  request: GuardedRequest;
  servers: Pick<Servers, 'find' | 'connected' | 'secretsOf'>;
  endings: Endings;
}

export type Connections = ReturnType<typeof createConnections>;

/** Five that did not answer in a row, and half a minute of peace. */
const patience = { failures: 5, pause: 30 };
/** Milliseconds; how exactly the last use is known. */
const usedResolution = 60_000;

/** We as the OAuth client of other MCP servers: what members connected there, and what it is good for. */
export function createConnections(deps: ConnectionsDeps) {
  const { db, box, now, issuer, servers, endings } = deps;
  const ways = createWays({ privateAddresses: deps.development });
  const circuit = createCircuit(patience, now);
  const discover = createDiscovery({ request: deps.request, ways, circuit });
  const issuerMetadata = createIssuerLookup({ request: deps.request, ways, circuit });
  const client = createOAuthClient({ request: deps.request, ways, circuit, now });
  const registrations = createRegistrations({
    ...{ db, box, now, issuer, ways, client, discover },
    givenSecret: async (server) => (await servers.secretsOf(server)).oauthClientSecret,
  });
  const authorization = createAuthorization({
    ...{ db, box, now, issuer, client, registrations, servers, issuerMetadata },
  });
  const links = createConnectLinks({ db, now, issuer, servers });
  const refresh = createRefresh({ db, box, now, log: deps.log, client, registrations });
  const revocations = createRevocations({ db, box, now, log: deps.log, client });

  return {
    discover,
    /** Makes sure that we are a client of the server's issuer. @throws UpstreamProblem */
    register: async (server: McpServer): Promise<void> => void (await registrations.ensure(server)),
    begin: authorization.begin,
    accept: authorization.accept,
    connectLink: links.link,
    openLink: links.open,
    followLink: links.follow,

    /**
     * What a request of a member to the server is made with; refreshed when it is about to end. Does NOT ask
     * whether the person is a member, nor whether the server is enabled.
     */
    async accessFor(server: McpServer, userId: string): Promise<Access> {
      const { id: serverId, authType } = server;
      const missing = { ok: false, code: 'authentication_required', authType } as const;
      if (authType === 'none' || authType === 'api_key') return { ok: true, headers: {} };
      const found = await refresh.fresh(server, { serverId, userId });
      if (!found) return missing;
      if ('problem' in found) {
        const { retryAfter } = found.problem;
        const kept = await findConnection(db.kysely, { serverId, userId });
        if (!kept || !isGood(kept, now())) {
          return {
            ...missing,
            code: 'upstream_unavailable',
            ...(retryAfter !== undefined && { retryAfter }),
          };
        }
        return use(kept);
      }
      const { row } = found;
      const isRight = row.kind === (authType === 'oauth' ? 'oauth' : 'direct');
      if (!isRight || row.status !== 'connected') return missing;
      if (row.kind === 'direct') return { ok: true, headers: {} };
      return isGood(row, now()) ? use(row) : missing;
    },

    async statusOf({ id: serverId }: { id: number }, userId: string): Promise<ConnectorStatus> {
      const row = await findConnection(db.kysely, { serverId, userId });
      return row ? statusOf(row, now()) : 'disconnected';
    },

    /** Of several servers at once; one that is missing is disconnected. */
    async statusesOf(serverIds: readonly number[], userId: string) {
      const rows = await findStatuses(db.kysely, { serverIds, userId });
      return new Map(
        rows.map((row) => [
          row.server_id,
          {
            status: statusOf(row, now()),
            ...(row.expires_at && { expiresAt: row.expires_at }),
          },
        ]),
      );
    },

    /** Everybody who has connected, by e-mail address; at most 1000. */
    async membersOf(serverId: number): Promise<ConnectedMember[]> {
      const rows = await findMembers(db.kysely, serverId);
      return rows.map((row) => ({
        userId: row.user_id,
        email: row.email,
        ...(row.name !== null && { name: row.name }),
        ...{ status: row.status, scopes: row.scopes, connectedAt: row.connected_at },
        lastUsedAt: row.last_used_at ?? undefined,
        expiresAt: row.expires_at ?? undefined,
      }));
    },

    /** `direct_auth`: the member is let in without tokens. @throws ConnectError for who is no member any more */
    async connectDirectly(server: McpServer, userId: string, meta: AuditMeta): Promise<void> {
      const { id, publicId: server_id, workspaceId } = server;
      const at = now();
      const actor = { kind: 'user', id: userId } as const;
      await db.kysely.transaction().execute(async (trx) => {
        const row = await lockServer(trx, { id });
        const role = await lockMembership(trx, { workspaceId, userId });
        if (row?.auth_type !== 'direct_auth' || role === undefined) {
          throw new ConnectError('gone', { serverId: server_id, userId });
        }
        await putConnection(trx, {
          ...{ server_id: id, user_id: userId, id: newId(), kind: 'direct', issuer: null },
          ...{ status: 'connected', problem: null, access_sealed: null, refresh_sealed: null },
          ...{ scopes: [], expires_at: null, lease: null, lease_until: null },
          ...{ connected_at: at, refreshed_at: null, last_used_at: null },
        });
        const detail = { server_id, workspace_id: workspaceId, method: 'direct_auth' };
        await recordAudit(trx, { type: 'upstream_connected', actor, userId, detail }, meta);
        await servers.connected(trx, id, { actor, meta });
      });
    },

    /** Ends one member's connection. @returns false where there was none */
    async disconnect({ id: serverId }: { id: number }, userId: string, by: EndedBy) {
      const ended = await db.kysely
        .transaction()
        .execute((trx) => endings.disconnect(trx, { serverId, userId }, by));
      return ended;
    },

    /** Records that somebody came back and was not connected. */
    async recordRefusal({ failure, serverId, ...who }: ConnectError, meta: AuditMeta) {
      const userId = who.userId || undefined; // none where nobody is signed in
      const actor =
        userId === undefined ? { kind: 'system' as const } : { kind: 'user' as const, id: userId };
      const detail = { server_id: serverId, reason: failure };
      const event = { type: 'upstream_connect_refused', actor, userId, detail } as const;
      await recordAudit(db.kysely, event, meta);
    },

    /** Ends tokens where they came from, as far as they can be ended now (RFC 7009). @returns how many */
    drainRevocations: revocations.drain,
    /** Removes what nobody came back for. @returns how many rows */
    purge: () => purgePending(db.kysely, now()),
  };

  async function use(row: ConnectionRow): Promise<Access> {
    const owner = { serverId: row.server_id, userId: row.user_id, issuer: row.issuer ?? '' };
    const value = openIfReadable(box, owner, 'access', row.access_sealed ?? '');
    if (value === undefined) {
      return { ok: false, code: 'authentication_required', authType: 'oauth' };
    }
    const { scopes, expires_at: expiresAt } = row;
    const at = now();
    const isNoted = row.last_used_at && at.getTime() - row.last_used_at.getTime() < usedResolution;
    if (!isNoted) await touchConnection(db.kysely, { id: row.id, at });
    return {
      ok: true,
      headers: { authorization: `Bearer ${value}` },
      token: { value, scopes, issuer: owner.issuer, ...(expiresAt && { expiresAt }) },
    };
  }
}

/** An access token that has ended and that nothing replaces needs a new connection. */
function statusOf(
  row: Pick<ConnectionRow, 'kind' | 'status' | 'access_sealed' | 'refresh_sealed' | 'expires_at'>,
  now: Date,
): 'connected' | 'error' {
  const isOver = row.kind === 'oauth' && row.refresh_sealed === null && !isGood(row, now);
  return isOver ? 'error' : row.status;
}
