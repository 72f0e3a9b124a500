import { type Kysely, sql } from 'kysely';
import type { Tables } from '../db/index.ts';
import type { DeclaredColumns, ResourceRow, ResourceUpdate } from './reconcile-policy.ts';

/** NOTIFY channel on which replicas tell each other that a resource changed. */
export const resourcesChannel = 'resources';

/** Every resource, disabled ones too: there are few, and each replica keeps them in memory. */
export function selectResources(db: Kysely<Tables>): Promise<ResourceRow[]> {
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
      'enabled',
      'source',
      'created_at',
      'updated_at',
    ])
    .orderBy('created_at')
    .orderBy('slug')
    .execute();
}

export async function insertResource(
  db: Kysely<Tables>,
  columns: DeclaredColumns,
  { source, now }: { source: ResourceRow['source']; now: Date },
): Promise<void> {
  await db
    .insertInto('resources')
    .values({ ...stored(columns), source, created_at: now, updated_at: now })
    .execute();
}

export async function updateResource(
  db: Kysely<Tables>,
  { uri, columns }: ResourceUpdate,
  now: Date,
): Promise<void> {
  await db
    .updateTable('resources')
    .set({ ...stored(columns), updated_at: now })
    .where('uri', '=', uri)
    .execute();
}

/** Tells every replica, once the transaction commits. */
export async function announceResources(db: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_notify(${resourcesChannel}, '')`.execute(db);
}

function stored(columns: DeclaredColumns) {
  return {
    ...columns,
    scopes: JSON.stringify(columns.scopes),
    access: JSON.stringify(columns.access),
    exchange: columns.exchange && JSON.stringify(columns.exchange),
  };
}
