import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { cliReference } from './index.ts';
import { createProgram } from './program.ts';

test('docs/cli.md is not stale', () => {
  const committed = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
  expect(committed).toBe(cliReference());
});

test('every command has a description, and each that reads the data takes --config', () => {
  for (const command of leaves(createProgram())) {
    expect(command.description(), command.name()).not.toBe('');
    const flags = command.options.map(({ long }) => long);
    if (!['version', 'schema'].includes(command.name())) expect(flags).toContain('--config');
    if (['list', 'show'].includes(command.name())) expect(flags).toContain('--json');
  }
});

test('an option that may not be left out says so, in the reference and in the help', () => {
  const commands = leaves(createProgram());
  const mandatory = commands.flatMap((command) =>
    command.options.flatMap(({ mandatory, long }) =>
      mandatory ? [`${command.parent?.name()} ${command.name()} ${long}`] : [],
    ),
  );
  expect(mandatory).toEqual([
    'user link --issuer',
    'user link --subject',
    'user unlink --issuer',
    'user unlink --subject',
    'resource create --uri',
    'credentials create --user',
    'credentials create --resource',
    'credentials create --label',
    'credentials regenerate --user',
    'credentials regenerate --resource',
    'token create --resource',
    'token create --scope',
    'token create --user',
    'token create --name',
    'token mint --resource',
    'token mint --scope',
  ]);
  expect(cliReference().match(/\(required\) \|$/gm)).toHaveLength(mandatory.length);
  const create = commands.find(
    (command) => command.name() === 'create' && command.parent?.name() === 'token',
  );
  expect(create?.helpInformation().match(/\(required\)/g)).toHaveLength(4);
});

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}
