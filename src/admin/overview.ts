import type { z } from 'zod';
import { countedUntil, createStats, type Stats, type StatsRow } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import type { activity, metric } from './contract/stats.ts';
import { type Period, periodBefore, type periodOf, seriesOf } from './overview-policy.ts';

type Asked = ReturnType<typeof periodOf>;

/** Every chart of the first page; reads hourly counts only. */
export async function chartsOf(db: Database, asked: Asked, step: 'hour' | 'day') {
  const stats = createStats(db);
  const rows = (await stats.read(asked, step)).map(withDenials);
  const before = await stats.sums(periodBefore(asked));
  const previous = (...names: string[]) =>
    names.reduce((sum, name) => sum + (before.get(name) ?? 0), 0);
  const chart = (name: string, count = previous(name)): z.input<typeof metric> => {
    const series = seriesOf(rows, name, asked.times);
    return { total: series.reduce((sum, one) => sum + one.total, 0), previous: count, series };
  };
  return {
    tokens_issued: chart('tokens_issued'),
    failures: chart('failures', previous('failures', 'denials')),
    sign_ins: chart('sign_ins'),
    refresh_overlaps: chart('refresh_overlaps'),
    registrations: chart('registrations'),
    active_clients: await activityOf(stats, 'client', { rows, asked, step }),
    active_people: await activityOf(stats, 'person', { rows, asked, step }),
    counted_until: (await countedUntil(db))?.toISOString() ?? null,
  };
}

/** To refuse consent is one more way in which a connection fails. */
function withDenials(row: StatsRow): StatsRow {
  return row.metric === 'denials' ? { ...row, metric: 'failures', label: 'consent denied' } : row;
}

async function activityOf(
  stats: Stats,
  kind: 'client' | 'person',
  { rows, asked, step }: { rows: StatsRow[]; asked: Asked; step: 'hour' | 'day' },
): Promise<z.input<typeof activity>> {
  const name = step === 'hour' ? `active_${kind}` : `active_${kind}_day`;
  const [series] = seriesOf(rows, name, asked.times);
  const total = asked.isCurrent ? await stats.activeSince(kind, asked.from) : null;
  return { total, values: series?.values ?? asked.times.map(() => 0) };
}

/** What the counts say about the last day, for what needs attention. */
export async function lastDay(db: Database, now: Date) {
  const stats = createStats(db);
  const period = (hours: number, until = now): Period => ({
    from: new Date(until.getTime() - hours * 3_600_000),
    to: until,
  });
  const day = await stats.read(period(25), 'day');
  const sum = (metricName: string, label?: string) =>
    day
      .filter((row) => row.metric === metricName && (label === undefined || row.label === label))
      .reduce((total, row) => total + row.count, 0);
  const latest = await stats.sums(period(2));
  return {
    thefts: sum('reuses', 'possible_theft'),
    lockouts: sum('lockouts'),
    registrations: sum('registrations'),
    latestRegistrations: latest.get('registrations') ?? 0,
  };
}
