import { Command } from 'commander';
import type { KeyInfo } from '../keys/index.ts';
import { type ConfigOption, configured } from './load.ts';
import { operator } from './operator.ts';
import { type Column, type JsonOption, jsonFlag, print, printJson, table } from './output.ts';
import { withRooms } from './storage.ts';

/** `authserver key …` */
export function keyCommand(): Command {
  return new Command('key')
    .description('keys that sign tokens')
    .addCommand(list())
    .addCommand(rotate());
}

const columns: readonly Column<KeyInfo>[] = [
  { title: 'KID', value: (key) => key.kid },
  { title: 'ALGORITHM', value: (key) => key.alg },
  { title: 'STATE', value: (key) => key.state },
  { title: 'SIGNS FROM', value: (key) => key.signsFrom },
  { title: 'RETIRED', value: (key) => key.retiredAt },
  { title: 'PUBLISHED UNTIL', value: (key) => key.expiresAt },
];

function list(): Command {
  return configured('list', 'the keys that are published: current, next and retired ones')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const keys = await withRooms(options, async (rooms) => rooms.keys.list());
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
      const { kid, alg, signsFrom } = await withRooms(options, ({ keys, now }) => {
        const { actor, meta } = operator(now());
        return keys.rotate(meta, { actor, force });
      });
      if (json) printJson({ kid, alg, signs_from: signsFrom });
      else if (force) print(`Key ${kid} signs now.`);
      else print(`Key ${kid} is published and signs from ${signsFrom.toISOString()}.`);
    });
}

function wire({ kid, alg, state, createdAt, signsFrom, retiredAt, expiresAt }: KeyInfo) {
  return {
    kid,
    alg,
    state,
    created_at: createdAt,
    signs_from: signsFrom,
    retired_at: retiredAt,
    published_until: expiresAt,
  };
}
