import { Command } from 'commander';
import { maskedConfig, renderConfig, renderJsonSchema, renderProblems } from '../config/index.ts';
import { type ConfigOption, configured, load } from './load.ts';
import { type JsonOption, jsonFlag, note, print, printJson } from './output.ts';

/** `authserver config check|show|schema` */
export function configCommand(): Command {
  return new Command('config')
    .description('check and show the configuration')
    .addCommand(check())
    .addCommand(show())
    .addCommand(schema());
}

function check(): Command {
  return configured('check', 'exit 0, or print every problem and exit 78').action(
    (options: ConfigOption) => {
      const { warnings } = load(options);
      if (warnings.length > 0) note(renderProblems(warnings));
      print('configuration is valid');
    },
  );
}

function show(): Command {
  return configured('show', 'the effective configuration with its sources, secrets masked')
    .option(...jsonFlag)
    .action((options: ConfigOption & JsonOption) => {
      const loaded = load(options);
      if (options.json) printJson(maskedConfig(loaded.config));
      else print(renderConfig(loaded).trimEnd());
    });
}

function schema(): Command {
  return new Command('schema')
    .description('a JSON Schema for editors')
    .action(() => print(renderJsonSchema().trimEnd()));
}
