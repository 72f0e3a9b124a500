import type { ProviderDeps } from './deps.ts';

/** What reports on flows are made with. */
export type FlowDeps = Pick<ProviderDeps, 'flows' | 'clients' | 'resources' | 'now' | 'log'>;

/** What every report of a request begins with. */
export interface Told {
  traceId: string;
  address: string;
  at: Date;
  /** Milliseconds that the request took. */
  ms: number;
}

/** A flow is named after its first request. */
export function flowNamed(traceId: string): string {
  return `flow_${traceId}`;
}
