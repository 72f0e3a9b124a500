import { fixed, medianOf, rates, row } from './report.ts';
import type { ServiceEntry } from './service-rounds.ts';
import { type Service, services } from './services.ts';

/** The table of the token services of one run, in Markdown. */
export function serviceTable(naive: ServiceEntry, ours: ServiceEntry): string {
  return [
    row('per second', 'naive adapter', 'authserver', 'ratio', 'CPU', 'round trips'),
    row('---', '---:', '---:', '---:', '---:', '---:'),
    ...services.map((service) => line(service, naive, ours)),
    '',
    'CPU and round trips are naive / authserver, for one request; clients are cached by authserver for half a second.',
  ].join('\n');
}

function line(service: Service, naive: ServiceEntry, ours: ServiceEntry): string {
  const both = [naive, ours].map((entry) => ({
    rounds: entry.rounds[service] ?? [],
    trips: entry.trips[service],
  }));
  const [a, b] = both.map(({ rounds }) => medianOf(rounds, 'perSecond'));
  return row(
    service,
    ...both.map(({ rounds }) => rates(rounds)),
    a && b ? `**${(b / a).toFixed(2)} ×**` : '–',
    `${both.map(({ rounds }) => fixed(medianOf(rounds, 'cpu'), 2)).join(' / ')} ms`,
    both.map(({ trips }) => fixed(trips, 1)).join(' / '),
  );
}
