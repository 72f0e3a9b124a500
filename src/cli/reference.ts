import type { Command } from 'commander';
import { createProgram } from './program.ts';

/** docs/cli.md */
export function cliReference(): string {
  return `${[
    '# Command line',
    '<!-- Generated from the source by `npm run docs`; a test fails when it is stale. -->',
    '`npm run authserver -- COMMAND` in a checkout, `authserver COMMAND` where the package is installed. `npm start` is `serve`. To read JSON through a pipe write `npm run -s authserver -- COMMAND --json`: without `-s`, npm prints lines of its own first.',
    'While a server runs, commands that read or change the data go through its admin API, with the key that it keeps in `admin.key` in the data directory (mode 0600) for the system user that it runs as. The data directory is the one that `storage.pglite.path` lies in, `data` by default; give every server one of its own. Where none runs, or another user or computer asks, they open the database themselves and do the same there: Postgres takes any number of them; the embedded database has one process at a time, and a command that finds it in use says by which. `migrate` and `restore` always open the database: stop a server on the embedded one first.',
    'Changes are in the audit log under the actor `cli` and the name of the system user. Secrets are printed once, on standard output; remarks go to standard error. Passwords are asked for or read from standard input, never taken as an argument.',
    exitCodes,
    ...leaves(createProgram(), []).map(({ command, path }) => section(command, path)),
  ].join('\n\n')}\n`;
}

const exitCodes = `| exit code | meaning |
|---|---|
| 0 | done |
| 1 | it could not be done; one sentence on standard error says why and what to do |
| 2 | wrong call |
| 78 | the configuration has problems; each one is printed with its place and the fix |`;

interface Leaf {
  command: Command;
  path: readonly string[];
}

function leaves(command: Command, path: readonly string[]): Leaf[] {
  const here = [...path, command.name()];
  if (command.commands.length === 0) return [{ command, path: here }];
  return command.commands.flatMap((child) => leaves(child, here));
}

function section(command: Command, path: readonly string[]): string {
  const names = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  const described = command.registeredArguments
    .filter(({ description }) => description)
    .map((argument) => [argument.name(), argument.description]);
  const options = command.options.map(({ flags, description, mandatory, ...option }) => [
    flags,
    description +
      (option.argChoices ? ` (${option.argChoices.join(', ')})` : '') +
      defaultOf(option.defaultValue) +
      (mandatory ? ' (required)' : ''),
  ]);
  const rows = [...described, ...options].map(
    ([name, text]) => `| \`${name}\` | ${text?.trim()} |`,
  );
  return [
    `## \`${[...path, ...names].join(' ')}\``,
    `${sentence(command.description())}`,
    ...(rows.length > 0 ? [`| | |\n|---|---|\n${rows.join('\n')}`] : []),
  ].join('\n\n');
}

function defaultOf(value: unknown): string {
  return value === undefined || value === true ? '' : ` (default ${value})`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
