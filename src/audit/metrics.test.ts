import { expect, test } from 'vitest';
import { createMetrics } from './index.ts';
import { metricDefinitions, metricPrefix } from './metric-definitions.ts';

test('every metric has the one prefix and every documented metric exists', async () => {
  const { registry } = createMetrics();
  const names = registry.getMetricsAsArray().map((metric) => metric.name);
  expect(names.filter((name) => !name.startsWith(metricPrefix))).toEqual([]);
  const documented = Object.keys(metricDefinitions).map((name) => metricPrefix + name);
  expect(names).toEqual(expect.arrayContaining(documented));
});

test('what rooms report is exposed under closed labels', async () => {
  const metrics = createMetrics();
  metrics.httpRequest({ route: '/oauth/token', method: 'POST', status: 200, seconds: 0.004 });
  metrics.httpRequest({ route: 'unmatched', method: 'PROPFIND', status: 404, seconds: 0.004 });
  metrics.tokenIssued({ grantType: 'authorization_code', tokenType: 'DPoP' });
  metrics.refreshOverlapAbsorbed();
  metrics.requestRefused({ endpoint: '/oauth/token', error: 'invalid_grant' });
  metrics.clientDocumentFetched('failed_cached');
  metrics.signIn('invalid');
  metrics.query({ name: 'kysely', milliseconds: 3 });
  const at = new Date('2026-01-01T00:00:00Z');
  metrics.jobRan({ job: 'sweep', outcome: 'succeeded', at, seconds: 2, rows: 7 });
  metrics.jobRan({ job: 'sweep', outcome: 'failed', at: new Date(), seconds: 1, rows: 0 });
  const { contentType, body } = await metrics.expose();
  expect(contentType).toMatch(/^text\/plain/);
  for (const line of [
    'authserver_http_request_duration_seconds_count{route="/oauth/token",method="POST",status="2xx"} 1',
    'authserver_http_request_duration_seconds_count{route="unmatched",method="other",status="4xx"} 1',
    'authserver_tokens_issued_total{grant_type="authorization_code",token_type="DPoP"} 1',
    'authserver_refresh_overlaps_absorbed_total 1',
    'authserver_requests_refused_total{endpoint="/oauth/token",error="invalid_grant"} 1',
    'authserver_client_documents_total{outcome="failed_cached"} 1',
    'authserver_sign_ins_total{outcome="invalid"} 1',
    'authserver_job_runs_total{job="sweep",outcome="failed"} 1',
    'authserver_job_rows_total{job="sweep"} 7',
    'authserver_job_last_success_timestamp_seconds{job="sweep"} 1767225600',
    'authserver_job_last_duration_seconds{job="sweep"} 1',
    'authserver_db_query_duration_seconds_bucket{le="0.005",statement="kysely"} 1',
  ]) {
    expect(body.split('\n').map(sortLabels)).toContain(sortLabels(line));
  }
});

test('requested paths MUST NOT grow the registry without end', async () => {
  const metrics = createMetrics();
  for (let i = 0; i < 1000; i += 1)
    metrics.requestRefused({ endpoint: `/login/${i}`, error: 'invalid_request' });
  const lines = (await metrics.expose()).body.split('\n');
  const series = lines.filter((line) => line.startsWith('authserver_requests_refused_total{'));
  expect(series).toHaveLength(201);
  expect(series.some((line) => line.includes('"other"') && line.endsWith(' 800'))).toBe(true);
});

test('two apps in one process do not share a registry', async () => {
  const one = createMetrics();
  const other = createMetrics();
  one.refreshOverlapAbsorbed();
  expect((await other.expose()).body).toContain('authserver_refresh_overlaps_absorbed_total 0');
});

function sortLabels(line: string): string {
  return line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(',').sort().join(',')}}`);
}
