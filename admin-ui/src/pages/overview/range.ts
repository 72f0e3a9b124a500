export type Range = 'day' | 'week' | 'month';

export const isRange = (value: string | null): value is Range =>
  value === 'day' || value === 'week' || value === 'month';

const hour = 3_600_000;
const lengths = { week: 7 * 24 * hour, month: 30 * 24 * hour };

/** What the API is asked for a span that ends now; whole hours, so that an answer can be kept. */
export function spanOf(range: Range, now: Date): { from?: string; step: 'hour' | 'day' } {
  if (range === 'day') return { step: 'hour' };
  const begin = Math.floor(now.getTime() / hour) * hour - lengths[range];
  return { from: new Date(begin).toISOString(), step: range === 'week' ? 'hour' : 'day' };
}
