const hour = 3_600_000;

/** Up to when events are counted, and the first hour that may still change. */
export interface CountingState {
  readonly counted: Date;
  readonly closed: Date;
}

/** One piece of work; both kinds lie within one hour. */
export type CountingTask =
  | { readonly do: 'add'; readonly from: Date; readonly to: Date; readonly next: CountingState }
  | { readonly do: 'recount'; readonly hour: Date; readonly next: CountingState };

/** An event is in the table this long after its time, in milliseconds: its transaction has ended by then. */
const lag = 15_000;
/** So long after its end an hour is counted anew and closed: what came later than that is not counted. */
const closesAfter = 5 * 60_000;

/**
 * What is to be counted next, or undefined when there is nothing yet. New events are added soon; an hour
 * that has ended is counted once more from the beginning, so that late ones are in it too.
 */
export function nextCounting(
  { counted, closed }: CountingState,
  now: Date,
): CountingTask | undefined {
  const until = new Date(Math.min(now.getTime() - lag, hourOf(counted).getTime() + hour));
  if (until > counted) {
    const isWhole =
      counted.getTime() === closed.getTime() && until.getTime() === closed.getTime() + hour;
    const isClosed = isWhole && isOver(closed, now);
    const next = { counted: until, closed: isClosed ? until : closed };
    return { do: 'add', from: counted, to: until, next };
  }
  const end = new Date(closed.getTime() + hour);
  if (!isOver(closed, now) || counted < end) return undefined;
  return { do: 'recount', hour: closed, next: { counted, closed: end } };
}

function isOver(begin: Date, now: Date): boolean {
  return begin.getTime() + hour + closesAfter <= now.getTime();
}

/** The beginning of the hour (UTC). */
export function hourOf(time: Date): Date {
  return new Date(Math.floor(time.getTime() / hour) * hour);
}

/** The beginning of the day (UTC). */
export function dayOf(time: Date): Date {
  return new Date(Math.floor(time.getTime() / (24 * hour)) * 24 * hour);
}
