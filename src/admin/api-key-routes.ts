import type { z } from 'zod';
import type { ApiKeys } from './api-keys.ts';
import type { ApiKeyRow } from './api-keys-queries.ts';
import type { apiKey } from './contract/api-keys.ts';
import { apiKeys as contract } from './contract/index.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

/** Keys for programs, each bound to a role. */
export function apiKeyRoutes(apiKeys: ApiKeys): ServedRoute[] {
  return [
    fulfil(contract.list, async ({ query }) => {
      const { items, next_cursor } = await apiKeys.list(query);
      return { items: items.map(toWire), next_cursor };
    }),

    fulfil(contract.get, async ({ params: { id } }) => {
      const row = await apiKeys.find(id);
      if (!row) throw unknownId();
      return toWire(row);
    }),

    fulfil(contract.create, async ({ body: { name, role, expires_in: expiresIn } }, by) => {
      const { value, ...row } = await apiKeys.create({ name, role, expiresIn }, by);
      return { ...toWire(row), key: value };
    }),

    fulfil(contract.revoke, async ({ params: { id } }, by) => {
      const row = await apiKeys.revoke(id, by);
      if (!row) throw unknownId();
      return toWire(row);
    }),
  ];
}

function toWire(row: ApiKeyRow): z.input<typeof apiKey> {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}
