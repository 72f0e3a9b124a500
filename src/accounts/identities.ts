import type { Insertable, Kysely } from 'kysely';
import { recordAudit } from '../audit/index.ts';
import type { Database, Tables, UsersTable } from '../db/index.ts';
import {
  deleteIdentity,
  type Identity,
  identitiesOf,
  insertIdentity,
  readIdentity,
} from './identities-queries.ts';
import { checkEmail, checkName, emailKey } from './policy.ts';
import { AccountRefusal, actorOf, type ChangeMeta, newUserId, toUser, type User } from './user.ts';
import { insertNewUser, requireUser } from './user-changes.ts';

/** Who somebody is elsewhere; only the pair of issuer and subject counts, never an e-mail address. */
export interface IdentityKey {
  issuer: string;
  /** `sub` there. */
  subject: string;
}

/** What an issuer says about a person it vouches for. */
export interface NewPerson extends IdentityKey {
  /** Taken over only where it is an address that no other account has. */
  email?: string | undefined;
  name?: string | undefined;
}

export type Identities = ReturnType<typeof createIdentities>;

/** Accounts by who people are at other issuers (table user_identities). */
export function createIdentities({ db, now }: { db: Database; now: () => Date }) {
  return {
    /** The account of an identity, whatever its status; notes the use, in the same statement. */
    async find(key: IdentityKey): Promise<User | undefined> {
      const row = await readIdentity(db, key, now());
      return row && toUser(row);
    },

    /**
     * The account of an identity, made now if there is none. Of several first uses at once, one makes it
     * and the others get the same.
     */
    async findOrCreate(person: NewPerson, meta: ChangeMeta): Promise<User> {
      for (;;) {
        const known = await readIdentity(db, person, now());
        if (known) return toUser(known);
        const made = await db.kysely
          .transaction()
          .execute((trx) => provision(trx, person, now(), meta))
          .catch(unlessTaken);
        if (made) return made;
      }
    },

    /** @throws AccountRefusal when there is no such account, or the identity is linked already */
    link: (userId: string, key: IdentityKey, meta: ChangeMeta): Promise<User> =>
      db.kysely.transaction().execute(async (trx) => {
        const user = toUser(await requireUser(trx, userId));
        if (!(await insertIdentity(trx, { ...key, userId, now: now() }))) {
          throw new AccountRefusal(
            'identity',
            'This identity is linked to an account already',
            409,
          );
        }
        const source = actorOf(meta).kind;
        await recordLink(trx, user.id, { ...key, source }, meta);
        return user;
      }),

    /** Tokens that were issued live out their time. @throws AccountRefusal when it is not linked */
    unlink: (userId: string, key: IdentityKey, meta: ChangeMeta): Promise<void> =>
      db.kysely.transaction().execute(async (trx) => {
        if (!(await deleteIdentity(trx, userId, key))) {
          throw new AccountRefusal('identity', 'This account has no such identity', 404);
        }
        const { issuer, subject } = key;
        const event = { actor: actorOf(meta), userId, detail: { issuer, subject } };
        await recordAudit(trx, { type: 'identity_unlinked', ...event }, meta);
      }),

    /** The identities of an account, oldest first. */
    listFor: (userId: string): Promise<Identity[]> => identitiesOf(db.kysely, userId),
  };
}

/** Somebody else has linked the identity in the meantime: what was made for it must not stay. */
class IdentityTaken extends Error {}

/** Its account is there now, unless it has been unlinked again: look once more. */
function unlessTaken(error: unknown): undefined {
  if (!(error instanceof IdentityTaken)) throw error;
}

async function provision(
  trx: Kysely<Tables>,
  person: NewPerson,
  now: Date,
  meta: ChangeMeta,
): Promise<User> {
  const { issuer, subject } = person;
  const user = await newPerson(trx, person, now, meta);
  if (!(await insertIdentity(trx, { issuer, subject, userId: user.id, now }))) {
    throw new IdentityTaken();
  }
  await recordLink(trx, user.id, { issuer, subject, source: 'issuer' }, meta);
  return user;
}

async function recordLink(
  trx: Kysely<Tables>,
  userId: string,
  detail: { issuer: string; subject: string; source: string },
  meta: ChangeMeta,
): Promise<void> {
  await recordAudit(trx, { type: 'identity_linked', actor: actorOf(meta), userId, detail }, meta);
}

/** Under the first of its names that no other account has; the last one nobody can have taken. */
async function newPerson(
  trx: Kysely<Tables>,
  person: NewPerson,
  now: Date,
  meta: ChangeMeta,
): Promise<User> {
  for (const email of namesOf(person)) {
    const user = await insertNewUser(trx, rowOf(person, email, now), meta);
    if (user) return user;
  }
  throw new Error('a name that was just made up is taken');
}

/**
 * What an account may be called that an issuer made: its e-mail address, else something that is none, as
 * it has no @. Attack: a subject written like an address would take somebody's sign-in name. The last one is
 * made up: issuers on one host, and a person who was unlinked before, could have taken any other.
 */
export function namesOf({ issuer, subject, email }: NewPerson): string[] {
  const { host } = new URL(issuer);
  const checked = email === undefined ? undefined : checkEmail(email);
  return [
    ...(checked?.ok ? [checked.value] : []),
    `${host}|${encodeURIComponent(subject)}`,
    `${host}|${newUserId()}`,
  ];
}

function rowOf(person: NewPerson, email: string, now: Date): Insertable<UsersTable> {
  const name = checkName(person.name);
  return {
    id: newUserId(),
    email,
    email_key: emailKey(email),
    name: name.ok ? name.value : undefined,
    groups: [],
    source: 'issuer',
    created_at: now,
    updated_at: now,
  };
}
