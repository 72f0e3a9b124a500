export const metricPrefix = 'authserver_';

/** Every metric of our own: docs/metrics.md is generated from this table. */
export const metricDefinitions = {
  http_request_duration_seconds: {
    type: 'histogram',
    help: 'How long HTTP requests took.',
    labels: {
      route: 'the pattern of the route, `unmatched` for unknown paths',
      method: 'the HTTP method, `other` for unusual ones',
      status: '`2xx`, `3xx`, `4xx` or `5xx`',
    },
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  tokens_issued_total: {
    type: 'counter',
    help: 'Access tokens issued.',
    labels: {
      grant_type: 'the grant that bought the token',
      token_type: '`Bearer` or `DPoP`',
    },
  },
  refresh_overlaps_absorbed_total: {
    type: 'counter',
    help: 'Repeated uses of a refresh token within oauth.refresh_overlap that got the same successor instead of ending the family.',
    labels: {},
  },
  requests_refused_total: {
    type: 'counter',
    help: 'Requests refused with an OAuth error.',
    labels: { endpoint: 'the pattern of the route', error: 'the error code' },
  },
  client_documents_total: {
    type: 'counter',
    help: 'Client metadata documents that were looked up.',
    labels: {
      outcome:
        '`fetched`; `cached`: it was still fresh; `failed`; `failed_cached`: it failed within the last minute and was left alone',
    },
  },
  sign_ins_total: {
    type: 'counter',
    help: 'Attempts to sign in.',
    labels: { outcome: '`succeeded`, `invalid`, `locked` or `disabled`' },
  },
  claims_hook_calls_total: {
    type: 'counter',
    help: 'Questions to claims hooks (`resources[].claims_hook`).',
    labels: {
      outcome:
        '`answered`, `timeout`, `unreachable`, `bad_status`, `unusable_answer`, `resting` or `unreadable_secret`',
    },
  },
  job_runs_total: {
    type: 'counter',
    help: 'Runs of background jobs on this replica.',
    labels: { job: 'the name of the job', outcome: '`succeeded` or `failed`' },
  },
  job_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When a job last succeeded on this replica (Unix time). One replica at a time runs a job: take the maximum over all of them.',
    labels: { job: 'the name of the job' },
  },
  job_last_duration_seconds: {
    type: 'gauge',
    help: 'How long the last run of a job on this replica took.',
    labels: { job: 'the name of the job' },
  },
  job_rows_total: {
    type: 'counter',
    help: 'Rows that jobs of this replica removed or changed, such as expired tokens and old records.',
    labels: { job: 'the name of the job' },
  },
  db_query_duration_seconds: {
    type: 'histogram',
    help: 'How long database round trips took; the count is the number of round trips.',
    labels: { statement: 'the name of the prepared statement, `kysely` for all others' },
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
  },
} as const;

export type MetricName = keyof typeof metricDefinitions;
