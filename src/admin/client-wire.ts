import type { z } from 'zod';
import type { Change } from '../audit/index.ts';
import type { Client, ListedClient } from '../clients/index.ts';
import { redirectHostKey } from '../oauth/index.ts';
import type { client, clients } from './contract/clients.ts';
import { versionOf } from './precondition.ts';

/** What of a client can be edited: when any of it differs, so does the version. */
export function clientVersion(row: Client): string {
  const { metadata, scope, resources, status, secretHashes, oldSecretUntil, rules } = row;
  return versionOf([metadata, scope, resources, status, secretHashes, oldSecretUntil, rules]);
}

const trust = {
  preregistered: 'operator',
  cimd: 'verified_host',
  dcr: 'self_registered',
} as const;

/** A client as a list shows it. */
export function clientRow(row: ListedClient): z.input<typeof client> {
  const { metadata } = row;
  return {
    id: row.clientId,
    client_id: row.clientId,
    client_name: row.clientName ?? null,
    kind: row.kind,
    trust: trust[row.kind],
    status: row.status,
    source: row.source,
    redirect_uris: metadata.redirect_uris,
    redirect_hosts: [...new Set(metadata.redirect_uris.map(redirectHostKey))],
    grant_types: metadata.grant_types,
    token_endpoint_auth_method: metadata.token_endpoint_auth_method,
    scope: row.scope ?? null,
    resources: row.resources ?? null,
    rules: row.rules,
    document_host: row.documentHost ?? null,
    document_fetched_at: row.documentFetchedAt?.toISOString() ?? null,
    document_expires_at: row.documentExpiresAt?.toISOString() ?? null,
    grants: row.grants,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
    version: clientVersion(row),
  };
}

/** What is known of a client beside its row. */
export interface Surroundings {
  resourceServerOf: string[];
  documentChanges: { at: Date; changes: readonly Change[] }[];
}

/** A client with everything that is known of it, except its secrets. */
export function clientDetail(
  row: ListedClient,
  { resourceServerOf, documentChanges }: Surroundings,
): z.input<typeof clients.get.answer> {
  const { metadata } = row;
  return {
    ...clientRow(row),
    client_uri: metadata.client_uri ?? null,
    logo_uri: metadata.logo_uri ?? null,
    tos_uri: metadata.tos_uri ?? null,
    policy_uri: metadata.policy_uri ?? null,
    contacts: metadata.contacts ?? [],
    software_id: metadata.software_id ?? null,
    software_version: metadata.software_version ?? null,
    application_type: metadata.application_type,
    response_types: metadata.response_types,
    jwks: metadata.jwks ? { keys: metadata.jwks.keys.map((key) => ({ ...key })) } : null,
    jwks_uri: metadata.jwks_uri ?? null,
    dpop_bound_access_tokens: metadata.dpop_bound_access_tokens ?? false,
    require_pushed_authorization_requests: metadata.require_pushed_authorization_requests ?? false,
    has_secret: row.secretHashes.length > 0,
    old_secret_until: row.oldSecretUntil?.toISOString() ?? null,
    resource_server_of: resourceServerOf,
    document_changes: documentChanges.map(({ at, changes }) => ({
      at: at.toISOString(),
      changes: changes.map(({ field, from, to }) => ({ field, from, to })),
    })),
  };
}
