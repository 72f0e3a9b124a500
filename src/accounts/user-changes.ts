import type { Insertable, Kysely } from 'kysely';
import { type Change, recordAudit } from '../audit/index.ts';
import type { Tables, UsersTable } from '../db/index.ts';
import { endAdminSessionsOfUser } from './admin-sessions-queries.ts';
import { attemptKeys, forgetAccountFailures } from './attempts.ts';
import { removeLinksOf } from './links.ts';
import type { Passwords } from './passwords.ts';
import { type Checked, checkEmail, checkName, checkNewPassword, emailKey } from './policy.ts';
import {
  countActiveOwners,
  findUser,
  insertUser,
  lockOwners,
  type UserRow,
  updateUser,
} from './queries.ts';
import { endSessionsOfUser } from './sessions.ts';
import {
  AccountRefusal,
  actorOf,
  type ChangeMeta,
  newUserId,
  type RefusedField,
  type Role,
  toUser,
  type User,
} from './user.ts';
import { endInvitationsBy } from './workspaces-invitations-ending.ts';

export interface NewUser {
  email: string;
  /** Absent for someone who signs in through an identity provider only. */
  password?: string | undefined;
  name?: string | undefined;
  role?: Role | undefined;
  groups?: readonly string[] | undefined;
  source: User['source'];
}

/** What may change; `null` takes the name or role away. */
export interface UserChange {
  name?: string | null | undefined;
  role?: Role | null | undefined;
  groups?: readonly string[] | undefined;
}

export function accepted<T>(field: RefusedField, checked: Checked<T>): T {
  if (!checked.ok) throw new AccountRefusal(field, checked.reason);
  return checked.value;
}

/** Checks a new account and hashes its password, which takes too long for a transaction. */
export async function newUserRow(
  passwords: Passwords,
  input: NewUser,
  now: Date,
): Promise<Insertable<UsersTable>> {
  const email = accepted('email', checkEmail(input.email));
  const name = accepted('name', checkName(input.name));
  const password =
    input.password === undefined
      ? undefined
      : accepted('password', checkNewPassword(input.password));
  return {
    id: newUserId(),
    email,
    email_key: emailKey(email),
    name,
    password_hash: password === undefined ? null : await passwords.hash(password),
    role: input.role,
    groups: [...(input.groups ?? [])],
    source: input.source,
    created_at: now,
    updated_at: now,
  };
}

export async function addUser(
  trx: Kysely<Tables>,
  row: Insertable<UsersTable>,
  meta: ChangeMeta,
): Promise<User> {
  if (row.role === 'owner') await lockOwners(trx);
  const user = await insertNewUser(trx, row, meta);
  if (!user) throw new AccountRefusal('email', 'An account with this e-mail address exists', 409);
  return user;
}

/** @returns undefined when the e-mail address is taken */
export async function insertNewUser(
  trx: Kysely<Tables>,
  row: Insertable<UsersTable>,
  meta: ChangeMeta,
): Promise<User | undefined> {
  const added = await insertUser(trx, row);
  if (!added) return undefined;
  const user = toUser(added);
  const { email, name, role, groups, source } = user;
  const detail = { email, name, role, groups, source };
  await recordAudit(
    trx,
    { type: 'user_created', actor: actorOf(meta), userId: user.id, detail },
    meta,
  );
  return user;
}

interface PasswordChange {
  id: string;
  /** null: signs in through an identity provider only. */
  hash: string | null;
  now: Date;
  meta: ChangeMeta;
  keepSession?: string;
}

export async function replacePassword(trx: Kysely<Tables>, change: PasswordChange): Promise<void> {
  const { id, hash, now, meta, keepSession } = change;
  const row = await updateUser(trx, id, { password_hash: hash, updated_at: now });
  if (!row) throw unknownUser();
  await forgetAccountFailures(trx, attemptKeys(emailKey(row.email), '').account);
  await removeLinksOf(trx, id); // an older link must not undo what its owner has chosen
  const about = { actor: actorOf(meta), userId: id };
  await recordAudit(trx, { type: 'user_password_changed', ...about, detail: {} }, meta);
  await endSessions(trx, { userId: id, reason: 'password_changed', meta, except: keepSession });
}

