import { recordAudit } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import type { Passwords } from './passwords.ts';
import { checkNewPassword, emailKey } from './policy.ts';
import { findUserByEmailKey, listUndeclaredUsers, type UserRow } from './queries.ts';
import { AccountRefusal, type ChangeMeta, type Role } from './user.ts';
import { accepted, addUser, changeUser, newUserRow, replacePassword } from './user-changes.ts';

/** One row of `users` in the configuration. */
export interface DeclaredUser {
  email: string;
  password?: string | undefined;
  name?: string | undefined;
  role?: Role | undefined;
  groups: readonly string[];
}

/** E-mail addresses of what happened to whom. */
export interface UsersReport {
  created: string[];
  updated: string[];
  /** Made elsewhere (admin UI, command line, setup): left alone. */
  foreign: string[];
  /** Kept an owner against the file, being the last one. */
  lastOwner: string[];
  /** Made by an earlier configuration and no longer in it: left alone. */
  undeclared: string[];
}

interface Deps {
  db: Database;
  now: () => Date;
  passwords: Passwords;
}

/**
 * Makes the accounts that the configuration declares and changes those that it declared differently
 * before. Nothing made elsewhere is touched, nothing is removed, a disabled account stays disabled.
 *
 * @throws AccountRefusal when a declared account is not acceptable
 */
export function createReconcile({ db, now, passwords }: Deps) {
  return (declared: readonly DeclaredUser[], meta: ChangeMeta): Promise<UsersReport> =>
    db.withLock('reconcile_users', async () => {
      const report: UsersReport = {
        created: [],
        updated: [],
        foreign: [],
        lastOwner: [],
        undeclared: [],
      };
      for (const user of declared) {
        const outcome = await reconcileOne(user, meta);
        if (outcome !== 'same') report[outcome].push(user.email);
      }
      const keys = declared.map(({ email }) => emailKey(email));
      report.undeclared = (await listUndeclaredUsers(db.kysely, keys)).map(({ email }) => email);
      const { created, updated, undeclared } = report;
      if (created.length + updated.length > 0) {
        const detail = { noun: 'users', created, updated, undeclared };
        const actor = { kind: 'system' } as const;
        await recordAudit(db.kysely, { type: 'config_reconciled', actor, detail }, meta);
      }
      return report;
    });

  async function reconcileOne(
    user: DeclaredUser,
    meta: ChangeMeta,
  ): Promise<Exclude<keyof UsersReport, 'undeclared'> | 'same'> {
    const row = await findUserByEmailKey(db.kysely, emailKey(user.email));
    if (!row) {
      const made = await newUserRow(passwords, { ...user, source: 'config' }, now());
      await db.kysely.transaction().execute((trx) => addUser(trx, made, meta));
      return 'created';
    }
    if (row.source !== 'config') return 'foreign';
    return update(row, user, meta);
  }

  async function update(row: UserRow, user: DeclaredUser, meta: ChangeMeta) {
    const { name = null, role = null, groups } = user;
    const hash = await passwordHash(row, user);
    try {
      return await db.kysely.transaction().execute(async (trx) => {
        const at = now();
        const change = { name, role, groups };
        const { changed } = await changeUser(trx, { id: row.id, change, now: at, meta });
        const rehashed = hash !== row.password_hash;
        if (rehashed) await replacePassword(trx, { id: row.id, hash, now: at, meta });
        return changed || rehashed ? 'updated' : 'same';
      });
    } catch (error) {
      if (error instanceof AccountRefusal && error.field === 'role') return 'lastOwner';
      throw error;
    }
  }

  /** The stored hash where it is of the declared password, else a new one. */
  async function passwordHash(row: UserRow, user: DeclaredUser): Promise<string | null> {
    if (user.password === undefined) return null;
    const password = accepted('password', checkNewPassword(user.password));
    const same = await passwords.attempt((verify) => verify(row.password_hash, password));
    return same ? row.password_hash : passwords.hash(password);
  }
}
