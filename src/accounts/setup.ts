import { randomBytes } from 'node:crypto';
import { recordAudit } from '../audit/index.ts';
import { type Database, hashId } from '../db/index.ts';
import { claimLink, insertLink, isLinkUsable } from './links.ts';
import type { Passwords } from './passwords.ts';
import { countActiveOwners, lockOwners } from './queries.ts';
import { AccountRefusal, type ChangeMeta, type User } from './user.ts';
import { addUser, newUserRow } from './user-changes.ts';

const purpose = 'first_owner';
const validFor = 3_600_000;

export interface FirstOwner {
  /** From the link's fragment. */
  token: string;
  email: string;
  password: string;
  name?: string | undefined;
}

interface Deps {
  db: Database;
  now: () => Date;
  passwords: Passwords;
}

/** The one-time link that makes the first owner. */
export function createSetup({ db, now, passwords }: Deps) {
  return {
    /** Whether nobody owns this server yet. */
    needed: async (): Promise<boolean> => (await countActiveOwners(db.kysely)) === 0,

    /**
     * Makes a link, valid for an hour; older ones stay valid, since another replica may have printed
     * them. The token is returned only here.
     *
     * @returns undefined when there is an owner
     */
    async open(meta: ChangeMeta): Promise<{ token: string; expiresAt: Date } | undefined> {
      if ((await countActiveOwners(db.kysely)) > 0) return undefined;
      const at = now();
      const token = randomBytes(32).toString('base64url');
      const expiresAt = new Date(at.getTime() + validFor);
      await db.kysely.transaction().execute(async (trx) => {
        const times = { created_at: at, expires_at: expiresAt };
        await insertLink(trx, { token_hash: hashId(token), purpose, ...times });
        const detail = { expires_at: expiresAt };
        await recordAudit(
          trx,
          { type: 'setup_link_created', actor: meta.actor ?? { kind: 'system' }, detail },
          meta,
        );
      });
      return { token, expiresAt };
    },

    /**
     * Makes the first owner. Of many at once one succeeds; a refused form leaves the link usable.
     *
     * @throws AccountRefusal naming the field; field `token` for a used, expired or guessed link alike
     */
    async redeem({ token, ...person }: FirstOwner, meta: ChangeMeta): Promise<User> {
      const link = { tokenHash: hashId(token), purpose, now: now() };
      // Before the costly hash: whoever guesses tokens gets no work out of us.
      if (!(await isLinkUsable(db.kysely, link))) throw unusable();
      const row = await newUserRow(
        passwords,
        { ...person, role: 'owner', source: 'setup' },
        link.now,
      );
      return db.kysely.transaction().execute(async (trx) => {
        await lockOwners(trx);
        if ((await countActiveOwners(trx)) > 0) throw unusable();
        if (!(await claimLink(trx, link))) throw unusable();
        const actor = { kind: 'user', id: row.id } as const;
        const owner = await addUser(trx, row, { ...meta, actor });
        const detail = { email: owner.email };
        await recordAudit(trx, { type: 'owner_created', actor, userId: owner.id, detail }, meta);
        return owner;
      });
    },
  };
}

function unusable(): AccountRefusal {
  return new AccountRefusal(
    'token',
    'This link does not work. A link works once and for an hour; while there is no owner, every start of the server prints a new one',
  );
}
