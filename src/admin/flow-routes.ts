import type { Database } from '../db/index.ts';
import { type Flows, findFlow, listFlowsPage } from '../flows/index.ts';
import { flows as contract } from './contract/index.ts';
import { applyFix, currentFixes, type FlowFixDeps } from './flow-fixes.ts';
import { flowDetail, flowRow } from './flow-wire.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface FlowDeps extends FlowFixDeps {
  db: Database;
  flows: Pick<Flows, 'flush'>;
  now: () => Date;
}

/** Authorization attempts, and the changes that would have made them succeed. */
export function flowRoutes(deps: FlowDeps): ServedRoute[] {
  const { db, flows, resources, now } = deps;
  const find = async (id: string) => {
    await flows.flush(); // what this process knows already; other replicas write within a second
    const row = await findFlow(db.kysely, id);
    if (!row) throw unknownId();
    return row;
  };
  const detail = async (id: string) => {
    const row = await find(id);
    const fixes = await currentFixes(deps, row);
    return flowDetail(row, { resources: resources.all(), now: now(), fixes });
  };
  return [
    fulfil(contract.list, async ({ query }) => {
      await flows.flush();
      const { client_id, sub, failed_step, trace_id, from, to, ...rest } = query;
      const asked = {
        ...rest,
        ...{ clientId: client_id, userId: sub, failedStep: failed_step, traceId: trace_id },
        ...{ from: dateOf(from), to: dateOf(to) },
      };
      const at = now();
      const { items, next_cursor } = await listFlowsPage(db.kysely, asked, at);
      const context = { resources: resources.all(), now: at };
      return { items: items.map((row) => flowRow(row, context)), next_cursor };
    }),

    fulfil(contract.get, ({ params: { id } }) => detail(id)),

    fulfil(contract.fix, async ({ params: { id }, body: { fix } }, by) => {
      await applyFix(deps, await find(id), { id: fix, by });
      return detail(id);
    }),
  ];
}

function dateOf(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
