import { type Kysely, type Selectable, sql } from 'kysely';
import type { ResourcesTable, StoredClaimsHook, Tables } from '../db/index.ts';
import type { DeclaredColumns } from './reconcile-policy.ts';

/** NOTIFY channel on which replicas tell each other that a resource changed. */
export const resourcesChannel = 'resources';

export type StoredResource = Selectable<ResourcesTable>;

/** The columns of a declaration with the secret of its hook sealed. */
export type SealedColumns = Omit<DeclaredColumns, 'claims_hook'> & {
  claims_hook: StoredClaimsHook | null;
};

/** Every resource, disabled ones too: there are few, and each replica keeps them in memory. Ours comes last. */
export function selectResources(db: Kysely<Tables>): Promise<StoredResource[]> {
  return db
    .selectFrom('resources')
    .select([
      'uri',
      'slug',
      'aliases',
      'display_name',
      'scopes',
      'default_scopes',
      'token_format',
      'token_prefix',
      'access_ttl',
      'dpop',
      'workspace_scoped',
      'clients',
      'access',
      'exchange',
      'claims',
      'claims_hook',
      'enabled',
      'source',
      'created_at',
      'updated_at',
    ])
    .orderBy(sql`source = 'builtin'`)
    .orderBy('created_at')
    .orderBy('slug')
    .execute();
}

export async function insertResource(
  db: Kysely<Tables>,
  columns: SealedColumns,
  { source, now }: { source: StoredResource['source']; now: Date },
): Promise<void> {
  await db
    .insertInto('resources')
    .values({ ...stored(columns), source, created_at: now, updated_at: now })
    .execute();
}

export async function updateResource(
  db: Kysely<Tables>,
  { uri, columns }: { uri: string; columns: SealedColumns },
  now: Date,
): Promise<void> {
  await db
    .updateTable('resources')
    .set({ ...stored(columns), updated_at: now })
    .where('uri', '=', uri)
    .execute();
}

export async function setEnabled(
  db: Kysely<Tables>,
  { uri, enabled }: { uri: string; enabled: boolean },
  now: Date,
): Promise<void> {
  await db
    .updateTable('resources')
    .set({ enabled, updated_at: now })
    .where('uri', '=', uri)
    .execute();
}

export async function deleteResource(db: Kysely<Tables>, uri: string): Promise<void> {
  await db.deleteFrom('resources').where('uri', '=', uri).execute();
}

/** Tells every replica, once the transaction commits. */
export async function announceResources(db: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_notify(${resourcesChannel}, '')`.execute(db);
}

function stored(columns: SealedColumns) {
  return {
    ...columns,
    scopes: JSON.stringify(columns.scopes),
    access: JSON.stringify(columns.access),
    exchange: columns.exchange && JSON.stringify(columns.exchange),
    claims: JSON.stringify(columns.claims),
    claims_hook: columns.claims_hook && JSON.stringify(columns.claims_hook),
  };
}
