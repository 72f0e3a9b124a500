import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createMetrics } from './index.ts';
import { metricDefinitions, metricPrefix } from './metric-definitions.ts';

const file = new URL('../../docs/grafana/authserver.json', import.meta.url);
const dashboard: { panels: { id: number; targets: { expr: string }[] }[] } = JSON.parse(
  readFileSync(file, 'utf8'),
);
const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

test('the Grafana dashboard asks only for metrics that exist, and for every one of ours', async () => {
  const { registry } = createMetrics();
  const known = new Set(registry.getMetricsAsArray().map(({ name }) => name));
  const named = [...expressions.join(' ').matchAll(/authserver_\w+/g)].map(([name]) => name);
  const used = new Set(
    named.map((name) => (known.has(name) ? name : name.replace(/_(bucket|count|sum)$/, ''))),
  );
  expect([...used].filter((name) => !known.has(name))).toEqual([]);
  const unused = Object.entries(metricDefinitions)
    .map(([name]) => metricPrefix + name)
    .filter((name) => !used.has(name) && !name.endsWith('_last_duration_seconds'));
  expect(unused).toEqual([]);
});

test('it asks for no label that a metric does not have', () => {
  for (const expression of expressions) {
    const [, name = ''] = /authserver_(\w+?)(?:_bucket|_count)?(?=[[{)])/.exec(expression) ?? [];
    const definition = Object.entries(metricDefinitions).find(([known]) => known === name)?.[1];
    const [, grouped = ''] = /by \(([^)]*)\)/.exec(expression) ?? [];
    const labels = grouped.split(/,\s*/).filter((label) => !['', 'le', 'instance'].includes(label));
    const has = Object.keys(definition?.labels ?? {});
    expect(
      labels.filter((label) => !has.includes(label)),
      expression,
    ).toEqual([]);
  }
});
