import { once } from 'node:events';
import { Command } from 'commander';
import { eventKey, type ListedEvent, wireEvent } from '../audit/index.ts';
import { auditDeadLetters } from './audit-dead-letters.ts';
import { type AuditFilterOptions, filtered, filtersOf } from './audit-filters.ts';
import { verifyAudit } from './audit-verify.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  type Column,
  fields,
  type JsonOption,
  jsonFlag,
  print,
  printJson,
  table,
} from './output.ts';
import { withRooms } from './storage.ts';

const mostListed = 1000;

/** `authserver audit …` */
export function auditCommand(): Command {
  return new Command('audit')
    .description('what happened: the append-only log, and whether it is as it was sealed')
    .addCommand(list())
    .addCommand(show())
    .addCommand(exportEvents())
    .addCommand(verifyAudit())
    .addCommand(auditDeadLetters());
}

const columns: readonly Column<ListedEvent>[] = [
  { title: 'AT', value: (event) => event.at },
  { title: 'TYPE', value: (event) => event.type },
  { title: 'BY', value: (event) => event.actor_id ?? event.actor_kind },
  { title: 'PERSON', value: (event) => event.username ?? event.user_id ?? undefined },
  { title: 'CLIENT', value: (event) => event.client_id ?? undefined },
  { title: 'RESOURCE', value: (event) => event.resource ?? undefined },
  { title: 'TRACE', value: (event) => event.trace_id ?? undefined },
  { title: 'ID', value: (event) => eventKey(event) },
];

interface ListOptions extends AuditFilterOptions {
  limit: string;
  search?: string;
}

function list(): Command {
  return filtered(configured('list', 'events, newest first'))
    .option('--search <text>', 'the beginning of a trace id, client id, user id or e-mail address')
    .option('--limit <number>', `how many, ${mostListed} at most`, '50')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption & ListOptions) => {
      const limit = Number(options.limit);
      if (!Number.isInteger(limit) || limit < 1 || limit > mostListed) {
        throw wrongCall(`--limit takes a whole number from 1 to ${mostListed}`);
      }
      const query = { ...filtersOf(options), q: options.search };
      const found = await withRooms(options, async ({ auditLog }) => {
        const events: ListedEvent[] = [];
        let after: Awaited<ReturnType<typeof auditLog.list>>['next'];
        do {
          const page = await auditLog.list({ ...query, limit: limit - events.length, after });
          events.push(...page.items);
          after = page.next;
        } while (after && events.length < limit);
        return events;
      });
      if (options.json) printJson(found.map(wireEvent));
      else print(table(found, columns, 'There is no such event.'));
    });
}

function show(): Command {
  return configured('show', 'one event with its detail and its place in the hash chain')
    .argument('<id>', 'its id, as authserver audit list shows it')
    .option(...jsonFlag)
    .action(async (id: string, options: ConfigOption & JsonOption) => {
      const found = await withRooms(options, ({ auditLog }) => auditLog.find(id));
      if (!found) {
        throw new CommandFailure(`there is no event ${id}: authserver audit list shows the ids`);
      }
      const { event, seal } = found;
      const place = seal && {
        ...{ seq: seal.seq, block: seal.block, digest: seal.digest },
        ...{ sealed_at: seal.sealedAt, signed_at: seal.signedAt },
      };
      if (options.json) return printJson({ ...wireEvent(event), seal: place ?? null });
      const { detail, ...row } = wireEvent(event);
      print(
        fields({
          ...Object.fromEntries(
            Object.entries(row).map(([name, value]) => [name, value ?? undefined]),
          ),
          detail: JSON.stringify(detail),
          ...(place ?? { seq: 'not sealed yet' }),
        }),
      );
    });
}

function exportEvents(): Command {
  return filtered(configured('export', 'write events to standard output, oldest first'))
    .option('--format <format>', 'ndjson or csv', 'ndjson')
    .action(async (options: ConfigOption & AuditFilterOptions & { format: string }) => {
      const { format } = options;
      if (format !== 'ndjson' && format !== 'csv') throw wrongCall('--format takes ndjson or csv');
      const filters = filtersOf(options);
      await withRooms(options, async ({ auditLog }) => {
        for await (const piece of auditLog.export(format, filters)) {
          if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
        }
      });
    });
}
