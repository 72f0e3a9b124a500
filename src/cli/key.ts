import { Command } from 'commander';
import type { z } from 'zod';
import { keys as contract } from '../admin/contract/index.ts';
import { withAdmin } from './administration.ts';
import { reencryptCommand } from './key-reencrypt.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  type Column,
  type JsonOption,
  jsonFlag,
  print,
  printJson,
  table,
  when,
  withoutNulls,
} from './output.ts';

type Key = z.output<typeof contract.rotate.answer>;

/** `authserver key …` */
export function keyCommand(): Command {
  return new Command('key')
    .description('keys that sign tokens')
    .addCommand(list())
    .addCommand(rotate())
    .addCommand(reencryptCommand());
}

const columns: readonly Column<Key>[] = [
  { title: 'KID', value: (key) => key.kid },
  { title: 'ALGORITHM', value: (key) => key.alg },
  { title: 'STATE', value: (key) => key.state },
  { title: 'SIGNS FROM', value: (key) => when(key.signs_from) },
  { title: 'RETIRED', value: (key) => when(key.retired_at) },
  { title: 'PUBLISHED UNTIL', value: (key) => when(key.published_until) },
];

function list(): Command {
  return configured('list', 'the keys that are published: current, next and retired ones')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const { items: keys } = await withAdmin(options, (admin) => admin.call(contract.list));
      if (options.json) printJson(keys.map(wire));
      else print(table(keys, columns, 'There is no key yet: the first start makes one.'));
    });
}

function rotate(): Command {
  return configured('rotate', 'publish the next key, which signs after signing.publish_before')
    .option(
      '--force',
      'let it sign at once, for emergencies: who caches the key set must fetch it anew',
    )
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption & { force?: boolean }) => {
      const { force = false, json } = options;
      const { kid, alg, signs_from } = await withAdmin(options, (admin) =>
        admin.call(contract.rotate, { body: { force } }),
      );
      if (json) printJson({ kid, alg, signs_from });
      else if (force) print(`Key ${kid} signs now.`);
      else print(`Key ${kid} is published and signs from ${signs_from}.`);
    });
}

function wire({ id: _, ...key }: Key) {
  return withoutNulls(key);
}
