import { Command } from 'commander';
import { maskedConfig, renderConfig, renderJsonSchema, renderProblems } from '../config/index.ts';
import { type ConfigOption, load } from './load.ts';

/** `authserver config check|show|schema` */
export function configCommand(): Command {
  const command = new Command('config').description('check and show the configuration');
  command
    .command('check')
    .description('exit 0, or print every problem and exit 78')
    .option('--config <file>', 'configuration file (YAML)')
    .action((options: ConfigOption) => {
      const { warnings } = load(options);
      if (warnings.length > 0) process.stderr.write(`${renderProblems(warnings)}\n`);
      process.stdout.write('configuration is valid\n');
    });
  command
    .command('show')
    .description('the effective configuration with its sources, secrets masked')
    .option('--config <file>', 'configuration file (YAML)')
    .option('--json', 'print JSON')
    .action((options: ConfigOption & { json?: boolean }) => {
      const loaded = load(options);
      const text = options.json
        ? JSON.stringify(maskedConfig(loaded.config), null, 2)
        : renderConfig(loaded);
      process.stdout.write(`${text.trimEnd()}\n`);
    });
  command
    .command('schema')
    .description('a JSON Schema for editors')
    .action(() => {
      process.stdout.write(`${renderJsonSchema().trimEnd()}\n`);
    });
  return command;
}
