import type { Kysely } from 'kysely';
import type { Database, Tables } from '../db/index.ts';
import { countAdminSessions } from './admin-sessions-queries.ts';
import { purgeAttempts } from './attempts.ts';
import { createAuthenticate, refusePasswords } from './authenticate.ts';
import { createGuesses } from './guesses.ts';
import { createIdentities } from './identities.ts';
import { purgeLinks } from './links.ts';
import { createPasswordLinks } from './password-links.ts';
import { createPasswords, type PasswordHasher } from './passwords.ts';
import type { LockoutLimits } from './policy.ts';
import { purgeProviderSignIns } from './provider-sign-ins.ts';
import { createReconcile } from './reconcile.ts';
import * as sessions from './sessions.ts';
import { createSetup } from './setup.ts';
import type { ChangeMeta } from './user.ts';
import { endSessions } from './user-changes.ts';
import { createUsers } from './users.ts';
import { createInvitations } from './workspaces-invitations.ts';
import { purgeInvitations } from './workspaces-invitations-queries.ts';

export interface AccountsDeps {
  db: Database;
  now: () => Date;
  /**
   * Ends every token family, artifact and issuance of someone, inside the given transaction; the room
   * that owns those tables gives it.
   */
  endTokensOfUser: (trx: Kysely<Tables>, userId: string, now: Date) => Promise<void>;
  /** argon2id unless a test watches what is verified. */
  hasher?: PasswordHasher;
}

export type Accounts = ReturnType<typeof createAccounts>;

/** Everything about people, over one database. */
export function createAccounts(
  { db, now, endTokensOfUser, hasher }: AccountsDeps,
  { lockout, localSignIn = true }: { lockout: LockoutLimits; localSignIn?: boolean },
) {
  const deps = { db, now, passwords: createPasswords(hasher), endTokensOfUser };
  return {
    ...createUsers(deps),
    authenticate: localSignIn ? createAuthenticate(deps, lockout) : refusePasswords,
    /** Limits on guessing what is short enough to be guessed. */
    guesses: createGuesses(deps, lockout),
    reconcile: createReconcile(deps),
    setup: createSetup(deps),
    /** One-time links with which people choose a password. */
    passwordLinks: createPasswordLinks(deps),
    /** One-time links with which people become members of a workspace. */
    invitations: createInvitations(deps, { localSignIn }),
    /** Who people are at other issuers. */
    identities: createIdentities(deps),
    sessions: {
      save: (row: Parameters<typeof sessions.saveSession>[1]) =>
        sessions.saveSession(db.kysely, row),
      /** By the hash of the cookie's value. */
      find: (id: string) => sessions.findSession(db.kysely, id, now()),
      findByUid: (uid: string) => sessions.findSessionByUid(db.kysely, uid, now()),
      touch: (id: string, expiresAt: Date) => sessions.touchSession(db.kysely, { id, expiresAt }),
      remove: (id: string) => sessions.removeSession(db.kysely, id),
      endByUid: (uid: string) => sessions.endSessionByUid(db.kysely, uid),
      /** Signs someone out everywhere, but for the session with the uid `except`. */
      endAllFor: (userId: string, meta: ChangeMeta, options: { except?: string } = {}) =>
        db.kysely
          .transaction()
          .execute((trx) =>
            endSessions(trx, { userId, reason: 'signed_out_everywhere', meta, ...options }),
          ),
      /** How many browsers someone is signed in with, the administration included. */
      countFor: async (userId: string) =>
        (await sessions.countSessions(db.kysely, userId, now())) +
        (await countAdminSessions(db.kysely, userId, now())),
    },
    /** Removes what has expired; at most `limit` sessions at a time, so that no lock is held long. */
    async purge(limit: number): Promise<number> {
      const at = now();
      await purgeAttempts(db.kysely, at);
      await purgeLinks(db.kysely, at);
      await purgeInvitations(db.kysely, at);
      await purgeProviderSignIns(db.kysely, at);
      return sessions.purgeSessions(db.kysely, at, limit);
    },
  };
}
