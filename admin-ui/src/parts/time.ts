const units: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exact = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
});

/** `2 minutes ago`, `in 3 days`, `just now`. */
export function relativeTime(time: Date, now: Date): string {
  const seconds = (time.getTime() - now.getTime()) / 1000;
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? [];
  if (!unit || !size) return seconds > 0 ? 'in moments' : 'just now';
  return relative.format(Math.trunc(seconds / size), unit);
}

/** `21 Nov 2026, 09:14:07 CET` */
export const exactTime = (time: Date): string => exact.format(time);

const lengths: readonly [string, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** A length of time in its largest unit that divides it: `7 days`, `90 minutes`. */
export function duration(seconds: number): string {
  const [name, size] = lengths.find(
    ([, length]) => seconds >= length && seconds % length === 0,
  ) ?? ['second', 1];
  const count = Math.round(seconds / size);
  return `${count.toLocaleString('en')} ${name}${count === 1 ? '' : 's'}`;
}
