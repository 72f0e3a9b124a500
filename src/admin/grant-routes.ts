import type { z } from 'zod';
import { recordAudit } from '../audit/index.ts';
import {
  findListedGrant,
  type ListedGrant,
  listGrantsPage,
  revokeGrant,
} from '../consent/index.ts';
import type { Database } from '../db/index.ts';
import type { Resources } from '../resources/index.ts';
import { endIssuedUnder } from '../tokens/index.ts';
import type { By } from './caller.ts';
import type { grant } from './contract/grants.ts';
import { grants } from './contract/index.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface GrantDeps {
  db: Database;
  resources: Pick<Resources, 'resolve'>;
  now: () => Date;
}

/** What people granted to clients, and how it is withdrawn for them. */
export function grantRoutes(deps: GrantDeps): ServedRoute[] {
  const { kysely } = deps.db;
  const find = async (id: string) => {
    const row = await findListedGrant(kysely, id, deps.now());
    if (!row) throw unknownId();
    return toWire(row);
  };
  return [
    fulfil(grants.list, async ({ query: { sub: userId, client_id: clientId, ...query } }) => {
      const resource =
        query.resource && (deps.resources.resolve(query.resource)?.uri ?? query.resource);
      const asked = { ...query, userId, clientId, resource };
      const { items, next_cursor } = await listGrantsPage(kysely, asked, deps.now());
      return { items: items.map(toWire), next_cursor };
    }),

    fulfil(grants.get, async ({ params: { id } }) => find(id)),

    fulfil(grants.revoke, async ({ params: { id } }, by) => {
      await find(id);
      await withdraw(deps.db, id, by);
      return find(id);
    }),
  ];
}

/** One transaction; what was withdrawn before leaves no second audit event. */
async function withdraw(db: Database, grantId: string, { actor, meta }: By): Promise<void> {
  await db.kysely.transaction().execute(async (trx) => {
    const ended = await revokeGrant(trx, { grantId, now: meta.at });
    await endIssuedUnder(trx, { grantId, now: meta.at });
    for (const { userId, clientId, resource } of ended.grants) {
      const detail = { grant_id: grantId, reason: 'operator', families: ended.families };
      const event = { actor, userId, clientId, resource, detail };
      await recordAudit(trx, { type: 'consent_revoked', ...event }, meta);
    }
  });
}

function toWire({
  user_id: sub,
  email: username,
  scopes,
  workspace_id,
  ...row
}: ListedGrant): z.input<typeof grant> {
  return {
    ...row,
    sub,
    username,
    scope: scopes.join(' '),
    workspace_id: workspace_id || null,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}
