import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import { type Database, hashId, type Tables } from '../db/index.ts';
import {
  endAdminSession,
  findAdminSession,
  insertAdminSession,
  type LiveAdminSession,
  purgeAdminSessions,
  touchAdminSession,
} from './admin-sessions-queries.ts';
import { type Role, toUser, type User } from './user.ts';

/** `admin.session_*` of the configuration, in seconds. */
export interface AdminSessionLimits {
  /** How long a session lives when nothing is done. */
  idle: number;
  /** How long it lives at most. */
  maxAge: number;
}

/** Someone signed in to the administration. */
export interface AdminSession {
  /** Hash of the cookie's value. */
  id: string;
  /** As the account is now, not as it was at sign-in. */
  user: User;
  provider?: string;
  /** When it ends if nothing is done. */
  expiresAt: Date;
  /** When it ends whatever is done. */
  endsAt: Date;
}

export interface NewAdminSession {
  user: User;
  /** Slug of the identity provider they signed in at; none for a password. */
  provider?: string | undefined;
  /** What they may do, for the audit log. */
  role: string;
  /** A session of the same browser that this one replaces: the hash of its cookie's value. */
  replaces?: string | undefined;
}

/** How often use is written down, in milliseconds. */
const useIsFreshFor = 60_000;

/** Sign-in sessions of the admin listener. */
export function createAdminSessions(
  { db, now }: { db: Database; now: () => Date },
  { idle, maxAge }: AdminSessionLimits,
) {
  const { kysely } = db;
  const idleFrom = (time: Date, endsAt: Date) =>
    new Date(Math.min(time.getTime() + idle * 1000, endsAt.getTime()));

  return {
    /** Starts a session under a new id. @returns the value of its cookie, which is kept nowhere else */
    async start(
      { user, provider, role, replaces }: NewAdminSession,
      meta: AuditMeta,
    ): Promise<{ value: string; endsAt: Date }> {
      const at = now();
      const value = randomBytes(32).toString('base64url');
      const endsAt = new Date(at.getTime() + maxAge * 1000);
      const method = provider === undefined ? 'password' : 'identity_provider';
      const actor = { kind: 'user', id: user.id } as const;
      await kysely.transaction().execute(async (trx) => {
        if (replaces !== undefined) await endAdminSession(trx, replaces);
        await insertAdminSession(trx, {
          ...{ id: hashId(value), user_id: user.id, provider },
          ...{ ip: meta.ip, user_agent: meta.userAgent },
          ...{
            created_at: at,
            last_seen_at: at,
            expires_at: idleFrom(at, endsAt),
            ends_at: endsAt,
          },
        });
        const detail = { method, provider, role, ends_at: endsAt };
        const event = { type: 'admin_session_started', actor, userId: user.id, detail } as const;
        await recordAudit(trx, event, meta);
      });
      return { value, endsAt };
    },

    /**
     * The live session of a cookie, with its person as the account is now. Notes the use, at most once a
     * minute. Does NOT say that they may do anything.
     *
     * @returns undefined for none, an ended one, or one of a disabled account
     */
    async find(value: string): Promise<AdminSession | undefined> {
      const at = now();
      const row = await findAdminSession(kysely, hashId(value), at);
      if (!row) return undefined;
      if (at.getTime() - row.last_seen_at.getTime() < useIsFreshFor) return toSession(row);
      const expiresAt = idleFrom(at, row.ends_at);
      await touchAdminSession(kysely, { id: row.session_id, lastSeenAt: at, expiresAt });
      return toSession({ ...row, expires_at: expiresAt });
    },

    /**
     * The role that the person of a session has now, by the hash of its cookie's value. Is no use of it.
     *
     * @returns undefined for an ended session, and for a person whose role was taken away
     */
    roleIn: async (id: string): Promise<Role | undefined> =>
      (await findAdminSession(kysely, id, now()))?.role ?? undefined,

    /** Ends a session, by the hash of its cookie's value, and records who signed out. */
    async end(id: string, meta: AuditMeta): Promise<boolean> {
      return kysely.transaction().execute(async (trx) => {
        const userId = await endAdminSession(trx, id);
        if (userId === undefined) return false;
        const actor = { kind: 'user', id: userId } as const;
        const detail = { reason: 'administration' };
        await recordAudit(trx, { type: 'user_logout', actor, userId, detail }, meta);
        return true;
      });
    },

    /** Removes at most `limit` sessions that have ended. @returns how many */
    purge: (limit: number): Promise<number> => purgeAdminSessions(kysely, now(), limit),
  };
}

/** Records that somebody who proved who they are has no part in the administration. */
export async function recordAdminRefusal(
  db: Kysely<Tables>,
  { user, provider }: { user: User; provider?: string | undefined },
  meta: AuditMeta,
): Promise<void> {
  const method = provider === undefined ? 'password' : 'identity_provider';
  const actor = { kind: 'user', id: user.id } as const;
  const event = { actor, userId: user.id, detail: { method, provider } };
  await recordAudit(db, { type: 'admin_sign_in_refused', ...event }, meta);
}

function toSession(row: LiveAdminSession): AdminSession {
  return {
    id: row.session_id,
    user: toUser(row),
    ...(row.provider !== null && { provider: row.provider }),
    expiresAt: row.expires_at,
    endsAt: row.ends_at,
  };
}
