import type { z } from 'zod';
import { recordAudit } from '../audit/index.ts';
import {
  findListedGrant,
  type ListedGrant,
  listGrantsPage,
  lockLabel,
  setLabel,
  summarizeGrants,
  type Withdrawals,
} from '../consent/index.ts';
import type { Database } from '../db/index.ts';
import type { Resources } from '../resources/index.ts';
import type { By } from './caller.ts';
import type { grant } from './contract/grants.ts';
import { grants } from './contract/index.ts';
import { type Precondition, versionOf } from './precondition.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface GrantDeps {
  db: Database;
  resources: Pick<Resources, 'resolve'>;
  withdrawals: Withdrawals;
  now: () => Date;
}

/** What people granted to clients, and how it is withdrawn for them. */
export function grantRoutes(deps: GrantDeps): ServedRoute[] {
  const { kysely } = deps.db;
  const find = async (id: string, { workspaceIds }: By) => {
    const row = await findListedGrant(kysely, id, deps.now());
    // A workspace admin does not learn which grants others have (AD07).
    if (!row || (workspaceIds && !workspaceIds.includes(row.workspace_id))) throw unknownId();
    return row;
  };
  const visible = async (ids: readonly string[], by: By) => {
    if (!by.workspaceIds) return ids;
    const rows = await Promise.all(ids.map((id) => findListedGrant(kysely, id, deps.now())));
    const own = rows.filter((row) => row && by.workspaceIds?.includes(row.workspace_id));
    return own.flatMap((row) => row?.id ?? []);
  };
  const withdraw = (ids: readonly string[], by: By) =>
    deps.withdrawals.withdraw(ids, { ...by, reason: 'operator' });
  return [
    fulfil(grants.list, async ({ query: { sub: userId, client_id: clientId, ...query } }, by) => {
      const resource =
        query.resource && (deps.resources.resolve(query.resource)?.uri ?? query.resource);
      const asked = { ...query, userId, clientId, resource, workspaceIds: by.workspaceIds };
      const { items, next_cursor } = await listGrantsPage(kysely, asked, deps.now());
      return { items: items.map(toWire), next_cursor };
    }),

    fulfil(grants.summary, async ({ query }) => {
      const { items, next_cursor } = await summarizeGrants(kysely, query);
      const wire = items.map((row) => ({ ...row, latest_at: row.latest_at.toISOString() }));
      return { items: wire, next_cursor };
    }),

    fulfil(grants.get, async ({ params: { id } }, by) => toWire(await find(id, by))),

    fulfil(grants.update, async ({ params: { id }, body: { label }, precondition }, by) => {
      await find(id, by);
      await relabel(deps.db, { id, label, precondition }, by);
      return toWire(await find(id, by));
    }),

    fulfil(grants.revokeMany, async ({ body: { ids } }, by) => {
      return { revoked: await withdraw(await visible(ids, by), by) };
    }),

    fulfil(grants.revoke, async ({ params: { id } }, by) => {
      await find(id, by);
      await withdraw([id], by);
      return toWire(await find(id, by));
    }),
  ];
}

async function relabel(
  db: Database,
  { id, label, precondition }: { id: string; label: string | null; precondition: Precondition },
  { actor, meta }: By,
): Promise<void> {
  await db.kysely.transaction().execute(async (trx) => {
    const before = await lockLabel(trx, id);
    if (!before) throw unknownId();
    precondition(grantVersion(before));
    if (before.label === label) return;
    await setLabel(trx, { grantId: id, label, now: meta.at });
    const changes = [{ field: 'label', from: before.label, to: label }];
    const { user_id: userId, client_id: clientId, resource } = before;
    const event = { actor, userId, clientId, resource, detail: { grant_id: id, changes } };
    await recordAudit(trx, { type: 'grant_updated', ...event }, meta);
  });
}

function grantVersion(row: Pick<ListedGrant, 'label' | 'scopes' | 'revoked_at'>): string {
  return versionOf([row.label, row.scopes, row.revoked_at]);
}

function toWire(row: ListedGrant): z.input<typeof grant> {
  const { user_id: sub, email: username, scopes, workspace_id, ...rest } = row;
  return {
    ...rest,
    sub,
    username,
    scope: scopes.join(' '),
    workspace_id: workspace_id || null,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
    version: grantVersion(row),
  };
}
