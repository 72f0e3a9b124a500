import type { z } from 'zod';
import type { Database } from '../db/index.ts';
import type { Resources } from '../resources/index.ts';
import { endIssued, type IssuanceRow, isEndless, type Tokens } from '../tokens/index.ts';
import { issuances } from './contract/index.ts';
import type { issuance } from './contract/issuances.ts';
import { isTheirs } from './policy.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface IssuanceDeps {
  db: Database;
  tokens: Pick<Tokens, 'exchange' | 'issuances'>;
  resources: Pick<Resources, 'resolve'>;
  now: () => Date;
}

/** What was issued, and the one action that takes it back. */
export function issuanceRoutes({ db, tokens, resources, now }: IssuanceDeps): ServedRoute[] {
  return [
    fulfil(issuances.list, async ({ query }, { workspaceIds }) => {
      const resource = query.resource && (resources.resolve(query.resource)?.uri ?? query.resource);
      const { items, next_cursor } = await tokens.issuances.list(
        { ...query, resource, workspaceIds },
        now(),
      );
      return { items: items.map(toWire), next_cursor };
    }),

    fulfil(issuances.get, async ({ params: { id } }, { workspaceIds }) => {
      const isVisible = ({ workspace_id: workspace }: IssuanceRow) =>
        isTheirs(workspaceIds, workspace);
      const row = await tokens.issuances.find(id, now());
      if (!row || !isVisible(row)) throw unknownId();
      const parents = (await tokens.issuances.parents(id, now())).filter(isVisible);
      const children = await tokens.issuances.countChildren(id);
      return { ...toWire(row), parents: parents.map(toWire), children };
    }),

    fulfil(issuances.revoke, async ({ params: { id: jti }, body: { extent } }, by) => {
      const { exchange } = tokens;
      const revoked = await endIssued({ db, exchange }, { jti, extent, ...by });
      if (!revoked) throw unknownId();
      return { revoked };
    }),
  ];
}

function toWire(row: IssuanceRow): z.input<typeof issuance> {
  const {
    jti,
    parent_jti: parent,
    root_jti: root,
    issued_at,
    expires_at,
    revoked_at,
    ...rest
  } = row;
  return {
    id: jti,
    jti,
    ...rest,
    parent,
    root,
    issued_at: issued_at.toISOString(),
    expires_at: isEndless({ expires_at }) ? null : expires_at.toISOString(),
    revoked_at: revoked_at?.toISOString() ?? null,
  };
}
