const unitSeconds = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
]);

/** One or more numbers with a unit: `30s`, `15m`, `168h`, `90d`, `1h30m`. */
export const durationPattern = /^(?:[0-9]{1,9}[smhd])+$/;

/** @returns whole seconds, or undefined when the text is no duration */
export function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)([smhd])/g)) {
    seconds += Number(count) * (unitSeconds.get(unit ?? '') ?? 0);
  }
  return seconds;
}

/**
 * Writes seconds in the largest unit that says them exactly.
 *
 * @param seconds a whole number of seconds
 */
export function formatDuration(seconds: number): string {
  for (const [unit, size] of [...unitSeconds].reverse()) {
    if (seconds >= size && seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}
