import type { Selectable } from 'kysely';
import type { ClientsTable } from '../db/index.ts';
import { storedMetadata } from './metadata.ts';
import { clientDigest } from './secrets.ts';
import type { Client } from './types.ts';

export type ClientRow = Omit<
  Selectable<ClientsTable>,
  'registration_token_hash' | 'registered_from' | 'document_etag'
>;

/** The columns of a {@link ClientRow}; the hash of the registration token is compared in SQL only. */
export const clientColumns = [
  'client_id',
  'kind',
  'status',
  'client_name',
  'metadata',
  'secret_hashes',
  'old_secret_until',
  'resources',
  'scope',
  'rules',
  'document_host',
  'document_fetched_at',
  'document_expires_at',
  'source',
  'created_at',
  'updated_at',
  'last_used_at',
] as const satisfies readonly (keyof ClientRow)[];

/** A row as the rest of the server knows it. */
export function clientOf(row: ClientRow): Client {
  const metadata = storedMetadata(row.metadata);
  return {
    clientId: row.client_id,
    kind: row.kind,
    status: row.status,
    metadata,
    secretHashes: row.secret_hashes,
    rules: row.rules,
    source: row.source,
    digest: clientDigest(metadata),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.old_secret_until === null ? {} : { oldSecretUntil: row.old_secret_until }),
    ...(row.client_name === null ? {} : { clientName: row.client_name }),
    ...(row.resources === null ? {} : { resources: row.resources }),
    ...(row.scope === null ? {} : { scope: row.scope }),
    ...(row.document_host === null ? {} : { documentHost: row.document_host }),
    ...(row.document_fetched_at === null ? {} : { documentFetchedAt: row.document_fetched_at }),
    ...(row.document_expires_at === null ? {} : { documentExpiresAt: row.document_expires_at }),
    ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at }),
  };
}
