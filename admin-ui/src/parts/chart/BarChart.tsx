import { useState } from 'react';
import styles from './chart.module.css';

export interface Series {
  label: string;
  values: readonly number[];
}

const colours = ['accent', 'good', 'warn', 'muted', 'bad', 'line-strong'];
const rest = colours.length - 1;
/** Words that have a colour of their own everywhere. */
const meant: Readonly<Record<string, string>> = { succeeded: 'good', failed: 'bad' };
const colourOf = (label: string, index: number) => meant[label] ?? colours[index] ?? 'muted';

/** Counts over time as stacked bars, with the numbers of a step on hover and as a table for screen readers. */
export function BarChart({
  label,
  times,
  step,
  series,
}: {
  label: string;
  times: readonly string[];
  step: 'hour' | 'day';
  series: readonly Series[];
}) {
  const [at, setAt] = useState<number>();
  const shown = fold(series);
  const sums = times.map((_, index) =>
    shown.reduce((sum, { values }) => sum + (values[index] ?? 0), 0),
  );
  const top = niceTop(Math.max(...sums, 0));
  const name = formatter(step === 'hour' ? { ...clock, ...date } : date);
  const axis = formatter(step === 'hour' && times.length <= 48 ? clock : date);
  return (
    <figure className={styles.figure}>
      <figcaption className={styles.legend}>
        {shown.map(({ label: title, values }, index) => (
          <span key={title} data-colour={colourOf(title, index)}>
            {title}
            {at !== undefined && <b> {(values[at] ?? 0).toLocaleString('en')}</b>}
          </span>
        ))}
        {at !== undefined && <b className={styles.at}>{name(times[at])}</b>}
      </figcaption>
      <div className={styles.plot} aria-hidden="true" onMouseLeave={() => setAt(undefined)}>
        <span className={styles.top}>{top.toLocaleString('en')}</span>
        <svg
          viewBox={`0 0 ${times.length} 100`}
          preserveAspectRatio="none"
          className={styles.bars}
          role="img"
          aria-label={label}
        >
          {times.map((time, index) => (
            <Bar
              key={time}
              x={index}
              parts={shown.map(({ label: title, values }, which) => ({
                value: values[index] ?? 0,
                colour: colourOf(title, which),
              }))}
              top={top}
              active={index === at}
              onEnter={() => setAt(index)}
            />
          ))}
        </svg>
      </div>
      <div className={styles.axis} aria-hidden="true">
        {ticks(times).map((time) => (
          <span key={time}>{axis(time)}</span>
        ))}
      </div>
      <Numbers label={label} times={times.map(name)} series={shown} />
    </figure>
  );
}

function Bar({
  x,
  parts,
  top,
  active,
  onEnter,
}: {
  x: number;
  parts: readonly { value: number; colour: string }[];
  top: number;
  active: boolean;
  onEnter: () => void;
}) {
  let y = 100;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the numbers are in a table for who cannot hover
    <g onMouseEnter={onEnter} opacity={active ? 0.75 : 1}>
      <rect x={x} y="0" width="1" height="100" fill="transparent" />
      {parts.map(({ value, colour }, index) => {
        const height = (value / top) * 100;
        y -= height;
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: the order of the series is their identity
            key={index}
            x={x + 0.12}
            y={y}
            width="0.76"
            height={height}
            fill={`var(--${colour})`}
          />
        );
      })}
    </g>
  );
}

/** At most as many series as there are colours; what is left is one series. */
function fold(series: readonly Series[]): readonly Series[] {
  if (series.length <= colours.length) return series;
  const others = series.slice(rest);
  const values = (others[0]?.values ?? []).map((_, index) =>
    others.reduce((sum, one) => sum + (one.values[index] ?? 0), 0),
  );
  return [...series.slice(0, rest), { label: 'others', values }];
}

function niceTop(most: number): number {
  if (most <= 5) return 5;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((top) => top >= most) ?? most;
}

function ticks(times: readonly string[]): readonly string[] {
  const every = Math.max(1, Math.ceil(times.length / 6));
  return times.filter((_, index) => index % every === 0);
}

const clock = { hour: '2-digit', minute: '2-digit' } as const;
const date = { day: 'numeric', month: 'short' } as const;

function formatter(options: Intl.DateTimeFormatOptions) {
  const format = new Intl.DateTimeFormat('en-GB', options);
  return (time: string | undefined) => (time ? format.format(new Date(time)) : '');
}

function Numbers({
  label,
  times,
  series,
}: {
  label: string;
  times: readonly string[];
  series: readonly Series[];
}) {
  return (
    <div className="visually-hidden">
      <table>
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map((one) => (
              <th key={one.label} scope="col">
                {one.label || 'Count'}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times.map((time, index) => (
            <tr key={time}>
              <th scope="row">{time}</th>
              {series.map((one) => (
                <td key={one.label}>{one.values[index] ?? 0}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
