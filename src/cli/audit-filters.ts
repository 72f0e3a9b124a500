import type { Command } from 'commander';
import { wrongCall } from './failure.ts';

/** Options that say which events are meant. */
export interface AuditFilterOptions {
  type?: string[];
  actor?: string;
  client?: string;
  user?: string;
  resource?: string;
  trace?: string;
  ip?: string;
  from?: string;
  to?: string;
}

export function filtered(command: Command): Command {
  return command
    .option('--type <types...>', 'only these types (docs/audit-events.md)')
    .option('--actor <id>', 'only what this one did')
    .option('--client <id>', 'only what concerns this client')
    .option('--user <id>', 'only what concerns this person')
    .option('--resource <uri>', 'only what concerns this resource')
    .option('--trace <id>', 'only what happened in this request')
    .option('--ip <address>', 'only what came from this address')
    .option('--from <time>', 'not before it: 2026-01-31 or 2026-01-31T12:00:00Z')
    .option('--to <time>', 'before it');
}

/** @throws CommanderError for a type that does not exist or a text that is no time */
export async function filtersOf(options: AuditFilterOptions) {
  const { isAuditEventType } = await import('../audit/index.ts');
  const unknown = options.type?.find((type) => !isAuditEventType(type));
  if (unknown !== undefined) {
    throw wrongCall(`there is no event type ${unknown}: docs/audit-events.md lists them`);
  }
  return {
    type: options.type?.join(','),
    actor_id: options.actor,
    client_id: options.client,
    user_id: options.user,
    resource: options.resource,
    trace_id: options.trace,
    ip: options.ip,
    from: timeOf('--from', options.from)?.toISOString(),
    to: timeOf('--to', options.to)?.toISOString(),
  };
}

/** A date or a time; without a zone it is UTC. */
export function timeOf(option: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const [, date, time = 'T00:00:00', zone = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(
      text,
    ) ?? [];
  const at = new Date(`${date}${time}${zone}`);
  if (date !== undefined && !Number.isNaN(at.getTime())) return at;
  throw wrongCall(`${option} takes a time such as 2026-01-31 or 2026-01-31T12:00:00Z`);
}
