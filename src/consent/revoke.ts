import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';

/** A grant that ended just now, for the audit event. */
export interface RevokedGrant {
  id: string;
  userId: string;
  clientId: string;
  resource: string;
}

export interface Revocation {
  /** Grants that ended just now; those that had ended before are left out. */
  grants: RevokedGrant[];
  /** How many token families ended just now. */
  families: number;
}

/** Withdraws everything that a person granted for one workspace, grant by grant. */
export async function revokeForMember(
  trx: Kysely<Tables>,
  { userId, workspaceId, now }: { userId: string; workspaceId: string; now: Date },
): Promise<Revocation> {
  const standing = await trx
    .selectFrom('grants')
    .select('id')
    .where('user_id', '=', userId)
    .where('workspace_id', '=', workspaceId)
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute();
  const ended: Revocation = { grants: [], families: 0 };
  for (const { id: grantId } of standing) {
    const { grants, families } = await revokeGrant(trx, { grantId, now });
    ended.grants.push(...grants);
    ended.families += families;
  }
  return ended;
}

/** Whose grants end: one indexed column of `families`, if it has one, and its counterpart in `grants`. */
interface Extent {
  family?: 'grant_id' | 'user_id' | 'client_id';
  grant: 'id' | 'user_id' | 'client_id' | 'resource';
  id: string;
}

/** Withdraws one grant and ends all that was derived from it; repeating it changes nothing. */
export function revokeGrant(
  trx: Kysely<Tables>,
  { grantId, now }: { grantId: string; now: Date },
): Promise<Revocation> {
  return revoke(trx, { family: 'grant_id', grant: 'id', id: grantId }, now);
}

/** Withdraws everything that was granted to a client, by everybody. */
export function revokeForClient(
  trx: Kysely<Tables>,
  { clientId, now }: { clientId: string; now: Date },
): Promise<Revocation> {
  return revoke(trx, { family: 'client_id', grant: 'client_id', id: clientId }, now);
}

/** Withdraws everything that was granted for a resource, by everybody to every client. */
export function revokeForResource(
  trx: Kysely<Tables>,
  { resource, now }: { resource: string; now: Date },
): Promise<Revocation> {
  return revoke(trx, { grant: 'resource', id: resource }, now);
}

/**
 * Ends families, deletes their codes and refresh tokens, ends the grants and marks the issued tokens.
 * The order is that in which the token endpoint locks rows (families, artifacts, grants), so that
 * the two never wait for each other. Families are ended a second time once the grants are locked: an
 * approval may have started one meanwhile, which would come back to life with the grant.
 */
async function revoke(trx: Kysely<Tables>, extent: Extent, now: Date): Promise<Revocation> {
  const before = await endFamilies(trx, extent, now);
  await deleteArtifacts(trx, extent);
  const grants = await endGrants(trx, extent, now);
  const meanwhile = await endFamilies(trx, extent, now);
  await markIssuances(trx, extent, now);
  return { grants, families: before + meanwhile };
}

async function endFamilies(trx: Kysely<Tables>, extent: Extent, now: Date): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('families')
    .set({ revoked_at: now })
    .where(belongsTo(extent))
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

async function deleteArtifacts(trx: Kysely<Tables>, extent: Extent): Promise<void> {
  await trx.deleteFrom('artifacts').where('family_id', 'in', familiesOf(trx, extent)).execute();
}

async function endGrants(trx: Kysely<Tables>, extent: Extent, now: Date): Promise<RevokedGrant[]> {
  const rows = await trx
    .updateTable('grants')
    .set({ revoked_at: now, updated_at: now })
    .where(extent.grant, '=', extent.id)
    .where('revoked_at', 'is', null)
    .returning(['id', 'user_id', 'client_id', 'resource'])
    .execute();
  return rows.map(({ id, user_id, client_id, resource }) => ({
    id,
    userId: user_id,
    clientId: client_id,
    resource,
  }));
}

/** Only what is still alive: the record of an expired token stays as it was. */
async function markIssuances(trx: Kysely<Tables>, extent: Extent, now: Date): Promise<void> {
  await trx
    .updateTable('issuances')
    .set({ revoked_at: now })
    .where('family_id', 'in', familiesOf(trx, extent))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .execute();
}

function familiesOf(trx: Kysely<Tables>, extent: Extent) {
  return trx.selectFrom('families').select('id').where(belongsTo(extent));
}

/** Of a row of `families`. */
function belongsTo({ family, grant, id }: Extent) {
  if (family) return sql<boolean>`${sql.ref(family)} = ${id}`;
  return sql<boolean>`grant_id IN (SELECT id FROM grants WHERE ${sql.ref(grant)} = ${id})`;
}
