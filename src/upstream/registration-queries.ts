import type { Insertable, Kysely } from 'kysely';
import type { Tables, UpstreamRegistrationsTable } from '../db/index.ts';
import type { RegistrationRow } from './registration-row.ts';

export function findRegistration(
  db: Kysely<Tables>,
  { serverId, issuer }: { serverId: number; issuer: string },
): Promise<RegistrationRow | undefined> {
  return db
    .selectFrom('upstream_registrations')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('issuer', '=', issuer)
    .executeTakeFirst();
}

/** The issuer for which somebody gave a client, if it is another one. */
export async function findGivenElsewhere(
  db: Kysely<Tables>,
  { serverId, issuer }: { serverId: number; issuer: string },
): Promise<string | undefined> {
  const row = await db
    .selectFrom('upstream_registrations')
    .select('issuer')
    .where('server_id', '=', serverId)
    .where('issuer', '<>', issuer)
    .where('kind', '=', 'given')
    .executeTakeFirst();
  return row?.issuer;
}

/** Writes one, over the one with client_id `over`; over no other one. */
export async function putRegistration(
  db: Kysely<Tables>,
  row: Insertable<UpstreamRegistrationsTable>,
  over: string | undefined,
): Promise<void> {
  const { server_id, issuer, ...rest } = row;
  await db
    .insertInto('upstream_registrations')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['server_id', 'issuer'])
        .doUpdateSet(rest)
        .where('upstream_registrations.client_id', '=', over ?? ''),
    )
    .execute();
}

/**
 * The other issuers that a server was connected through: their connections need to be made anew.
 *
 * @returns how many
 */
export async function failConnectionsOfOthers(
  db: Kysely<Tables>,
  { serverId, issuer }: { serverId: number; issuer: string },
): Promise<number> {
  const rows = await db
    .updateTable('upstream_connections')
    .set({ status: 'error', problem: 'issuer_changed' })
    .where('server_id', '=', serverId)
    .where('kind', '=', 'oauth')
    .where('issuer', '<>', issuer)
    .where('status', '=', 'connected')
    .returning('user_id')
    .execute();
  return rows.length;
}

export async function deleteRegistration(
  db: Kysely<Tables>,
  { serverId, issuer }: { serverId: number; issuer: string },
): Promise<void> {
  await db
    .deleteFrom('upstream_registrations')
    .where('server_id', '=', serverId)
    .where('issuer', '=', issuer)
    .execute();
}
