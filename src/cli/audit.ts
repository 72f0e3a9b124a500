import { once } from 'node:events';
import { Command } from 'commander';
import type { z } from 'zod';
import { audit } from '../admin/contract/index.ts';
import { ifThere, withAdmin } from './administration.ts';
import { auditDeadLetters } from './audit-dead-letters.ts';
import { type AuditFilterOptions, filtered, filtersOf } from './audit-filters.ts';
import { verifyAudit } from './audit-verify.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  answerFields,
  type Column,
  type JsonOption,
  jsonFlag,
  print,
  printJson,
  table,
  when,
} from './output.ts';

type ListedEvent = z.output<typeof audit.list.answer>['items'][number];

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
  { title: 'AT', value: (event) => when(event.at) },
  { title: 'TYPE', value: (event) => event.type },
  { title: 'BY', value: (event) => event.actor_id ?? event.actor_kind },
  { title: 'PERSON', value: (event) => event.username ?? event.user_id ?? undefined },
  { title: 'CLIENT', value: (event) => event.client_id ?? undefined },
  { title: 'RESOURCE', value: (event) => event.resource ?? undefined },
  { title: 'TRACE', value: (event) => event.trace_id ?? undefined },
  { title: 'ID', value: (event) => event.id },
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
      const query = { ...(await filtersOf(options)), q: options.search };
      const found = await withAdmin(options, async (admin) => {
        const events: ListedEvent[] = [];
        const asked = { ...query, limit: Math.min(limit, 200) };
        for await (const event of admin.each(audit.list, asked)) {
          events.push(event);
          if (events.length === limit) break;
        }
        return events;
      });
      if (options.json) printJson(found);
      else print(table(found, columns, 'There is no such event.'));
    });
}

function show(): Command {
  return configured('show', 'one event with its detail and its place in the hash chain')
    .argument('<id>', 'its id, as authserver audit list shows it')
    .option(...jsonFlag)
    .action(async (id: string, options: ConfigOption & JsonOption) => {
      const found = await withAdmin(options, (admin) =>
        ifThere(admin.call(audit.get, { params: { id } })),
      );
      if (!found) {
        throw new CommandFailure(`there is no event ${id}: authserver audit list shows the ids`);
      }
      if (options.json) return printJson(found);
      const { seal, sealed: _, ...event } = found;
      print(answerFields({ ...event, ...(seal ?? { seq: 'not sealed yet' }) }));
    });
}

function exportEvents(): Command {
  return filtered(configured('export', 'write events to standard output, oldest first'))
    .option('--format <format>', 'ndjson or csv', 'ndjson')
    .action(async (options: ConfigOption & AuditFilterOptions & { format: string }) => {
      const { format } = options;
      if (format !== 'ndjson' && format !== 'csv') throw wrongCall('--format takes ndjson or csv');
      const query = { format, ...(await filtersOf(options)) } as const;
      await withAdmin(options, async (admin) => {
        for await (const piece of await admin.download(audit.export, query)) {
          if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
        }
      });
    });
}