/** @param what.except uid of a session to keep @returns how many ended */
export async function endSessions(
  trx: Kysely<Tables>,
  what: { userId: string; reason: string; meta: ChangeMeta; except?: string | undefined },
): Promise<number> {
  const { userId, reason, meta, except } = what;
  const count = await endEverySession(trx, userId, except);
  if (count > 0) {
    const detail = { count, reason };
    await recordAudit(trx, { type: 'sessions_ended', actor: actorOf(meta), userId, detail }, meta);
  }
  return count;
}

/**
 * Ends sign-in sessions, those of the administration too.
 *
 * @param except uid of a session to keep; those of the administration all end
 * @returns how many ended
 */
export async function endEverySession(
  trx: Kysely<Tables>,
  userId: string,
  except?: string,
): Promise<number> {
  const ended = await endSessionsOfUser(trx, userId, except);
  return ended + (await endAdminSessionsOfUser(trx, userId));
}

/** Writes only what differs. @throws AccountRefusal when it would leave no owner */
export async function changeUser(
  trx: Kysely<Tables>,
  { id, change, now, meta }: { id: string; change: UserChange; now: Date; meta: ChangeMeta },
): Promise<{ user: User; changed: boolean }> {
  await lockOwners(trx);
  const before = await requireUser(trx, id);
  const wanted = wantedRow(before, change);
  const changes = differences(before, wanted);
  if (changes.length === 0) return { user: toUser(before), changed: false };
  if (isActiveOwner(before) && wanted.role !== 'owner') await requireAnotherOwner(trx, 'role');
  const row = await updateUser(trx, id, { ...wanted, updated_at: now });
  if (!row) throw unknownUser();
  // Attack: whoever made a link for somebody of a lower role uses it once they have a higher one.
  if (before.role !== row.role) await removeLinksOf(trx, id);
  if (!isOperator(row)) await endInvitationsBy(trx, { userId: id, now, as: 'operator' });
  const about = { actor: actorOf(meta), userId: id };
  await recordAudit(trx, { type: 'user_updated', ...about, detail: { changes } }, meta);
  return { user: toUser(row), changed: true };
}

type Changeable = Pick<UserRow, 'name' | 'role' | 'groups'>;

function wantedRow(before: UserRow, change: UserChange): Changeable {
  return {
    name: change.name === undefined ? before.name : shownName(change.name),
    role: change.role === undefined ? before.role : change.role,
    groups: change.groups ? [...change.groups] : before.groups,
  };
}

function shownName(name: string | null): string | null {
  return name === null ? null : (accepted('name', checkName(name)) ?? null);
}

function differences(before: UserRow, wanted: Changeable): Change[] {
  return (['name', 'role', 'groups'] as const)
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(wanted[field]))
    .map((field) => ({ field, from: before[field], to: wanted[field] }));
}

export async function requireUser(trx: Kysely<Tables>, id: string): Promise<UserRow> {
  const row = await findUser(trx, id);
  if (!row) throw unknownUser();
  return row;
}

function unknownUser(): AccountRefusal {
  return new AccountRefusal('status', 'There is no such account', 404);
}

function isOperator({ role }: UserRow): boolean {
  return role === 'operator' || role === 'owner';
}

export function isActiveOwner(row: UserRow): boolean {
  return row.role === 'owner' && row.status === 'active';
}

export async function requireAnotherOwner(trx: Kysely<Tables>, field: RefusedField): Promise<void> {
  if ((await countActiveOwners(trx)) > 1) return;
  throw new AccountRefusal(field, 'This is the last owner: make somebody else an owner first', 409);
}
