import type { z } from 'zod';
import type { clients } from '../admin/contract/index.ts';
import { answerFields, type Column, when, withoutNulls } from './output.ts';

export type Client = z.output<typeof clients.get.answer>;
export type ListedClient = z.output<typeof clients.list.answer>['items'][number];

export const clientColumns: readonly Column<ListedClient>[] = [
  { title: 'CLIENT_ID', value: (client) => client.client_id },
  { title: 'NAME', value: (client) => client.client_name ?? undefined },
  { title: 'KIND', value: (client) => client.kind },
  { title: 'STATUS', value: (client) => client.status },
  { title: 'CREATED', value: (client) => when(client.created_at) },
  { title: 'LAST USED', value: (client) => when(client.last_used_at) },
];

/** Under the names of RFC 7591 where it has them; never a secret. */
export function wireClient(client: Client) {
  const { id: _, version: __, rules, has_secret, contacts, document_changes, ...rest } = client;
  return withoutNulls({
    ...rest,
    contacts: contacts.length > 0 ? contacts : null,
    compatibility_rules: rules,
    secrets: secretsOf({ has_secret, old: rest.old_secret_until }),
    document_changes: document_changes.length > 0 ? document_changes : null,
  });
}

/** How many are good. */
function secretsOf({ has_secret, old }: { has_secret: boolean; old: string | null }): number {
  if (!has_secret) return 0;
  return old === null ? 1 : 2;
}

/** One client as text. */
export function clientFields(client: Client): string {
  const { jwks, ...members } = wireClient(client);
  const {
    dpop_bound_access_tokens: dpop,
    require_pushed_authorization_requests: pushed,
    document_changes: changes,
    ...rest
  } = members;
  return answerFields({
    ...rest,
    ...(changes && { document_changes: changes.length }),
    ...(jwks && { jwks: jwks.keys.map((key) => String(key.kid ?? key.kty)) }),
    ...(dpop && { dpop_bound_access_tokens: dpop }),
    ...(pushed && { require_pushed_authorization_requests: pushed }),
  });
}
