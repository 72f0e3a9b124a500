import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type MetricName, metricDefinitions, metricPrefix } from './metric-definitions.ts';

/** What rooms report. Labels come from closed sets only: never a client_id, a path or a parameter. */
export interface Metrics {
  /** `route` is the route's pattern, never the requested path. */
  httpRequest(report: { route: string; method: string; status: number; seconds: number }): void;
  /** `grantType` and `tokenType` as issued: a refused grant type is no issued token. */
  tokenIssued(report: { grantType: string; tokenType: string }): void;
  /** A repeated use of a refresh token within the overlap window got the same successor. */
  refreshOverlapAbsorbed(): void;
  /** `error` is the RFC's code, `endpoint` the route's pattern. */
  requestRefused(report: { endpoint: string; error: string }): void;
  /** `cached` and `failed_cached` count too: they are what the fetches were saved by. */
  clientDocumentFetched(outcome: DocumentOutcome): void;
  signIn(outcome: SignInOutcome): void;
  /** Everything but `answered` left the token without claims of the hook, or refused it. */
  claimsHookCalled(outcome: ClaimsHookOutcome): void;
  /** `rows`: what the run changed or removed. */
  jobRan(report: {
    job: string;
    outcome: 'succeeded' | 'failed';
    at: Date;
    seconds: number;
    rows: number;
  }): void;
  /** As `onQuery` of the database wants it: one call is one round trip. */
  query(report: { name: string; milliseconds: number }): void;
  /** How many requests were refused since the start, by the labels of the metric. */
  refusals(): Promise<{ endpoint: string; error: string; count: number }[]>;
  /** The exposition and its content type, for `GET /metrics`. */
  expose(): Promise<{ contentType: string; body: string }>;
  readonly registry: Registry;
}

export type DocumentOutcome = 'fetched' | 'cached' | 'failed' | 'failed_cached';
export type ClaimsHookOutcome =
  | 'answered'
  | 'timeout'
  | 'unreachable'
  | 'bad_status'
  | 'unusable_answer'
  | 'resting'
  | 'unreadable_secret';
export type SignInOutcome = 'succeeded' | 'invalid' | 'locked' | 'disabled';

/** More routes, statements or codes than there are: beyond it somebody feeds us requested values. */
const mostLabelValues = 200;
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * The metrics of one app in a registry of its own; docs/metrics.md lists them.
 *
 * @param ofAllProcesses where several processes serve: what they expose together
 */
export function createMetrics(
  ofAllProcesses?: (registry: Registry) => () => Promise<string>,
): Metrics {
  const registry = new Registry();
  const ofAll = ofAllProcesses?.(registry) ?? (() => registry.metrics());
  collectDefaultMetrics({ register: registry, prefix: metricPrefix });
  const requests = histogram(registry, 'http_request_duration_seconds');
  const queries = histogram(registry, 'db_query_duration_seconds');
  const issued = counter(registry, 'tokens_issued_total');
  const overlaps = counter(registry, 'refresh_overlaps_absorbed_total');
  const refused = counter(registry, 'requests_refused_total');
  const documents = counter(registry, 'client_documents_total');
  const signIns = counter(registry, 'sign_ins_total');
  const claimsHooks = counter(registry, 'claims_hook_calls_total');
  const jobRuns = counter(registry, 'job_runs_total');
  const jobRows = counter(registry, 'job_rows_total');
  const jobSuccess = gauge(registry, 'job_last_success_timestamp_seconds');
  const jobDuration = gauge(registry, 'job_last_duration_seconds');
  const route = bounded();
  const endpoint = bounded();
  const statement = bounded();
  return {
    registry,
    httpRequest({ method, status, seconds, ...request }) {
      const labels = {
        route: route(request.route),
        method: methods.has(method) ? method : 'other',
      };
      requests.observe({ ...labels, status: statusClass(status) }, seconds);
    },
    tokenIssued: ({ grantType, tokenType }) =>
      issued.inc({ grant_type: grantType, token_type: tokenType }),
    refreshOverlapAbsorbed: () => overlaps.inc(),
    requestRefused: ({ error, ...request }) =>
      refused.inc({ endpoint: endpoint(request.endpoint), error }),
    clientDocumentFetched: (outcome) => documents.inc({ outcome }),
    signIn: (outcome) => signIns.inc({ outcome }),
    claimsHookCalled: (outcome) => claimsHooks.inc({ outcome }),
    jobRan({ job, outcome, at, seconds, rows }) {
      jobRuns.inc({ job, outcome });
      jobDuration.set({ job }, seconds);
      if (outcome === 'failed') return;
      jobRows.inc({ job }, rows);
      jobSuccess.set({ job }, at.getTime() / 1000);
    },
    async refusals() {
      const { values } = await refused.get();
      return values.map(({ labels, value }) => ({
        endpoint: String(labels.endpoint),
        error: String(labels.error),
        count: value,
      }));
    },
    query: ({ name, milliseconds }) =>
      queries.observe({ statement: statement(name) }, milliseconds / 1000),
    expose: async () => ({ contentType: registry.contentType, body: await ofAll() }),
  };
}

function counter(registry: Registry, name: MetricName): Counter {
  const { help, labels } = metricDefinitions[name];
  return new Counter({
    name: metricPrefix + name,
    help,
    labelNames: Object.keys(labels),
    registers: [registry],
  });
}

function gauge(registry: Registry, name: MetricName): Gauge {
  const { help, labels } = metricDefinitions[name];
  return new Gauge({
    name: metricPrefix + name,
    help,
    labelNames: Object.keys(labels),
    aggregator: 'max', // of several processes behind one listener
    registers: [registry],
  });
}

function histogram(
  registry: Registry,
  name: 'http_request_duration_seconds' | 'db_query_duration_seconds',
): Histogram {
  const { help, labels, buckets } = metricDefinitions[name];
  return new Histogram({
    name: metricPrefix + name,
    help,
    labelNames: Object.keys(labels),
    buckets: [...buckets],
    registers: [registry],
  });
}

/** Keeps a label's values few even if a caller passes requested paths: memory must not grow with them. */
function bounded(): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.size < mostLabelValues) known.add(value);
    return known.has(value) ? value : 'other';
  };
}

function statusClass(status: number): string {
  return status >= 100 && status < 600 ? `${Math.floor(status / 100)}xx` : 'other';
}
