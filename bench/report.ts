import { readFileSync, writeFileSync } from 'node:fs';
import type { Entry, Plan, Round, RoundTrips } from './measure.ts';
import type { Cores } from './pinned-process.ts';

export interface Line {
  entry: Pick<Entry, 'name' | 'refresh' | 'exchange'>;
  trips?: RoundTrips | undefined;
  /** MiB after the rounds. */
  memory?: number | undefined;
}

export interface Report {
  naive: Line;
  ours: Line;
  /** Measured for orientation, not against each other. */
  others: Line[];
  plan: Plan;
  cores: Cores;
  versions: { library: string; postgres: string };
  /** Load average before the run: what else the machine was doing. */
  load: number;
  /** Tokens that our server handed out, and the records it has of them. */
  records: { tokens: number; issuances: number; audit: number };
  /** The table of the token services. */
  services: string;
}

/** The section of one day, in Markdown. */
export function section(report: Report, date: Date): string {
  const { naive, ours, others } = report;
  return [
    `## ${date.toISOString().slice(0, 10)}`,
    '',
    `${conditions(report)}`,
    '',
    row(
      '',
      'refreshes/s',
      'code exchanges/s',
      'CPU per refresh / exchange',
      'round trips',
      'memory',
    ),
    row('---', '---:', '---:', '---:', '---:', '---:'),
    ...[naive, ours].map(line),
    row('**ratio**', ratio(ours, naive, 'refresh'), ratio(ours, naive, 'exchange'), '', '', ''),
    ...others.map(line),
    '',
    `Rates are the median of the rounds (lowest–highest). ${busy(naive)}, ${busy(ours)}.`,
    recorded(report.records),
    '',
    report.services,
    '',
  ].join('\n');
}

/** Puts the section first in the file, in place of an older one of the same day. */
export function writeSection(file: string, text: string): void {
  const [head = '', ...sections] = readFileSync(file, 'utf8').split(/^(?=## )/m);
  const [title] = text.split('\n');
  const kept = sections.filter((other) => other.split('\n')[0] !== title);
  const all = [text, ...kept].map((one) => one.trim()).join('\n\n');
  writeFileSync(file, `${head.trim()}\n\n${all}\n`);
}

function conditions({ cores, versions, plan, load }: Report): string {
  const where = cores.pinned
    ? 'the server alone on one, driver and Postgres on the other'
    : 'not pinned: server, driver and Postgres share them';
  return [
    `${cores.count} cores (${where}), Node ${process.versions.node}, oidc-provider ${versions.library},`,
    `Postgres ${versions.postgres} with durable commits. 16 connections, public client, PKCE, ES256 JWTs,`,
    `rotation at every refresh. \`node bench/main.ts\`: ${plan.rounds} alternating rounds of ${plan.seconds} s of refreshes,`,
    `${plan.codeRounds} of up to ${plan.codes} code exchanges. Load average before the run: ${load.toFixed(1)}${load > 0.5 ? ', so other work took part of the cores' : ''}.`,
  ].join('\n');
}

function line({ entry, trips, memory }: Line): string {
  return row(
    entry.name,
    rates(entry.refresh),
    rates(entry.exchange),
    `${fixed(medianOf(entry.refresh, 'cpu'), 2)} / ${fixed(medianOf(entry.exchange, 'cpu'), 2)} ms`,
    trips ? `${fixed(trips.refresh, 1)} / ${fixed(trips.exchange, 1)}` : '–',
    `${fixed(memory, 0)} MiB`,
  );
}

export function row(...cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}

export function rates(rounds: Round[]): string {
  if (rounds.length === 0) return '–';
  const all = rounds.map(({ perSecond }) => perSecond);
  return `${fixed(median(all), 0)} (${fixed(Math.min(...all), 0)}–${fixed(Math.max(...all), 0)})`;
}

function ratio(ours: Line, naive: Line, kind: 'refresh' | 'exchange'): string {
  const [a, b] = [ours, naive].map(({ entry }) => medianOf(entry[kind], 'perSecond'));
  return a && b ? `**${(a / b).toFixed(2)} ×**` : '–';
}

function busy({ entry }: Line): string {
  const share = medianOf(entry.refresh, 'busy');
  const percent = share === undefined ? undefined : share * 100;
  return `${entry.name} kept its core ${fixed(percent, 0)} % busy while refreshing`;
}

function recorded({ tokens, issuances, audit }: Report['records']): string {
  return `authserver handed out ${tokens} access tokens with a refresh token each; it wrote ${issuances} issuance records and ${audit} audit events.`;
}

export function medianOf(rounds: Round[], key: keyof Round): number | undefined {
  return median(rounds.flatMap((round) => round[key] ?? []));
}

function median(numbers: number[]): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

export function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? '–' : value.toFixed(digits);
}
