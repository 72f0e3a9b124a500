import type { Client } from '../clients/index.ts';
import { type Column, fields } from './output.ts';

export const clientColumns: readonly Column<Client>[] = [
  { title: 'CLIENT_ID', value: (client) => client.clientId },
  { title: 'NAME', value: (client) => client.clientName },
  { title: 'KIND', value: (client) => client.kind },
  { title: 'STATUS', value: (client) => client.status },
  { title: 'CREATED', value: (client) => client.createdAt },
  { title: 'LAST USED', value: (client) => client.lastUsedAt },
];

/** Under the names of RFC 7591 where it has them; never a secret. */
export function wireClient(client: Client) {
  return {
    client_id: client.clientId,
    kind: client.kind,
    status: client.status,
    ...client.metadata,
    resources: client.resources,
    scope: client.scope,
    compatibility_rules: client.rules,
    secrets: client.secretHashes.length,
    source: client.source,
    created_at: client.createdAt,
    updated_at: client.updatedAt,
    last_used_at: client.lastUsedAt,
  };
}

/** One client as text. */
export function clientFields(client: Client): string {
  const {
    jwks,
    dpop_bound_access_tokens: dpop,
    require_pushed_authorization_requests: pushed,
    ...members
  } = wireClient(client);
  return fields({
    ...members,
    ...(jwks && { jwks: jwks.keys.map((key) => key.kid ?? key.kty) }),
    ...(dpop && { dpop_bound_access_tokens: 'true' }),
    ...(pushed && { require_pushed_authorization_requests: 'true' }),
  });
}
