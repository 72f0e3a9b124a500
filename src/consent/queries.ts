import { randomBytes } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import type { GrantsTable, Tables } from '../db/index.ts';
import { redirectHostKey } from '../oauth/index.ts';
import type { ConsentClient, GrantRow } from './policy.ts';

/** Most rows that a list for one person shows. */
const longestList = 500;

/** What one answer is remembered for. */
export interface GrantKey {
  userId: string;
  clientId: string;
  resource: string;
  /** Empty where the resource is not workspace-scoped. */
  workspaceId: string;
}

export interface Approval extends Omit<GrantKey, 'clientId'> {
  client: ConsentClient & { clientId: string };
  /** What was ticked. */
  scopes: readonly string[];
  /** What the page offered. */
  offeredScopes: readonly string[];
  redirectUri: string;
  now: Date;
}

const columns = [
  'id',
  'user_id',
  'client_id',
  'resource',
  'workspace_id',
  'scopes',
  'offered_scopes',
  'redirect_host',
  'client_digest',
  'created_at',
  'updated_at',
  'last_used_at',
  'revoked_at',
] as const;

/** The grant row of a person, client, resource and workspace; a revoked one too. */
export async function findGrant(
  db: Kysely<Tables>,
  { userId, clientId, resource, workspaceId }: GrantKey,
): Promise<GrantRow | undefined> {
  const row = await db
    .selectFrom('grants')
    .select(columns)
    .where('user_id', '=', userId)
    .where('client_id', '=', clientId)
    .where('resource', '=', resource)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  return row && toGrant(row);
}

/** The grants of a person and client at a workspace-scoped resource that stand, one for each workspace; at most 2. */
export async function findWorkspaceGrants(
  db: Kysely<Tables>,
  { userId, clientId, resource }: Omit<GrantKey, 'workspaceId'>,
): Promise<GrantRow[]> {
  const rows = await db
    .selectFrom('grants')
    .select(columns)
    .where('user_id', '=', userId)
    .where('client_id', '=', clientId)
    .where('resource', '=', resource)
    .where('workspace_id', '<>', '')
    .where('revoked_at', 'is', null)
    .limit(2)
    .execute();
  return rows.map(toGrant);
}

/**
 * Remembers an approval. The scopes ticked now replace earlier ones, and a revoked row comes back to
 * life; the families that ended with it do not. Call it in the transaction that starts the family.
 */
export async function approveGrant(trx: Kysely<Tables>, approval: Approval): Promise<GrantRow> {
  const { userId, client, resource, workspaceId, now } = approval;
  const answer = {
    scopes: [...approval.scopes],
    offered_scopes: [...approval.offeredScopes],
    redirect_host: redirectHostKey(approval.redirectUri),
    client_digest: client.digest,
    updated_at: now,
  };
  const row = await trx
    .insertInto('grants')
    .values({
      id: `gr_${randomBytes(18).toString('base64url')}`,
      user_id: userId,
      client_id: client.clientId,
      resource,
      workspace_id: workspaceId,
      created_at: now,
      ...answer,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['user_id', 'client_id', 'resource', 'workspace_id'])
        .doUpdateSet({ ...answer, revoked_at: null }),
    )
    .returning(columns)
    .executeTakeFirstOrThrow();
  return toGrant(row);
}

/**
 * Claims a remembered grant for one more authorization, and locks its row until the transaction ends.
 * Call it before a family is started without asking: a revocation that runs at the same moment then
 * either wins, or sees the new family.
 *
 * @returns false when it has been revoked meanwhile: ask the person
 */
export async function touchGrant(
  trx: Kysely<Tables>,
  { grantId, now }: { grantId: string; now: Date },
): Promise<boolean> {
  const touched = await trx
    .updateTable('grants')
    .set({ last_used_at: now })
    .where('id', '=', grantId)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return touched !== undefined;
}

/** Reads and holds what operators may edit of a grant until the transaction ends. */
export function lockLabel(
  trx: Kysely<Tables>,
  grantId: string,
): Promise<Pick<Selectable<GrantsTable>, LabelledColumns> | undefined> {
  return trx
    .selectFrom('grants')
    .select(['label', 'scopes', 'revoked_at', 'user_id', 'client_id', 'resource'])
    .where('id', '=', grantId)
    .forUpdate()
    .executeTakeFirst();
}

type LabelledColumns = 'label' | 'scopes' | 'revoked_at' | 'user_id' | 'client_id' | 'resource';

/** What operators call a grant; null takes the label away. */
export async function setLabel(
  trx: Kysely<Tables>,
  { grantId, label, now }: { grantId: string; label: string | null; now: Date },
): Promise<void> {
  await trx
    .updateTable('grants')
    .set({ label, updated_at: now })
    .where('id', '=', grantId)
    .execute();
}

/** What a person has granted and not withdrawn, the latest answers first; at most 500. */
export async function listGrants(db: Kysely<Tables>, userId: string): Promise<GrantRow[]> {
  const rows = await db
    .selectFrom('grants')
    .select(columns)
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .orderBy('updated_at', 'desc')
    .orderBy('id')
    .limit(longestList)
    .execute();
  return rows.map(toGrant);
}

function toGrant(row: Omit<Selectable<GrantsTable>, 'label'>): GrantRow {
  return {
    id: row.id,
    userId: row.user_id,
    clientId: row.client_id,
    resource: row.resource,
    workspaceId: row.workspace_id,
    scopes: row.scopes,
    offeredScopes: row.offered_scopes,
    redirectHost: row.redirect_host,
    clientDigest: row.client_digest,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastUsedAt: row.last_used_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  };
}
