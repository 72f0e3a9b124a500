import type { Contender } from './contenders.ts';
import { type Round, timed } from './measure.ts';
import { createServiceDriver, type Service, services } from './services.ts';

/** One server and what it has shown of each service that it has. */
export interface ServiceEntry {
  name: string;
  contender: Contender;
  /** A plain oidc-provider neither introspects JWTs nor exchanges tokens. */
  has: readonly Service[];
  rounds: Partial<Record<Service, Round[]>>;
  trips: Partial<Record<Service, number>>;
}

/** An entry of which nothing has been measured yet. */
export function serviceEntry(
  name: string,
  contender: Contender,
  has: readonly Service[] = services,
): ServiceEntry {
  return { name, contender, has, rounds: {}, trips: {} };
}

/** The entries take turns at each service, and the first of one turn is the last of the next. */
export async function measureServices(
  entries: ServiceEntry[],
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<void> {
  const drivers = new Map(
    await Promise.all(
      entries.map(async (entry) => [entry, await createServiceDriver(entry.contender)] as const),
    ),
  );
  for (const service of services) {
    const taking = entries.filter(({ has }) => has.includes(service));
    for (const entry of taking) await drivers.get(entry)?.run(service, seconds / 4); // warm up
    for (let round = 0; round < rounds; round += 1) {
      for (const entry of round % 2 === 0 ? taking : taking.toReversed()) {
        const driver = drivers.get(entry);
        if (!driver) continue;
        const done = await timed(entry, () => driver.run(service, seconds));
        entry.rounds[service] = [...(entry.rounds[service] ?? []), done];
      }
    }
  }
  for (const driver of drivers.values()) await driver.close();
}

const counted = 50;

/** Database round trips of one request of each service, counted one request at a time. */
export async function countServiceTrips(entry: ServiceEntry, take: () => number): Promise<void> {
  const driver = await createServiceDriver(entry.contender);
  for (const service of entry.has) {
    await driver.times(service, 5); // the first requests fill caches
    take();
    await driver.times(service, counted);
    entry.trips[service] = take() / counted;
  }
  await driver.close();
}
