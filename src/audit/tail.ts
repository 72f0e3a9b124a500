import type { BaseLogger } from 'pino';
import type { Database } from '../db/index.ts';
import { type ChainPlace, selectSettledEnd } from './chain-queries.ts';
import type { EventFilters } from './filters.ts';
import { followEvents, type ListedEvent } from './listing.ts';

export interface TailDeps {
  db: Pick<Database, 'kysely'>;
  log: Pick<BaseLogger, 'error'>;
  /** Milliseconds from one look to the next. Default 1000. */
  every?: number;
}

type Listener = (event: ListedEvent) => void;

/** Those who follow at the same time, of one process. */
export const mostListeners = 20;
/** Events that one look takes. */
const mostAtOnce = 500;

/** Follows what happens, for as many as {@link mostListeners}: one look serves them all. */
export function createTail({ db, log, every = 1000 }: TailDeps) {
  const listeners = new Map<symbol, { filters: EventFilters; hear: Listener }>();
  let place: ChainPlace | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    place ??= await selectSettledEnd(db.kysely);
    const events = await followEvents(db.kysely, place, mostAtOnce);
    for (const event of events) {
      place = { txn: event.txn, id: event.number };
      for (const { filters, hear } of listeners.values()) {
        if (matches(filters, event)) hear(event);
      }
    }
  }

  /** The next look begins when this one is over; without listeners there is none. */
  function schedule(): void {
    timer = setTimeout(async () => {
      await look().catch((err) => log.error({ err }, 'the audit log could not be followed'));
      if (listeners.size > 0) schedule();
      else stop();
    }, every);
    timer.unref();
  }

  function stop(): void {
    clearTimeout(timer);
    timer = undefined;
    place = undefined;
  }

  return {
    /**
     * Hears every event that becomes visible from now on, in the order of sealing.
     *
     * @returns how to stop; undefined when too many follow already
     */
    async follow(filters: EventFilters, hear: Listener): Promise<(() => void) | undefined> {
      if (listeners.size >= mostListeners) return undefined;
      const key = Symbol('listener');
      listeners.set(key, { filters, hear });
      if (!timer) {
        schedule();
        const end = await selectSettledEnd(db.kysely).catch(() => undefined);
        place ??= end;
      }
      return () => void listeners.delete(key);
    },
    close: () => {
      listeners.clear();
      stop();
    },
  };
}

export type Tail = ReturnType<typeof createTail>;

const compared = [
  ...(['actor_kind', 'actor_id', 'client_id', 'user_id', 'resource', 'trace_id', 'ip'] as const),
];

/** Whether an event passes; `from` and `to` are not looked at. */
export function matches(filters: EventFilters, event: ListedEvent): boolean {
  if (filters.type && !filters.type.includes(event.type)) return false;
  return compared.every((name) => filters[name] === undefined || filters[name] === event[name]);
}
