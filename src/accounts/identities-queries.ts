import type { Kysely } from 'kysely';
import { type Database, statement, type Tables } from '../db/index.ts';
import type { UserRow } from './queries.ts';

export interface Identity {
  issuer: string;
  subject: string;
  createdAt: Date;
  lastUsedAt?: Date;
}

interface Key {
  issuer: string;
  subject: string;
}

/** Milliseconds; an identity that is used at every token is not rewritten at each. */
const lastUsedResolution = 60_000;

const read = statement(
  'read_identity',
  `WITH used AS (
     UPDATE user_identities SET last_used_at = $3
      WHERE issuer = $1 AND subject = $2 AND (last_used_at IS NULL OR last_used_at < $4)
   )
   SELECT u.id, u.email, u.name, u.password_hash, u.role, u.groups, u.status, u.source, u.created_at,
          u.last_login_at
     FROM user_identities i JOIN users u ON u.id = i.user_id
    WHERE i.issuer = $1 AND i.subject = $2`,
);

/** The account of an identity; notes when it was used, at most once a minute. */
export async function readIdentity(
  db: Database,
  { issuer, subject }: Key,
  now: Date,
): Promise<UserRow | undefined> {
  const stale = new Date(now.getTime() - lastUsedResolution);
  const [row] = await db.run<UserRow>(read, [issuer, subject, now, stale]);
  return row;
}

/** @returns false when it is somebody's already */
export async function insertIdentity(
  db: Kysely<Tables>,
  { issuer, subject, userId, now }: Key & { userId: string; now: Date },
): Promise<boolean> {
  const rows = await db
    .insertInto('user_identities')
    .values({ issuer, subject, user_id: userId, created_at: now })
    .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doNothing())
    .returning('user_id')
    .execute();
  return rows.length === 1;
}

/** @returns false when it was not theirs */
export async function deleteIdentity(
  db: Kysely<Tables>,
  userId: string,
  { issuer, subject }: Key,
): Promise<boolean> {
  const rows = await db
    .deleteFrom('user_identities')
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .where('user_id', '=', userId)
    .returning('user_id')
    .execute();
  return rows.length === 1;
}

/** Oldest first. */
export async function identitiesOf(db: Kysely<Tables>, userId: string): Promise<Identity[]> {
  const rows = await db
    .selectFrom('user_identities')
    .select(['issuer', 'subject', 'created_at', 'last_used_at'])
    .where('user_id', '=', userId)
    .orderBy('created_at')
    .execute();
  return rows.map((row) => ({
    issuer: row.issuer,
    subject: row.subject,
    createdAt: row.created_at,
    ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
  }));
}
