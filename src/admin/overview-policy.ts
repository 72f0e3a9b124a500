import type { StatsRow } from '../audit/index.ts';
import { OAuthError } from '../oauth/index.ts';

type Step = 'hour' | 'day';

const hour = 3_600_000;
const lengths = { hour, day: 24 * hour };
/** So many steps are shown unless told, and at most. */
const usual = 24;
const most = { hour: 14 * 24, day: 100 };

export interface Period {
  readonly from: Date;
  /** Exclusive: the end of the last step. */
  readonly to: Date;
}

/**
 * The whole steps that were asked for.
 *
 * @throws OAuthError invalid_request for none or too many of them
 */
export function periodOf(
  asked: { from?: string | undefined; to?: string | undefined; step: Step },
  now: Date,
): Period & { isCurrent: boolean; times: Date[] } {
  const length = lengths[asked.step];
  const end = asked.to === undefined ? now.getTime() : Date.parse(asked.to);
  const to = Math.ceil(end / length) * length;
  const begin = asked.from === undefined ? to - usual * length : Date.parse(asked.from);
  const from = Math.floor(begin / length) * length;
  const count = (to - from) / length;
  if (count < 1) throw new OAuthError('invalid_request', 'from has to be before to.');
  if (count > most[asked.step]) {
    throw new OAuthError(
      'invalid_request',
      `from and to are ${count} ${asked.step}s apart; ${most[asked.step]} are shown at most. Choose a shorter time or step=day.`,
    );
  }
  const times = Array.from({ length: count }, (_, index) => new Date(from + index * length));
  return { from: new Date(from), to: new Date(to), isCurrent: to > now.getTime(), times };
}

/** The time of equal length before it. */
export function periodBefore({ from, to }: Period): Period {
  return { from: new Date(2 * from.getTime() - to.getTime()), to: from };
}

export interface Series {
  label: string;
  total: number;
  values: number[];
}

/** The counts of one metric as series over the steps, most first; labels are written as they are shown. */
export function seriesOf(
  rows: readonly StatsRow[],
  metric: string,
  times: readonly Date[],
): Series[] {
  const places = new Map(times.map((time, index) => [time.getTime(), index]));
  const found = new Map<string, Series>();
  for (const { at, label, count } of rows.filter((row) => row.metric === metric)) {
    const index = places.get(at.getTime());
    if (index === undefined) continue;
    const series = found.get(label) ?? { label, total: 0, values: times.map(() => 0) };
    found.set(label, series);
    series.values[index] = (series.values[index] ?? 0) + count;
    series.total += count;
  }
  return [...found.values()].toSorted((a, b) => b.total - a.total || (a.label < b.label ? -1 : 1));
}
