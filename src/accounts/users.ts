import type { Kysely } from 'kysely';
import { recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import { attemptKeys, forgetAccountFailures, lockedUntil } from './attempts.ts';
import { findPerson, type ListedUser, listPeople, type PeopleQuery } from './listing.ts';
import type { Passwords } from './passwords.ts';
import { checkNewPassword, emailKey } from './policy.ts';
import {
  findUser,
  findUserByEmailKey,
  listUsers,
  lockOwners,
  updateUserStatus,
} from './queries.ts';
import { actorOf, type ChangeMeta, toUser, type User } from './user.ts';
import {
  accepted,
  addUser,
  changeUser,
  endEverySession,
  isActiveOwner,
  type NewUser,
  newUserRow,
  replacePassword,
  requireAnotherOwner,
  requireUser,
  type UserChange,
} from './user-changes.ts';
import { endInvitationsBy } from './workspaces-invitations-ending.ts';

export interface UsersDeps {
  db: Database;
  now: () => Date;
  passwords: Passwords;
  /** Ends every family, artifact and issuance of someone, inside the given transaction. */
  endTokensOfUser: (trx: Kysely<Tables>, userId: string, now: Date) => Promise<void>;
}

/** The accounts themselves. Each change is one transaction together with its audit event. */
export function createUsers(deps: UsersDeps) {
  const { db, now, passwords } = deps;
  const transaction = <T>(work: (trx: Kysely<Tables>) => Promise<T>) =>
    db.kysely.transaction().execute(work);

  return {
    async find(id: string): Promise<User | undefined> {
      const row = await findUser(db.kysely, id);
      return row && toUser(row);
    },

    async findByEmail(email: string): Promise<User | undefined> {
      const row = await findUserByEmailKey(db.kysely, emailKey(email));
      return row && toUser(row);
    },

    /** One page of at most `limit` accounts, by e-mail; `next` is the `after` of the following page. */
    async list(page: { limit: number; after?: string }): Promise<{ items: User[]; next?: string }> {
      const rows = await listUsers(db.kysely, { ...page, limit: page.limit + 1 });
      const shown = rows.slice(0, page.limit);
      const next = rows.length > shown.length ? shown.at(-1)?.email_key : undefined;
      return { items: shown.map(toUser), ...(next !== undefined && { next }) };
    },

    /** One page of the accounts, searched, filtered and sorted along an index. */
    page: (query: PeopleQuery) => listPeople(db.kysely, query),

    /** An account as operators see it, and until when it is locked for wrong passwords. */
    async inspect(id: string): Promise<(ListedUser & { lockedUntil?: Date }) | undefined> {
      const person = await findPerson(db.kysely, id);
      if (!person) return undefined;
      const { account: key } = attemptKeys(person.emailKey, '');
      const until = await lockedUntil(db.kysely, { key, now: now() });
      return { ...person, ...(until && { lockedUntil: until }) };
    },

    /**
     * Lets someone who typed too many wrong passwords try again now.
     *
     * @throws AccountRefusal when there is no such account
     */
    unlock: (id: string, meta: ChangeMeta): Promise<void> =>
      transaction(async (trx) => {
        const { account: key } = attemptKeys(emailKey((await requireUser(trx, id)).email), '');
        const locked = await lockedUntil(trx, { key, now: now() });
        await forgetAccountFailures(trx, key);
        if (!locked) return;
        const event = { actor: actorOf(meta), userId: id, detail: {} };
        await recordAudit(trx, { type: 'user_unlocked', ...event }, meta);
      }),

    /** @throws AccountRefusal naming the field to correct */
    async create(input: NewUser, meta: ChangeMeta): Promise<User> {
      const row = await newUserRow(passwords, input, now());
      return transaction((trx) => addUser(trx, row, meta));
    },

    /**
     * Sets a password, unlocks the account and signs it out everywhere. Its tokens live on: they are
     * ended by revoking grants or by disabling the account.
     *
     * @param options.keepSession uid of the session that is changing it
     * @throws AccountRefusal when the password is not acceptable or there is no such account
     */
    async setPassword(
      id: string,
      password: string,
      meta: ChangeMeta,
      options: { keepSession?: string } = {},
    ): Promise<void> {
      const hash = await passwords.hash(accepted('password', checkNewPassword(password)));
      await transaction((trx) => replacePassword(trx, { id, hash, now: now(), meta, ...options }));
    },

    /**
     * @param may whether it may be done to this account, judged in the transaction that does it; no other
     *   change comes in between
     * @throws AccountRefusal also when it would leave no owner
     */
    update: (
      id: string,
      change: UserChange,
      meta: ChangeMeta,
      may: (before: User) => void = () => {},
    ): Promise<User> =>
      transaction(async (trx) => {
        await lockOwners(trx); // every change of an account waits for this
        may(toUser(await requireUser(trx, id)));
        return (await changeUser(trx, { id, change, now: now(), meta })).user;
      }),

    /**
     * Nothing of theirs works from here on: sessions, grants' tokens and sign-in, on every replica.
     *
     * @throws AccountRefusal when it is the last owner or there is no such account
     */
    disable: (id: string, meta: ChangeMeta): Promise<User> =>
      transaction(async (trx) => {
        await lockOwners(trx);
        const before = await requireUser(trx, id);
        if (isActiveOwner(before)) await requireAnotherOwner(trx, 'status');
        const at = now();
        const row = await updateUserStatus(trx, { id, status: 'disabled', now: at });
        await endEverySession(trx, id);
        await deps.endTokensOfUser(trx, id, at);
        await endInvitationsBy(trx, { userId: id, now: at, as: 'anything' });
        if (!row) return toUser(before);
        const event = { actor: actorOf(meta), userId: id, detail: {} };
        await recordAudit(trx, { type: 'user_disabled', ...event }, meta);
        return toUser(row);
      }),

    /** Lets someone sign in again; what ended when they were disabled stays ended. */
    enable: (id: string, meta: ChangeMeta): Promise<User> =>
      transaction(async (trx) => {
        const before = await requireUser(trx, id);
        const row = await updateUserStatus(trx, { id, status: 'active', now: now() });
        if (!row) return toUser(before);
        // A request that was under way at the time may have written its session back.
        await endEverySession(trx, id);
        const event = { actor: actorOf(meta), userId: id, detail: {} };
        await recordAudit(trx, { type: 'user_enabled', ...event }, meta);
        return toUser(row);
      }),
  };
}
