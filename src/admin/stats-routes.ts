import type { AuditLog } from '../audit/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import { listFlowsPage } from '../flows/index.ts';
import type { Keys } from '../keys/index.ts';
import type { Scheduler } from '../scheduler/index.ts';
import { type Attention, attentionOf } from './attention-policy.ts';
import { stats as contract } from './contract/index.ts';
import { type GettingStartedDeps, gettingStarted } from './getting-started.ts';
import { chartsOf, lastDay } from './overview.ts';
import { periodOf } from './overview-policy.ts';
import { fulfil, type ServedRoute } from './served-route.ts';
import { diskOf, isFileChanged } from './settings-routes.ts';

export interface StatsDeps extends GettingStartedDeps {
  db: Database;
  configuration: Pick<LoadedConfig, 'config' | 'file'>;
  scheduler: Pick<Scheduler, 'states'>;
  keys: Pick<Keys, 'list' | 'settings'>;
  auditLog: Pick<AuditLog, 'deadLetters'>;
}

/** The first page. */
export function statsRoutes(deps: StatsDeps): ServedRoute[] {
  return [
    fulfil(contract.overview, async ({ query }) => {
      const asked = periodOf(query, deps.now());
      const hasOwner = !(await deps.accounts.setup.needed());
      return {
        from: asked.from.toISOString(),
        to: asked.to.toISOString(),
        step: query.step,
        times: asked.times.map((time) => time.toISOString()),
        ...(await chartsOf(deps.db, asked, query.step)),
        attention: await needsAttention(deps, hasOwner),
        getting_started: await gettingStarted(deps, hasOwner),
      };
    }),
  ];
}

async function needsAttention(deps: StatsDeps, hasOwner: boolean): Promise<Attention[]> {
  const { db, configuration, keys } = deps;
  const now = deps.now();
  return attentionOf({
    ...{ now, hasOwner },
    restartNeeded: isFileChanged(configuration),
    disk: await diskOf(configuration),
    jobs: await deps.scheduler.states(),
    keys: keys.list(),
    rotation: keys.settings,
    ...(await lastDay(db, now)),
    failedFlows: await failedFlows(db, now),
    undelivered: (await deps.auditLog.deadLetters(1))[0]?.failedAt,
  });
}

async function failedFlows({ kysely }: Database, now: Date): Promise<number> {
  const from = new Date(now.getTime() - 86_400_000);
  const { items } = await listFlowsPage(kysely, { status: 'failed', from, limit: 100 }, now);
  return items.length;
}
