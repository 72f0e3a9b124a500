import type { EventFilters } from '../audit/index.ts';

/** `from` and `to` of a query as times. */
export function spanOf({
  from,
  to,
}: {
  from?: string | undefined;
  to?: string | undefined;
}): Pick<EventFilters, 'from' | 'to'> {
  return {
    from: from === undefined ? undefined : new Date(from),
    to: to === undefined ? undefined : new Date(to),
  };
}
