import { type Kysely, type Selectable, sql } from 'kysely';
import type { IdentityProvidersTable, Tables } from '../db/index.ts';

export type ProviderRow = Selectable<IdentityProvidersTable>;

/** The columns that a declaration sets. */
export type ProviderRowColumns = Omit<
  ProviderRow,
  'enabled' | 'source' | 'created_at' | 'updated_at'
>;

/** NOTIFY channel on which replicas tell each other that an identity provider changed. */
export const identityProvidersChannel = 'identity_providers';

const columns = [
  'slug',
  'issuer',
  'client_id',
  'client_secret_sealed',
  'display_name',
  'settings',
  'enabled',
  'source',
  'created_at',
  'updated_at',
] as const;

/** Every provider, disabled ones too: there are few, and each replica keeps them in memory. */
export function selectProviders(db: Kysely<Tables>): Promise<ProviderRow[]> {
  return db.selectFrom('identity_providers').select(columns).orderBy('slug').execute();
}

/** One provider, locked until the end of the transaction. */
export function lockProvider(trx: Kysely<Tables>, slug: string): Promise<ProviderRow | undefined> {
  return trx
    .selectFrom('identity_providers')
    .select(columns)
    .where('slug', '=', slug)
    .forUpdate()
    .executeTakeFirst();
}

/**
 * Until the end of the transaction nobody else takes a provider away. Attack: two at once, each seeing the
 * other's, and no way to sign in is left.
 */
export async function lockProviders(trx: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended('authserver:identity_providers', 0))`.execute(
    trx,
  );
}

/** @returns false when there is one with that slug */
export async function insertProvider(
  db: Kysely<Tables>,
  row: ProviderRowColumns,
  { source, now }: { source: ProviderRow['source']; now: Date },
): Promise<boolean> {
  const rows = await db
    .insertInto('identity_providers')
    .values({ ...stored(row), source, created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .returning('slug')
    .execute();
  return rows.length === 1;
}

export async function updateProvider(
  db: Kysely<Tables>,
  row: ProviderRowColumns,
  now: Date,
): Promise<void> {
  await db
    .updateTable('identity_providers')
    .set({ ...stored(row), updated_at: now })
    .where('slug', '=', row.slug)
    .execute();
}

export async function switchProvider(
  db: Kysely<Tables>,
  { slug, enabled, now }: { slug: string; enabled: boolean; now: Date },
): Promise<void> {
  await db
    .updateTable('identity_providers')
    .set({ enabled, updated_at: now })
    .where('slug', '=', slug)
    .execute();
}

export async function deleteProvider(db: Kysely<Tables>, slug: string): Promise<void> {
  await db.deleteFrom('identity_providers').where('slug', '=', slug).execute();
}

/** Tells every replica, once the transaction commits. */
export async function announceProviders(db: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_notify(${identityProvidersChannel}, '')`.execute(db);
}

function stored({ settings, ...row }: ProviderRowColumns) {
  return { ...row, settings: JSON.stringify(settings) };
}
