import { removeExpiredFlows } from './queries.ts';
import { createRecorder, type FlowsConfig, type FlowsDeps } from './recorder.ts';

/** What the rest of the server tells of authorization attempts. */
export type Flows = ReturnType<typeof createFlows>;

/** Everything about flows, over one database. Close it before the database. */
export function createFlows(deps: FlowsDeps, config: FlowsConfig) {
  return {
    ...createRecorder(deps, config),
    /** Removes one small batch of those that were kept long enough (`retention.flows`). @returns how many */
    removeExpired: (now: Date, atMost: number) => removeExpiredFlows(deps.db, now, atMost),
  };
}
