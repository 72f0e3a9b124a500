import { Command } from 'commander';
import { type DeadLetter, eventKey } from '../audit/index.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { operator } from './operator.ts';
import { type Column, type JsonOption, jsonFlag, print, printJson, table } from './output.ts';
import { withRooms } from './storage.ts';

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
  { title: 'FAILED', value: (letter) => letter.failedAt },
  { title: 'TYPE', value: (letter) => letter.type },
  { title: 'REASON', value: (letter) => letter.reason },
  { title: 'ATTEMPTS', value: (letter) => letter.attempts },
  { title: 'EVENT', value: idOf },
];

function idOf({ eventId: number, eventAt }: DeadLetter): string {
  return eventKey({ number, micros: BigInt(eventAt.getTime()) * 1000n });
}

function list(): Command {
  return configured('list', `the newest first, ${mostListed} at most`)
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const letters = await withRooms(options, ({ auditLog }) =>
        auditLog.deadLetters(mostListed - 1),
      );
      if (options.json) return printJson(letters.map(wire));
      print(table(letters, columns, 'There are no dead letters.'));
    });
}

function wire(letter: DeadLetter) {
  return {
    id: letter.id,
    event_id: idOf(letter),
    event_at: letter.eventAt,
    type: letter.type,
    reason: letter.reason,
    attempts: letter.attempts,
    failed_at: letter.failedAt,
  };
}

function retry(): Command {
  return configured('retry', 'send one once more, now')
    .argument('<id>', 'its id')
    .action(async (id: string, options: ConfigOption) => {
      const retried = /^\d{1,18}$/.test(id)
        ? await withRooms(options, ({ auditLog, now }) => auditLog.retry(id, operator(now())))
        : undefined;
      if (!retried) throw new CommandFailure(`there is no dead letter ${id}`);
      if (!retried.delivered) throw new CommandFailure(`it was not taken: ${retried.reason}`);
      print('It was taken.');
    });
}
