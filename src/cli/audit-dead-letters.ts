import { Command } from 'commander';
import type { z } from 'zod';
import { audit } from '../admin/contract/index.ts';
import { ifThere, withAdmin } from './administration.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { type Column, type JsonOption, jsonFlag, print, printJson, table, when } from './output.ts';

type DeadLetter = z.output<typeof audit.deadLetters.answer>['items'][number];

const mostListed = 1000;

/** `authserver audit dead-letters …` */
export function auditDeadLetters(): Command {
  return new Command('dead-letters')
    .description('events that the audit webhook did not take')
    .addCommand(list())
    .addCommand(retry());
}

const columns: readonly Column<DeadLetter>[] = [
  { title: 'ID', value: (letter) => letter.id },
  { title: 'FAILED', value: (letter) => when(letter.failed_at) },
  { title: 'TYPE', value: (letter) => letter.type },
  { title: 'REASON', value: (letter) => letter.reason },
  { title: 'ATTEMPTS', value: (letter) => letter.attempts },
  { title: 'EVENT', value: (letter) => letter.event_id },
];

function list(): Command {
  return configured('list', `the newest first, ${mostListed} at most`)
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const letters = await withAdmin(options, async (admin) => {
        const found: DeadLetter[] = [];
        for await (const letter of admin.each(audit.deadLetters, { limit: 200 })) {
          if (found.push(letter) === mostListed) break;
        }
        return found;
      });
      if (options.json) return printJson(letters);
      print(table(letters, columns, 'There are no dead letters.'));
    });
}

function retry(): Command {
  return configured('retry', 'send one once more, now')
    .argument('<id>', 'its id')
    .action(async (id: string, options: ConfigOption) => {
      const retried = await withAdmin(options, (admin) =>
        ifThere(admin.call(audit.retry, { params: { id } })),
      );
      if (!retried) throw new CommandFailure(`there is no dead letter ${id}`);
      if (!retried.delivered) throw new CommandFailure(`it was not taken: ${retried.reason}`);
      print('It was taken.');
    });
}
