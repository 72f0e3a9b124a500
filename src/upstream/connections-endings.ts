import { type Kysely, sql } from 'kysely';
import { type Actor, type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Tables } from '../db/index.ts';

export type EndReason =
  | 'disconnected'
  | 'member_left'
  | 'user_ended'
  | 'server_changed'
  | 'registration_cleared';

/** Who and what ended connections, for the audit log. */
export interface EndedBy {
  actor: Actor;
  meta: AuditMeta;
}

type Which = { serverId: number } | { userId: string } | { serverId: number; userId: string };

interface Ended {
  user_id: string;
  public_id: string;
  workspace_id: string;
}

/**
 * Ends connections: the rows go, each with its audit event, and what is to be ended where it came from
 * (RFC 7009) is put into a queue with all that this needs. Everything inside the given transaction.
 */
export function createEndings({ now }: { now: () => Date }) {
  async function end(
    trx: Kysely<Tables>,
    where: ReturnType<typeof sql<boolean>>,
    reason: EndReason,
    by?: EndedBy,
  ): Promise<number> {
    const at = now();
    const { rows } = await sql<Ended>`
      WITH gone AS (
        DELETE FROM upstream_connections c USING mcp_servers s
         WHERE s.id = c.server_id AND ${where}
         RETURNING c.*, s.public_id, s.workspace_id),
      queued AS (
        INSERT INTO upstream_revocations (server_id, user_id, issuer, endpoint, client_id,
               client_secret_sealed, auth_method, access_sealed, refresh_sealed, next_at)
        SELECT g.server_id, g.user_id, r.issuer, r.discovery->>'revocationEndpoint', r.client_id,
               r.client_secret_sealed, r.auth_method, g.access_sealed, g.refresh_sealed, ${at}
          FROM gone g
          JOIN upstream_registrations r ON r.server_id = g.server_id AND r.issuer = g.issuer
         WHERE g.kind = 'oauth' AND r.discovery->>'revocationEndpoint' IS NOT NULL)
      SELECT user_id, public_id, workspace_id FROM gone`.execute(trx);
    for (const row of rows) {
      const { user_id: userId, public_id: server_id, workspace_id } = row;
      const detail = { server_id, workspace_id, reason };
      const { actor, meta } = by ?? { actor: { kind: 'system' } as const, meta: { at } };
      await recordAudit(trx, { type: 'upstream_disconnected', actor, userId, detail }, meta);
    }
    return rows.length;
  }

  /** What is under way, so that nothing that was begun before ends up after. */
  async function forgetPending(trx: Kysely<Tables>, which: Which): Promise<void> {
    for (const table of ['upstream_authorizations', 'upstream_connect_links'] as const) {
      let gone = trx.deleteFrom(table);
      if ('serverId' in which) gone = gone.where('server_id', '=', which.serverId);
      if ('userId' in which) gone = gone.where('user_id', '=', which.userId);
      await gone.execute();
    }
  }

  async function clear(trx: Kysely<Tables>, serverId: number, reason: EndReason): Promise<void> {
    await end(trx, sql<boolean>`c.server_id = ${serverId}`, reason);
    await trx.deleteFrom('upstream_registrations').where('server_id', '=', serverId).execute();
    await forgetPending(trx, { serverId });
  }

  return {
    /** URL, authorization server or authType changed, or the server goes: nothing of it is used again. */
    drop: (trx: Kysely<Tables>, serverId: number) => clear(trx, serverId, 'server_changed'),

    /** Forgets the client that we are there; what was connected with it ends. */
    clearRegistration: (trx: Kysely<Tables>, serverId: number) =>
      clear(trx, serverId, 'registration_cleared'),

    /** A member leaves a workspace. */
    async endForMember(
      trx: Kysely<Tables>,
      { workspaceId, userId }: { workspaceId: string; userId: string },
    ): Promise<void> {
      await end(
        trx,
        sql<boolean>`c.user_id = ${userId} AND s.workspace_id = ${workspaceId}`,
        'member_left',
      );
      await forgetPending(trx, { userId });
    },

    /** An account is disabled or goes. */
    async endForUser(trx: Kysely<Tables>, userId: string): Promise<void> {
      await end(trx, sql<boolean>`c.user_id = ${userId}`, 'user_ended');
      await forgetPending(trx, { userId });
    },

    /** @returns whether there was one */
    async disconnect(
      trx: Kysely<Tables>,
      { serverId, userId }: { serverId: number; userId: string },
      by: EndedBy,
    ): Promise<boolean> {
      const which = sql<boolean>`c.server_id = ${serverId} AND c.user_id = ${userId}`;
      await forgetPending(trx, { serverId, userId });
      return (await end(trx, which, 'disconnected', by)) > 0;
    },
  };
}

export type Endings = ReturnType<typeof createEndings>;

/** After a restore: what was begun before does not end up after. Connections stay; where theirs were rotated since, members connect again. */
export async function endAllConnecting(trx: Kysely<Tables>): Promise<void> {
  for (const table of ['upstream_authorizations', 'upstream_connect_links'] as const) {
    await trx.deleteFrom(table).execute();
  }
}
