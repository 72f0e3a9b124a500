import { SegmentedControl } from '@mantine/core';
import { useSearchParams } from 'react-router';
import { useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { BarChart } from '../../parts/chart/BarChart.tsx';
import { Loaded } from '../../parts/Loaded.tsx';
import { Columns, Rows } from '../../parts/layout.tsx';
import { PageHeader } from '../../parts/PageHeader.tsx';
import { Attention } from './Attention.tsx';
import { Failures } from './Failures.tsx';
import { GettingStarted } from './GettingStarted.tsx';
import { NewestGrants } from './NewestGrants.tsx';
import styles from './overview.module.css';
import { isRange, type Range, spanOf } from './range.ts';
import { Stats } from './Stats.tsx';

type Overview = Answer<'stats', 'overview'>;

const ranges: { value: Range; label: string }[] = [
  { value: 'day', label: '24 hours' },
  { value: 'week', label: '7 days' },
  { value: 'month', label: '30 days' },
];

/** What needs the operator, then how much happens here. */
export default function OverviewPage() {
  const [params, setParams] = useSearchParams();
  const wanted = params.get('range');
  const range = isRange(wanted) ? wanted : 'day';
  const query = useAnswer(
    'stats',
    'overview',
    { query: spanOf(range, new Date()) },
    { refetchInterval: 60_000, keep: true },
  );
  return (
    <>
      <PageHeader title="Overview">
        <SegmentedControl
          aria-label="Time span"
          value={range}
          onChange={(value) => setParams(value === 'day' ? {} : { range: value })}
          data={ranges}
        />
      </PageHeader>
      <Loaded query={query}>{(overview) => <Content overview={overview} />}</Loaded>
    </>
  );
}

function Content({ overview }: { overview: Overview }) {
  const { getting_started, attention, times, step } = overview;
  const chart = (label: string, series: readonly { label: string; values: number[] }[]) => (
    <BarChart label={label} times={times} step={step} series={series} />
  );
  return (
    <Rows>
      {!getting_started.done && <GettingStarted steps={getting_started.steps} />}
      {attention.length > 0 && <Attention items={attention} />}
      <Stats overview={overview} />
      <div className={styles.wide}>
        <Card title="Tokens by grant" hint={`per ${step}`}>
          {chart('Tokens by grant', overview.tokens_issued.series)}
        </Card>
        <Card title="Why requests were refused">
          <Failures metric={overview.failures} />
        </Card>
      </div>
      <Columns>
        <Card title="Sign-ins" hint={`per ${step}`}>
          {chart('Sign-ins', overview.sign_ins.series)}
        </Card>
        <Card title="Active people" hint={`distinct per ${step}`}>
          {chart('Active people', [{ label: 'people', values: overview.active_people.values }])}
        </Card>
        <Card title="Active clients" hint={`distinct per ${step}`}>
          {chart('Active clients', [{ label: 'clients', values: overview.active_clients.values }])}
        </Card>
        <Card title="Refresh races absorbed" hint={`per ${step}`}>
          {chart('Refresh races absorbed', named(overview.refresh_overlaps.series, 'absorbed'))}
        </Card>
      </Columns>
      <NewestGrants />
    </Rows>
  );
}

function named(series: readonly { label: string; values: number[] }[], label: string) {
  return series.map((one) => ({ ...one, label: one.label || label }));
}
