import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Database, Tables } from '../db/index.ts';
import { type CountingState, type CountingTask, hourOf, nextCounting } from './hourly-policy.ts';
import { addActive, addEvents, clearEvents, firstEvent } from './hourly-queries.ts';

const marker = 'stats_hourly';
const oldest = 100 * 86_400_000; // milliseconds; what is older is shown nowhere
const hour = 3_600_000;
const stored = z.object({ counted: z.coerce.date(), closed: z.coerce.date() });

/**
 * Counts one further piece of the audit log into `stats_hourly`, with the mark of how far it is in the same
 * transaction: however often, and on however many replicas, it runs, every event counts once.
 *
 * @param now the same for all calls of one run: a later one finds new events each time
 * @returns until when is counted, or undefined when there is nothing left to do
 */
export function countEvents(
  { kysely }: Pick<Database, 'kysely'>,
  now: Date,
): Promise<Date | undefined> {
  return kysely.transaction().execute(async (trx) => {
    const task = nextCounting(await lockState(trx, now), now);
    if (!task) return undefined;
    await perform(trx, task);
    await trx
      .updateTable('settings')
      .set({ value: JSON.stringify(task.next), updated_at: now })
      .where('name', '=', marker)
      .execute();
    return task.next.counted;
  });
}

/** Until when events are counted; undefined before the first time. */
export async function countedUntil(db: Pick<Database, 'kysely'>): Promise<Date | undefined> {
  const row = await db.kysely
    .selectFrom('settings')
    .select('value')
    .where('name', '=', marker)
    .executeTakeFirst();
  return row && stored.parse(JSON.parse(row.value)).counted;
}

async function perform(trx: Kysely<Tables>, task: CountingTask): Promise<void> {
  if (task.do === 'add') {
    await addEvents(trx, task);
    await addActive(trx, task);
    return;
  }
  await clearEvents(trx, task.hour);
  await addEvents(trx, { from: task.hour, to: new Date(task.hour.getTime() + hour) });
}

async function lockState(trx: Kysely<Tables>, now: Date): Promise<CountingState> {
  const first = () => firstEvent(trx, new Date(now.getTime() - oldest));
  const read = () =>
    trx
      .selectFrom('settings')
      .select('value')
      .where('name', '=', marker)
      .forUpdate()
      .executeTakeFirst();
  const row = await read();
  if (row) return stored.parse(JSON.parse(row.value));
  const begin = hourOf((await first()) ?? now);
  const value = JSON.stringify({ counted: begin, closed: begin });
  await trx
    .insertInto('settings')
    .values({ name: marker, value, updated_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  return stored.parse(JSON.parse((await read())?.value ?? value));
}
