import { randomBytes, randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { type Actor, type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import type { SecretBox } from '../keys/index.ts';
import type { Endings } from './connections-endings.ts';
import { findIcon, updateIcon } from './icon-queries.ts';
import type { McpServer } from './server.ts';
import { newPublicId, placeIn, settingsOf, storedSettings } from './server-columns.ts';
import type { ServerInput } from './server-input.ts';
import { changedServer, type ServerSecrets, serverChanges } from './server-policy.ts';
import { tooMany, unknownServer } from './server-problems.ts';
import {
  deleteServer,
  findServer,
  findServersByUrl,
  fromStored,
  insertServer,
  listServers,
  lockServer,
  type ServerName,
  type ServerQuery,
  type ServersOfQuery,
  type StoredServer,
  serversOf,
  updateServer,
} from './server-queries.ts';
import { openSecrets, sealSecrets } from './server-secrets.ts';
import { afterDisable, afterProbe, beginning } from './server-state-policy.ts';

export interface ServersDeps {
  db: Database;
  box: SecretBox;
  now: () => Date;
  /** This server is on this computer, or may reach private networks: so may what it talks to. */
  development: boolean;
  /** Ends what members connected. */
  endings: Pick<Endings, 'drop' | 'clearRegistration'>;
}

/** Who changes something, and when and from where. */
export interface ChangedBy {
  actor: Actor;
  meta: AuditMeta;
}

export type EnabledBy = 'enable' | 'test' | 'connection';

/** The registry of other MCP servers. */
export type Servers = ReturnType<typeof createServers>;

/** Each change is one transaction together with its audit event. */
export function createServers(deps: ServersDeps) {
  const { db, box, now, development } = deps;
  const transaction = <T>(work: (trx: Kysely<Tables>) => Promise<T>) =>
    db.kysely.transaction().execute(work);

  return {
    /** @throws OAuthError naming the field; 409 when the workspace has as many as it may */
    create: (
      { workspaceId, userId, input }: { workspaceId: string; userId: string; input: ServerInput },
      by: ChangedBy,
    ): Promise<McpServer> => {
      const after = changedServer(undefined, input, { development });
      const place = { uuid: randomUUID(), url: after.settings.url };
      const at = now();
      const row = {
        ...{ ...place, public_id: newPublicId(), workspace_id: workspaceId, ...beginning },
        ...storedSettings(after.settings),
        ...sealSecrets(box, place, after.secrets),
        ...{ created_by: userId, created_at: at, updated_at: at },
      };
      return transaction(async (trx) => {
        const added = await insertServer(trx, row);
        if (!added) throw tooMany();
        const { name, url, authType: auth_type } = after.settings;
        const detail = { ...placeIn(added), name, url, auth_type };
        const event = { type: 'mcp_server_created', actor: by.actor, detail } as const;
        await recordAudit(trx, event, by.meta);
        return fromStored(added);
      });
    },

    /** @throws OAuthError naming the field; 404 where it went meanwhile */
    update: (id: number, input: ServerInput, by: ChangedBy): Promise<McpServer> =>
      transaction(async (trx) => change(deps, trx, { id, input, by })),

    remove: (id: number, by: ChangedBy): Promise<McpServer> =>
      transaction(async (trx) => {
        const row = await locked(trx, id);
        await deps.endings.drop(trx, id);
        await deleteServer(trx, id);
        const detail = { ...placeIn(row), name: row.name, url: row.url };
        await recordAudit(trx, { type: 'mcp_server_deleted', actor: by.actor, detail }, by.meta);
        return fromStored(row);
      }),

    /**
     * It was shown to work: ready and enabled from now on.
     *
     * @param seen as it was when that was tried: a server that changed since stays as it is
     */
    ready: (
      seen: Pick<McpServer, 'id' | 'url' | 'authType'>,
      by: EnabledBy,
      who: ChangedBy,
    ): Promise<McpServer> =>
      transaction(async (trx) => {
        const row = await locked(trx, seen.id);
        if (row.url !== seen.url || row.auth_type !== seen.authType) return fromStored(row);
        return fromStored(await makeReady(trx, { row, by, who, now: now() }));
      }),

    /**
     * A member connected for the first time, inside the given transaction: what waited for somebody to
     * authorize is ready. A server that was disabled stays so.
     */
    async connected(trx: Kysely<Tables>, id: number, who: ChangedBy): Promise<void> {
      const row = await lockServer(trx, { id });
      if (!row || row.state === 'READY') return;
      await makeReady(trx, { row, by: 'connection', who, now: now() });
    },

    /** It was found that members have to authorize; `authType` where that was found out too. */
    mustAuthorize: (
      seen: Pick<McpServer, 'id' | 'url' | 'authType'>,
      authType: McpServer['authType'],
      by: ChangedBy,
    ): Promise<McpServer> =>
      transaction(async (trx) => {
        const row = await locked(trx, seen.id);
        const isAsSeen = row.url === seen.url && row.auth_type === seen.authType;
        if (!isAsSeen || row.state !== 'REGISTER') return fromStored(row);
        const set = { state: 'AUTHORIZE', auth_type: authType, updated_at: now() } as const;
        const changes = [
          { field: 'state', from: row.state, to: set.state },
          ...(row.auth_type === authType
            ? []
            : [{ field: 'authType', from: row.auth_type, to: authType }]),
        ];
        const detail = { ...placeIn(row), changes, credentials_dropped: false };
        await recordAudit(trx, { type: 'mcp_server_updated', actor: by.actor, detail }, by.meta);
        return fromStored(await updated(trx, row.id, set));
      }),

    disable: (
      id: number,
      { clearRegistration }: { clearRegistration: boolean },
      by: ChangedBy,
    ): Promise<McpServer> =>
      transaction(async (trx) => {
        const row = await locked(trx, id);
        const before = { authType: row.auth_type, state: row.state, enabled: row.enabled };
        const after = afterDisable(before, clearRegistration);
        const clears = clearRegistration && row.auth_type === 'oauth';
        if (clears) await deps.endings.clearRegistration(trx, id);
        const isSame = after.state === before.state && !before.enabled;
        if (isSame && !clears) return fromStored(row);
        const detail = { ...placeIn(row), registration_cleared: clears };
        await recordAudit(trx, { type: 'mcp_server_disabled', actor: by.actor, detail }, by.meta);
        const forgotten = { oauth_client_id: null, oauth_client_secret_sealed: null };
        const set = { ...after, ...(clears && forgotten), updated_at: now() };
        return fromStored(await updated(trx, id, set));
      }),

    setGatewayClients: (
      id: number,
      clients: readonly string[],
      by: ChangedBy,
    ): Promise<McpServer> =>
      transaction(async (trx) => {
        const row = await locked(trx, id);
        const to = [...new Set(clients)].toSorted();
        if (to.join(' ') === row.gateway_clients.join(' ')) return fromStored(row);
        const detail = { ...placeIn(row), from: row.gateway_clients, to };
        const type = 'mcp_server_gateway_clients_changed';
        await recordAudit(trx, { type, actor: by.actor, detail }, by.meta);
        return fromStored(await updated(trx, id, { gateway_clients: to, updated_at: now() }));
      }),

    recordTest: async (
      server: McpServer,
      result: { success: boolean; latencyMs: number; error?: string | undefined },
      { actor, meta }: ChangedBy,
    ): Promise<void> => {
      const { publicId: server_id, workspaceId: workspace_id } = server;
      const { success, latencyMs: latency_ms, error: problem } = result;
      const detail = { server_id, workspace_id, success, latency_ms, problem };
      await recordAudit(db.kysely, { type: 'mcp_server_tested', actor, detail }, meta);
    },

    /** `png` is undefined where there is none: it is looked for again later. */
    async setIcon(server: McpServer, png: Buffer | undefined): Promise<void> {
      const icon_version = png ? randomBytes(9).toString('base64url') : null;
      const icon_png = png?.toString('base64') ?? null;
      await updateIcon(db.kysely, server, { icon_png, icon_version, icon_tried_at: now() });
    },

    find: async (which: ServerName): Promise<McpServer | undefined> => {
      const row = await findServer(db.kysely, which);
      return row && fromStored(row);
    },

    /** What was given in confidence, as long as the server is where it was when it was read. */
    async secretsOf({ id, url }: Pick<McpServer, 'id' | 'url'>): Promise<ServerSecrets> {
      const row = await findServer(db.kysely, { id });
      return row?.url === url ? openSecrets(box, row) : { headers: {} };
    },

    byUrl: (url: string, workspaceIds: readonly string[]) =>
      findServersByUrl(db.kysely, { url, workspaceIds }),
    of: (query: ServersOfQuery) => serversOf(db.kysely, query),
    list: (query: ServerQuery) => listServers(db.kysely, query),
    icon: (icon: { id: number; version: string }) => findIcon(db.kysely, icon),
  };
}

async function change(
  { box, now, development, endings }: ServersDeps,
  trx: Kysely<Tables>,
  { id, input, by }: { id: number; input: ServerInput; by: ChangedBy },
): Promise<McpServer> {
  const row = await locked(trx, id);
  const before = { settings: settingsOf(fromStored(row)), secrets: openSecrets(box, row) };
  const after = changedServer(before, input, { development });
  const changes = serverChanges(before, after);
  if (changes.length === 0) return fromStored(row);
  if (after.dropsConnections) await endings.drop(trx, id);
  // Attack: a member who has a gateway get tokens for another server than the operator allowed it.
  const gateways = after.isElsewhere ? row.gateway_clients : [];
  if (gateways.length > 0) changes.push({ field: 'gatewayClients', from: gateways, to: [] });
  const detail = { ...placeIn(row), changes, credentials_dropped: after.dropsConnections };
  await recordAudit(trx, { type: 'mcp_server_updated', actor: by.actor, detail }, by.meta);
  const place = { uuid: row.uuid, url: after.settings.url };
  const noIcon = { icon_png: null, icon_version: null, icon_tried_at: null };
  const set = {
    ...storedSettings(after.settings),
    ...sealSecrets(box, place, after.secrets),
    ...(after.dropsConnections && beginning),
    ...(after.isElsewhere && { ...noIcon, gateway_clients: [] }),
    updated_at: now(),
  };
  return fromStored(await updated(trx, id, set));
}

async function makeReady(
  trx: Kysely<Tables>,
  { row, by, who, now }: { row: StoredServer; by: EnabledBy; who: ChangedBy; now: Date },
): Promise<StoredServer> {
  const after = afterProbe({ ...row, authType: row.auth_type }, 'answered');
  if (!after) return row;
  const detail = { ...placeIn(row), by };
  await recordAudit(trx, { type: 'mcp_server_enabled', actor: who.actor, detail }, who.meta);
  return updated(trx, row.id, { ...after, updated_at: now });
}

async function locked(trx: Kysely<Tables>, id: number): Promise<StoredServer> {
  const row = await lockServer(trx, { id });
  if (!row) throw unknownServer();
  return row;
}

async function updated(...args: Parameters<typeof updateServer>): Promise<StoredServer> {
  const row = await updateServer(...args);
  if (!row) throw unknownServer();
  return row;
}
