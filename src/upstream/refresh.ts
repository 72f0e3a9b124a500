import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { recordAudit } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import { currentTraceId } from '../http/index.ts';
import type { SecretBox } from '../keys/index.ts';
import {
  type ConnectionKey,
  type ConnectionRow,
  findConnection,
  settleLease,
  takeLease,
} from './connections-queries.ts';
import { openIfReadable, sealTokens } from './connections-sealing.ts';
import type { OAuthClient } from './oauth-client.ts';
import { UpstreamProblem } from './problem.ts';
import type { Registrations } from './registration.ts';
import type { McpServer } from './server.ts';

export interface RefreshDeps {
  db: Database;
  box: SecretBox;
  now: () => Date;
  log: Logger;
  client: Pick<OAuthClient, 'refresh' | 'revoke'>;
  registrations: Pick<Registrations, 'find' | 'forgetIfUnknown'>;
}

/** Milliseconds before its end in which an access token is replaced. */
const ahead = 60_000;
/** Milliseconds that one refresh may take until another process may try: longer than its way out waits. */
const leaseFor = 30_000;
/** Milliseconds between two looks at what another process is doing, and for how long. */
const lookEvery = 100;
const lookFor = 12_000;

type Outcome = { row: ConnectionRow } | { problem: UpstreamProblem };

/**
 * Keeps tokens fresh. However many ask on however many replicas, one refresh goes out: who has the lease of
 * the row asks, the others wait for what comes of it (U11). No database connection is held meanwhile. A
 * process that dies with the lease loses it when it runs out.
 */
export function createRefresh(deps: RefreshDeps) {
  const { db, box, now, log, client, registrations } = deps;
  const underWay = new Map<string, Promise<Outcome | undefined>>();

  /** Asks the authorization server; the lease is ours, and ends with what came of it. */
  async function ask(server: McpServer, row: ConnectionRow, holder: string): Promise<void> {
    const owner = { serverId: row.server_id, userId: row.user_id, issuer: row.issuer ?? '' };
    const registration = await registrations.find(owner.serverId, owner.issuer);
    const lease = { id: row.id, holder };
    if (!registration || row.refresh_sealed === null) {
      await fail(server, row, { ...lease, reason: 'registration_gone' });
      return;
    }
    const refreshToken = openIfReadable(box, owner, 'refresh', row.refresh_sealed);
    if (refreshToken === undefined) {
      await fail(server, row, { ...lease, reason: 'key_lost' });
      return;
    }
    const resource = registration.discovery.resource;
    try {
      const requester = server.workspaceId;
      const held = { refreshToken, resource, scopes: row.scopes, requester };
      const tokens = await client.refresh(registration, held);
      const at = now();
      const kept = await db.kysely.transaction().execute(async (trx) => {
        const settled = await settleLease(trx, lease, {
          ...sealTokens(box, owner, { refreshToken, ...tokens }),
          scopes: tokens.scopes,
          expires_at: tokens.expiresAt ?? null,
          ...{ refreshed_at: at, status: 'connected', problem: null },
        });
        if (!settled) return false;
        const { publicId: server_id, workspaceId: workspace_id } = server;
        const { issuer, userId } = owner;
        const detail = { server_id, workspace_id, issuer, expires_at: tokens.expiresAt };
        const actor = { kind: 'system' } as const;
        await recordAudit(trx, { type: 'upstream_refreshed', actor, userId, detail }, meta());
        return true;
      });
      if (kept) return;
      // The connection ended while we asked: what came must not live on.
      await client
        .revoke(registration, {
          ...{ token: tokens.refreshToken ?? tokens.accessToken, hint: 'refresh_token' },
          requester,
        })
        .catch(() => {});
    } catch (error) {
      if (!(error instanceof UpstreamProblem)) throw error;
      await registrations.forgetIfUnknown(registration, error);
      if (error.code === 'refused') {
        await fail(server, row, { ...lease, reason: error.oauthError ?? 'refused' });
        return;
      }
      await settleLease(db.kysely, lease, {});
      throw error;
    }
  }

  /** The refresh token is good no more: the member has to connect again. */
  async function fail(
    { publicId: server_id, workspaceId: workspace_id }: McpServer,
    row: ConnectionRow,
    { reason, ...lease }: { id: string; holder: string; reason: string },
  ): Promise<void> {
    await db.kysely.transaction().execute(async (trx) => {
      const set = { status: 'error', problem: reason } as const;
      if (!(await settleLease(trx, lease, set))) return;
      const detail = { server_id, workspace_id, issuer: row.issuer ?? '', reason };
      const actor = { kind: 'system' } as const;
      const userId = row.user_id;
      await recordAudit(trx, { type: 'upstream_refresh_refused', actor, userId, detail }, meta());
    });
  }

  function meta() {
    const traceId = currentTraceId();
    return { at: now(), ...(traceId !== undefined && { traceId }) };
  }

  /** Refreshes, or waits for who does. @returns undefined where the connection ended meanwhile */
  async function refresh(server: McpServer, seen: ConnectionRow): Promise<Outcome | undefined> {
    const key = { serverId: seen.server_id, userId: seen.user_id };
    const until = performance.now() + lookFor;
    let row = seen;
    while (needsRefresh(row, now()) && row.refresh_sealed !== null) {
      const holder = randomUUID();
      const at = now();
      const lease = { id: row.id, seen: row.refresh_sealed, holder, now: at };
      const isOurs = await takeLease(db.kysely, {
        ...lease,
        until: new Date(at.getTime() + leaseFor),
      });
      if (isOurs) {
        try {
          await ask(server, row, holder);
        } catch (error) {
          if (!(error instanceof UpstreamProblem)) throw error;
          log.warn(
            { server_id: server.publicId, code: error.code, field: error.field },
            'a refresh at another authorization server failed',
          );
          return { problem: error };
        }
      } else if (isGood(row, now()) || performance.now() > until) break;
      else await sleep(lookEvery);
      const next = await findConnection(db.kysely, key);
      if (!next) return undefined;
      row = next;
      if (isOurs || next.id !== seen.id) break;
    }
    return { row };
  }

  return {
    /**
     * A connection whose access token is good for a minute or more, where that can be had.
     *
     * @returns the row as it is then, or why it could not be refreshed now
     */
    async fresh(server: McpServer, key: ConnectionKey): Promise<Outcome | undefined> {
      const row = await findConnection(db.kysely, key);
      if (!row || !needsRefresh(row, now())) return row && { row };
      const known = underWay.get(row.id);
      if (known) return known;
      const work = refresh(server, row).finally(() => underWay.delete(row.id));
      underWay.set(row.id, work);
      return work;
    },
  };
}

/**
 * Whether it is about to end, and can be replaced. One that lives shortly is replaced in the last half of its life:
 * otherwise every use of it would send a refresh.
 */
function needsRefresh(row: ConnectionRow, now: Date): boolean {
  const { status, expires_at, refresh_sealed, refreshed_at, connected_at } = row;
  if (status !== 'connected' || !expires_at || refresh_sealed === null) return false;
  const life = expires_at.getTime() - (refreshed_at ?? connected_at).getTime();
  return expires_at.getTime() <= now.getTime() + Math.min(ahead, life / 2);
}

/** Whether its access token can be used as it is. */
export function isGood(
  { expires_at, access_sealed }: Pick<ConnectionRow, 'expires_at' | 'access_sealed'>,
  now: Date,
): boolean {
  return access_sealed !== null && (!expires_at || expires_at > now);
}
