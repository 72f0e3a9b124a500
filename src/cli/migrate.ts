import { Command } from 'commander';
import { migrate, openDatabase } from '../db/index.ts';
import { storageOptions } from '../rooms.ts';
import { type ConfigOption, load } from './load.ts';

/** `authserver migrate` */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the database schema up to date')
    .option('--config <file>', 'configuration file (YAML)')
    .action(async (options: ConfigOption) => {
      const db = await openDatabase(storageOptions(load(options).config));
      try {
        const done = await migrate(db);
        process.stdout.write(done.length > 0 ? `migrated: ${done.join(', ')}\n` : 'up to date\n');
      } finally {
        await db.close();
      }
    });
}
