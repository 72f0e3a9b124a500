import type { Contender } from './contenders.ts';
import type { Driver, Timed } from './driver.ts';

/** One server under load and what it has shown so far. */
export interface Entry {
  name: string;
  contender: Contender;
  driver: Driver;
  refresh: Round[];
  exchange: Round[];
}

export interface Round {
  perSecond: number;
  /** Milliseconds of the server's processor time for one request. */
  cpu?: number | undefined;
  /** Share of its core that the server kept busy, 0 to 1. */
  busy?: number | undefined;
}

export interface Plan {
  rounds: number;
  /** Seconds of one round of refreshes. */
  seconds: number;
  /** Rounds of code exchanges. */
  codeRounds: number;
  /** Most codes in one round. */
  codes: number;
  /** Most seconds to prepare them. */
  preparation: number;
}

/** The entries take turns, and the first of one turn is the last of the next. */
export async function measure(entries: Entry[], plan: Plan): Promise<void> {
  for (const entry of entries) await entry.driver.refresh(plan.seconds / 4); // warm up
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const entry of inTurn(entries, round)) {
      entry.refresh.push(await timed(entry, () => entry.driver.refresh(plan.seconds)));
    }
  }
  for (let round = 0; round < plan.codeRounds; round += 1) {
    for (const entry of inTurn(entries, round)) {
      const codes = await entry.driver.prepareCodes(plan.codes, plan.preparation);
      entry.exchange.push(await timed(entry, () => entry.driver.exchange(codes)));
    }
  }
}

function inTurn(entries: Entry[], round: number): Entry[] {
  return round % 2 === 0 ? entries : entries.toReversed();
}

/** Does some work and says how fast the server was and what it cost it. */
export async function timed(
  { contender }: { contender: Contender },
  work: () => Promise<Timed>,
): Promise<Round> {
  const before = contender.cpuSeconds();
  const { count, seconds } = await work();
  const after = contender.cpuSeconds();
  const used = before === undefined || after === undefined ? undefined : after - before;
  return {
    perSecond: count / seconds,
    cpu: used === undefined ? undefined : (used / count) * 1000,
    busy: used === undefined ? undefined : used / seconds,
  };
}

const counted = 50;

export interface RoundTrips {
  refresh: number;
  exchange: number;
}

/** Database round trips of one request, counted one request at a time. */
export async function countRoundTrips(driver: Driver, take: () => number): Promise<RoundTrips> {
  const codes = await driver.prepareCodes(counted, 30);
  await driver.refreshTimes(5); // the first requests fill caches
  take();
  await driver.refreshTimes(counted);
  const refresh = take() / counted;
  await driver.exchange(codes);
  return { refresh, exchange: take() / codes.length };
}
