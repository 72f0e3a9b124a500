import { type Kysely, sql } from 'kysely';
import { likePrefix, type Tables } from '../db/index.ts';

/** Whose grants a search means. */
export interface Found {
  pattern: string;
  userIds: string[];
  clientIds: string[];
}

/** Most people or clients that a search names; a shorter prefix is looked for in the grants themselves. */
const mostOwners = 500;

/** @returns undefined where the prefix fits too many people or clients: then grants with it are frequent */
export async function findOwners(db: Kysely<Tables>, q: string): Promise<Found | undefined> {
  const pattern = likePrefix(q);
  const users = await findUsers(db, pattern);
  const clients = await findClients(db, pattern);
  if (users.length > mostOwners || clients.length > mostOwners) return undefined;
  return {
    pattern,
    userIds: users.map(({ id }) => id),
    clientIds: clients.map(({ client_id }) => client_id),
  };
}

function findUsers(db: Kysely<Tables>, pattern: string) {
  return db
    .selectFrom('users')
    .select('id')
    .where(sql<boolean>`(email_key LIKE ${pattern} OR lower(id) LIKE ${pattern})`)
    .limit(mostOwners + 1)
    .execute();
}

function findClients(db: Kysely<Tables>, pattern: string) {
  return db
    .selectFrom('clients')
    .select('client_id')
    .where(sql<boolean>`(lower(client_id) LIKE ${pattern} OR lower(client_name) LIKE ${pattern})`)
    .limit(mostOwners + 1)
    .execute();
}

/** Of a row of `grants`: three indexes answer it. */
export function isFoundBy(found: Found | undefined) {
  const { pattern, userIds, clientIds } = found ?? { pattern: '', userIds: [], clientIds: [] };
  return sql<boolean>`(lower(id) LIKE ${pattern} OR user_id = ANY(${userIds}::text[])
    OR client_id = ANY(${clientIds}::text[]))`;
}

/** Of a row `g`, one by one. */
export function beginsWith(q: string) {
  const pattern = likePrefix(q);
  return sql<boolean>`(lower(g.id) LIKE ${pattern} OR lower(g.user_id) LIKE ${pattern}
    OR lower(g.client_id) LIKE ${pattern}
    OR (SELECT email_key FROM users WHERE id = g.user_id) LIKE ${pattern}
    OR (SELECT lower(client_name) FROM clients WHERE client_id = g.client_id) LIKE ${pattern})`;
}
