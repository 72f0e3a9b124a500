import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Contender, type StartOptions, startNaive, startOurs } from './contenders.ts';
import { createDriver } from './driver.ts';
import { countRoundTrips, type Entry, measure, type Plan, type RoundTrips } from './measure.ts';
import { type Cores, pinDriver } from './pinned-process.ts';
import { type PostgresServer, query, startPostgres } from './postgres.ts';
import { type Line, type Report, section, writeSection } from './report.ts';
import { startCountingProxy } from './round-trips.ts';
import { serviceTable } from './service-report.ts';
import {
  countServiceTrips,
  measureServices,
  type ServiceEntry,
  serviceEntry,
} from './service-rounds.ts';
import { type Service, services } from './services.ts';

/**
 * Our server against a plain oidc-provider on a naive adapter, in one run on one machine. Prints the
 * table and writes it into results.md.
 *
 *   --short          a few seconds, to try the benchmark itself; writes nothing
 *   --profile <dir>  CPU profile of our server on Postgres; writes no results
 */
const { short, profile } = parseArgs({
  options: { short: { type: 'boolean', default: false }, profile: { type: 'string' } },
}).values;

const full: Plan = { rounds: 6, seconds: 8, codeRounds: 4, codes: 1500, preparation: 6 };
const trial: Plan = { rounds: 2, seconds: 2, codeRounds: 2, codes: 200, preparation: 2 };
const longest = 12 * 60_000; // milliseconds; a run that hangs ends

/** What a plain oidc-provider has of the services. */
const naiveServices: readonly Service[] = [
  'client_credentials',
  'introspection of an opaque token',
];

interface Trips extends RoundTrips {
  services: ServiceEntry['trips'];
}

type Start = (options: StartOptions) => Promise<Contender>;

interface Site {
  cores: Cores;
  directory: string;
  postgres: PostgresServer;
}

const directory = mkdtempSync(join(tmpdir(), 'authserver-bench-'));
const overdue = setTimeout(() => {
  console.error('the benchmark took too long');
  process.exit(1); // the servers end with this process
}, longest);
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
const [load = 0] = loadavg();
const cores = pinDriver();
const postgres = await startPostgres(directory);
try {
  const report = await run({ cores, directory, postgres }, short ? trial : full);
  const text = section(report, new Date());
  console.log(text);
  if (!short && !profile) writeSection(join(import.meta.dirname, 'results.md'), text);
} finally {
  await postgres.stop();
  clearTimeout(overdue);
}

async function run(site: Site, plan: Plan): Promise<Report> {
  const trips = {
    naive: await tripsOf(site, startNaive, 'naive_counted', naiveServices),
    ours: await tripsOf(site, startOurs, 'ours_counted', services),
  };
  const { naive, ours, records, table } = await compare(site, plan, trips);
  const few = { ...plan, rounds: Math.ceil(plan.rounds / 3), codeRounds: plan.codeRounds / 2 };
  const others = [
    await alone(site, few, 'authserver on embedded PGlite', startOurs),
    await alone(site, few, 'oidc-provider in memory', startNaive),
  ];
  const versions = { library: libraryVersion(), postgres: await postgresVersion(site.postgres) };
  return { naive, ours, others, plan, cores: site.cores, versions, load, records, services: table };
}

/** Starts a server whose way to Postgres is counted, and counts. */
async function tripsOf(
  site: Site,
  start: Start,
  name: string,
  has: readonly Service[],
): Promise<Trips> {
  const proxy = await startCountingProxy(site.postgres.port);
  const dsn = proxy.through(await site.postgres.createDatabase(name));
  const contender = await start({ ...site, directory: join(site.directory, name), dsn });
  try {
    const driver = await createDriver(contender);
    const trips = await countRoundTrips(driver, proxy.take);
    await driver.close();
    const entry = serviceEntry(name, contender, has);
    await countServiceTrips(entry, proxy.take);
    return { ...trips, services: entry.trips };
  } finally {
    await contender.stop();
    await proxy.close();
  }
}

/** Both servers stay up, warm and idle, while the other one is under load. */
async function compare(
  site: Site,
  plan: Plan,
  trips: { naive: Trips; ours: Trips },
): Promise<Pick<Report, 'naive' | 'ours' | 'records'> & { table: string }> {
  const dsn = await site.postgres.createDatabase('ours');
  const naive = await enter(site, 'naive adapter', startNaive, {
    dsn: await site.postgres.createDatabase('naive'),
  });
  const ours = await enter(site, 'authserver', startOurs, {
    dsn,
    nodeFlags: profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [],
  });
  try {
    await measure([naive, ours], plan);
    const records = { tokens: ours.driver.issued(), ...(await recordsIn(dsn)) };
    const theirs = serviceEntry(naive.name, naive.contender, naiveServices);
    const own = serviceEntry(ours.name, ours.contender);
    await measureServices([theirs, own], { rounds: plan.codeRounds, seconds: plan.seconds / 2 });
    Object.assign(theirs.trips, trips.naive.services);
    Object.assign(own.trips, trips.ours.services);
    return {
      table: serviceTable(theirs, own),
      naive: { ...lineOf(naive), trips: trips.naive },
      ours: { ...lineOf(ours), trips: trips.ours },
      records,
    };
  } finally {
    await leave(naive);
    await leave(ours);
  }
}

/** One server without a rival, on what it has built in. */
async function alone(site: Site, plan: Plan, name: string, start: Start): Promise<Line> {
  const entry = await enter(site, name, start, {});
  try {
    await measure([entry], plan);
    return lineOf(entry);
  } finally {
    await leave(entry);
  }
}

async function enter(
  site: Site,
  name: string,
  start: Start,
  options: Pick<StartOptions, 'dsn' | 'nodeFlags'>,
): Promise<Entry> {
  const own = join(site.directory, name.replaceAll(' ', '-'));
  const contender = await start({ cores: site.cores, directory: own, ...options });
  const driver = await createDriver(contender);
  return { name, contender, driver, refresh: [], exchange: [] };
}

async function leave({ driver, contender }: Entry): Promise<void> {
  await driver.close();
  await contender.stop();
}

function lineOf(entry: Entry): Line {
  return { entry, memory: entry.contender.residentMemory() };
}

async function recordsIn(dsn: string): Promise<{ issuances: number; audit: number }> {
  const [row] = await query<{ issuances: number; audit: number }>(
    dsn,
    `SELECT (SELECT count(*) FROM issuances)::int AS issuances,
            (SELECT count(*) FROM audit_events
              WHERE type IN ('token_issued', 'token_refreshed'))::int AS audit`,
  );
  return row ?? { issuances: 0, audit: 0 };
}

async function postgresVersion(server: PostgresServer): Promise<string> {
  const dsn = await server.createDatabase('version');
  const [row] = await query<{ server_version: string }>(dsn, 'SHOW server_version');
  return row?.server_version ?? '';
}

function libraryVersion(): string {
  const file = join(import.meta.dirname, '../node_modules/oidc-provider/package.json');
  const { version }: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
  return version;
}
