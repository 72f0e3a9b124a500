import { expect, test } from 'vitest';
import { monthsAhead } from './policy.ts';

test.each([
  ['2026-01-31T23:59:59Z', 'audit_events_2026_01', 'audit_events_2026_02'],
  ['2026-12-01T00:00:00Z', 'audit_events_2026_12', 'audit_events_2027_01'],
  ['2028-02-29T12:00:00Z', 'audit_events_2028_02', 'audit_events_2028_03'],
])('at %s the months are %s and %s', (now, first, second) => {
  const [current, next] = monthsAhead(new Date(now));
  expect([current?.name, next?.name]).toEqual([first, second]);
  expect(current?.to).toBe(next?.from);
});
