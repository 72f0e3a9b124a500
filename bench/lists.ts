import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pages } from '../src/admin/list-pages.testing.ts';
import { million, seedCrowd } from '../src/db/seed.testing.ts';
import { startConsole } from './console-server.ts';
import { pinDriver } from './pinned-process.ts';
import { query, startPostgres } from './postgres.ts';
import { row, writeSection } from './report.ts';

/**
 * Every list, filter and search of the admin API with a million issuances and audit events and 100,000 clients
 * on a real Postgres. Prints the table and writes it into lists.md.
 */
const rounds = 21;
const limit = 100; // milliseconds that a page may take at the median
const directory = mkdtempSync(join(tmpdir(), 'authserver-lists-'));
const overdue = setTimeout(() => process.exit(1), 20 * 60_000);
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

const cores = pinDriver();
const postgres = await startPostgres(directory);
try {
  const dsn = await postgres.createDatabase('lists');
  const home = sub('server'); // its secrets open the keys in the database
  await (await startConsole({ cores, directory: home, dsn })).stop();
  console.log('filling the database …');
  await seedCrowd(dsn, million);
  const server = await startConsole({ cores, directory: home, dsn });
  console.log('waiting until the log is sealed and counted …');
  await settled(dsn);
  const before = await scanned(dsn);
  const lines: string[] = [];
  let slowest = 0;
  for (const [name, path] of pages) {
    const times: number[] = [];
    let rows = 0;
    for (let round = 0; round < rounds; round += 1) {
      const answer = await server.get(path(round));
      times.push(answer.milliseconds);
      rows = answer.rows;
    }
    times.sort((a, b) => a - b);
    const median = times[Math.floor(rounds / 2)] ?? 0;
    slowest = Math.max(slowest, median);
    const line = row(name, `${median.toFixed(1)}`, `${(times.at(-2) ?? 0).toFixed(1)}`, `${rows}`);
    console.log(line);
    lines.push(line);
  }
  await sleep(11_000); // idle sessions report what they have read after ten seconds
  const scans = (await scanned(dsn)) - before;
  await server.stop();
  const text = report(lines, slowest, scans);
  writeSection(join(import.meta.dirname, 'lists.md'), text);
  console.log(
    `slowest median ${slowest.toFixed(1)} ms (limit ${limit} ms); rows read by scans: ${scans}`,
  );
  process.exitCode = slowest <= limit ? 0 : 1;
} finally {
  await postgres.stop();
  clearTimeout(overdue);
}

function sub(name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

/** The new server has a million events to seal first, which it would otherwise do while it is measured. */
async function settled(dsn: string): Promise<void> {
  const until = Date.now() + 8 * 60_000;
  while (Date.now() < until) {
    const [found] = await query<{ left: string }>(
      dsn,
      `SELECT (SELECT count(*) FROM audit_events) - (SELECT coalesce(sum(events), 0) FROM audit_blocks) AS left`,
    );
    if (Number(found?.left) < 1000) return;
    await sleep(5000);
  }
}

/** Rows that were read from the large tables by scanning them from end to end. */
async function scanned(dsn: string): Promise<number> {
  const [found] = await query<{ rows: string }>(
    dsn,
    `SELECT coalesce(sum(seq_tup_read), 0) AS rows FROM pg_stat_user_tables
      WHERE relname IN ('issuances', 'clients', 'users', 'grants', 'families') OR relname LIKE 'audit_events%'`,
  );
  return Number(found?.rows);
}

function report(lines: string[], slowest: number, scans: number): string {
  const { clients, people, grants, issuances, events } = million;
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
  return [
    `## ${new Date().toISOString().slice(0, 10)}`,
    '',
    `${issuances} issuances, ${events} audit events, ${clients} clients, ${people} people, ${grants} grants on Postgres 18;`,
    `${cores.count} cores, load average ${load}. \`node bench/lists.ts\`: ${rounds} requests of 50 rows per page, one after the other.`,
    '',
    row('page', 'median ms', 'p95 ms', 'rows'),
    row('---', '---:', '---:', '---:'),
    ...lines,
    '',
    `Slowest median: ${slowest.toFixed(1)} ms. Rows of large tables read by scans from end to end: ${scans}.`,
    '',
  ].join('\n');
}
