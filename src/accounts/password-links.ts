import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { recordAudit } from '../audit/index.ts';
import { type Database, hashId, type Tables } from '../db/index.ts';
import {
  claimPasswordLink,
  findPasswordLink,
  insertLink,
  type PasswordLinkPurpose,
  removeLinksOf,
} from './links.ts';
import type { Passwords } from './passwords.ts';
import { checkNewPassword } from './policy.ts';
import { lockOwners, type UserRow } from './queries.ts';
import { AccountRefusal, actorOf, type ChangeMeta, toUser, type User } from './user.ts';
import {
  accepted,
  addUser,
  type NewUser,
  newUserRow,
  replacePassword,
  requireUser,
} from './user-changes.ts';

/** How long a link works, in milliseconds. */
const validFor: Readonly<Record<PasswordLinkPurpose, number>> = {
  invite: 72 * 3_600_000,
  reset: 3_600_000,
};

/** The token is returned only here. */
export interface NewLink {
  token: string;
  expiresAt: Date;
}

interface Deps {
  db: Database;
  now: () => Date;
  passwords: Passwords;
}

/** One-time links with which people choose a password. */
export function createPasswordLinks({ db, now, passwords }: Deps) {
  const transaction = <T>(work: (trx: Kysely<Tables>) => Promise<T>) =>
    db.kysely.transaction().execute(work);

  return {
    /**
     * Makes an account without a password, and the link with which its person chooses one.
     *
     * @throws AccountRefusal naming the field to correct
     */
    async invite(
      person: Omit<NewUser, 'password'>,
      meta: ChangeMeta,
    ): Promise<{ user: User; link: NewLink }> {
      const row = await newUserRow(passwords, person, now());
      return transaction(async (trx) => {
        const user = await addUser(trx, row, meta);
        return { user, link: await makeLink(trx, { id: user.id, purpose: 'invite' }, now(), meta) };
      });
    },

    /**
     * Makes a link for somebody; it replaces those before it.
     *
     * @param may whether it may be made for this account, judged in the transaction that makes it
     * @throws AccountRefusal when there is no such account, it is disabled, or has a password already
     *   where it is to be invited
     */
    create: (
      id: string,
      purpose: PasswordLinkPurpose,
      meta: ChangeMeta,
      may: (user: User) => void = () => {},
    ): Promise<NewLink> =>
      transaction(async (trx) => {
        // Attack: one made while its person becomes somebody above the caller. Such a change waits for this.
        await lockOwners(trx);
        const row = await requireUser(trx, id);
        may(toUser(row));
        requireFit(row, purpose);
        await removeLinksOf(trx, id);
        return makeLink(trx, { id, purpose }, now(), meta);
      }),

    /**
     * Sets the password of whoever a link is for, ends their sessions and uses the link up. A refused
     * password leaves the link usable.
     *
     * @throws AccountRefusal naming the field; field `token` for a used, expired or guessed link alike
     */
    async redeem(
      { token, password }: { token: string; password: string },
      meta: ChangeMeta,
    ): Promise<void> {
      const link = { tokenHash: hashId(token), now: now() };
      // Before the costly hash: whoever guesses tokens gets no work out of us.
      if (!(await findPasswordLink(db.kysely, link))) throw unusable();
      const hash = await passwords.hash(accepted('password', checkNewPassword(password)));
      await transaction(async (trx) => {
        const claimed = await claimPasswordLink(trx, link);
        if (!claimed) throw unusable();
        const { userId: id, purpose } = claimed;
        if ((await requireUser(trx, id)).status !== 'active') throw unusable();
        const by: ChangeMeta = { ...meta, actor: { kind: 'user', id } };
        const event = { actor: actorOf(by), userId: id, detail: { purpose } };
        await recordAudit(trx, { type: 'password_link_used', ...event }, by);
        await replacePassword(trx, { id, hash, now: link.now, meta: by });
      });
    },
  };
}

function requireFit({ status, password_hash: hash }: UserRow, purpose: PasswordLinkPurpose): void {
  if (status !== 'active') {
    throw new AccountRefusal('status', 'This account is disabled: enable it first', 409);
  }
  if (purpose === 'invite' && hash !== null) {
    throw new AccountRefusal('password', 'This person has a password: make a reset link', 409);
  }
}

async function makeLink(
  trx: Kysely<Tables>,
  { id, purpose }: { id: string; purpose: PasswordLinkPurpose },
  now: Date,
  meta: ChangeMeta,
): Promise<NewLink> {
  const token = randomBytes(32).toString('base64url');
  const expiresAt = new Date(now.getTime() + validFor[purpose]);
  const times = { created_at: now, expires_at: expiresAt };
  await insertLink(trx, { token_hash: hashId(token), purpose, subject: id, ...times });
  const type = purpose === 'invite' ? 'user_invited' : 'password_reset_link_created';
  const event = { actor: actorOf(meta), userId: id, detail: { expires_at: expiresAt } };
  await recordAudit(trx, { type, ...event }, meta);
  return { token, expiresAt };
}

function unusable(): AccountRefusal {
  return new AccountRefusal(
    'token',
    'This link does not work. A link works once and for a limited time; ask for a new one',
  );
}
