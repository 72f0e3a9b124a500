import { type Kysely, type Selectable, sql } from 'kysely';
import type { Tables, TrustedIssuersTable } from '../db/index.ts';

export type TrustedIssuerRow = Selectable<TrustedIssuersTable>;

/** The columns that a declaration sets. */
export type TrustColumns = Omit<
  TrustedIssuerRow,
  'enabled' | 'source' | 'created_at' | 'updated_at'
>;

/** NOTIFY channel on which replicas tell each other that a trusted issuer changed. */
export const trustedIssuersChannel = 'trusted_issuers';

/** Every trusted issuer, disabled ones too: there are few, and each replica keeps them in memory. */
export function selectTrustedIssuers(db: Kysely<Tables>): Promise<TrustedIssuerRow[]> {
  return db
    .selectFrom('trusted_issuers')
    .select([
      'issuer',
      'jwks_uri',
      'jwks',
      'clients',
      'resources',
      'scopes',
      'subject',
      'enabled',
      'source',
      'created_at',
      'updated_at',
    ])
    .orderBy('created_at')
    .orderBy('issuer')
    .execute();
}

/** @returns false when there is one with that `iss` */
export async function insertTrustedIssuer(
  db: Kysely<Tables>,
  columns: TrustColumns,
  { source, now }: { source: TrustedIssuerRow['source']; now: Date },
): Promise<boolean> {
  const rows = await db
    .insertInto('trusted_issuers')
    .values({ ...stored(columns), source, created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.column('issuer').doNothing())
    .returning('issuer')
    .execute();
  return rows.length === 1;
}

export async function updateTrustedIssuer(
  db: Kysely<Tables>,
  columns: TrustColumns,
  now: Date,
): Promise<void> {
  await db
    .updateTable('trusted_issuers')
    .set({ ...stored(columns), updated_at: now })
    .where('issuer', '=', columns.issuer)
    .execute();
}

/** One issuer, locked until the end of the transaction. */
export function lockTrustedIssuer(
  trx: Kysely<Tables>,
  issuer: string,
): Promise<TrustedIssuerRow | undefined> {
  return trx
    .selectFrom('trusted_issuers')
    .selectAll()
    .where('issuer', '=', issuer)
    .forUpdate()
    .executeTakeFirst();
}

/** @returns false when it is not there */
export async function deleteTrustedIssuer(db: Kysely<Tables>, issuer: string): Promise<boolean> {
  const rows = await db
    .deleteFrom('trusted_issuers')
    .where('issuer', '=', issuer)
    .returning('issuer')
    .execute();
  return rows.length === 1;
}

/** @returns false when it has that state already, or is not there */
export async function switchTrustedIssuer(
  db: Kysely<Tables>,
  { issuer, enabled, now }: { issuer: string; enabled: boolean; now: Date },
): Promise<boolean> {
  const rows = await db
    .updateTable('trusted_issuers')
    .set({ enabled, updated_at: now })
    .where('issuer', '=', issuer)
    .where('enabled', '<>', enabled)
    .returning('issuer')
    .execute();
  return rows.length === 1;
}

/** Tells every replica, once the transaction commits. */
export async function announceTrustedIssuers(db: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_notify(${trustedIssuersChannel}, '')`.execute(db);
}

function stored(columns: TrustColumns) {
  return { ...columns, jwks: columns.jwks && JSON.stringify(columns.jwks) };
}

/** Its lists, where it has them. */
export function listsOf({
  clients,
  resources,
  scopes,
}: Pick<TrustedIssuerRow, 'clients' | 'resources' | 'scopes'>) {
  return {
    ...(clients && { clients }),
    ...(resources && { resources }),
    ...(scopes && { scopes }),
  };
}
